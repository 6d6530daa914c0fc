"""What the page reads besides the chains, and how it reports that something cannot be read."""

from collections.abc import Mapping
from typing import Any

from controller import outside_text
from controller.kube import api_requests, chain_watch, errors
from controller.plugin import cluster
from controller.plugin.exit_codes import CommandError, ExitCode
from controller.ui import page_server
from controller.ui.page_documents import Document


def problem_text(error: errors.KubeError, namespace: str | None) -> str:
    """Say why the chains cannot be read, and what to do, while it is tried again."""
    failure = explained(error, namespace)
    again = " Trying again." if failure.code is ExitCode.UNREACHABLE else ""
    return f"{sentence(failure)}{again}"


def sentence(failure: CommandError) -> str:
    """Return what a command prints after its own name, as a message that is complete without it."""
    text = str(failure)
    return f"{text[:1].upper()}{text[1:]}"


def explained(error: errors.KubeError, namespace: str | None) -> CommandError:
    """Say why the chains cannot be read, as the error of a command."""
    return cluster.explain_error(error, "list and watch", namespace=namespace)


def events_of(kube: api_requests.KubeRequests) -> page_server.ListEvents:
    """Return what reads the Events of a chain over a connection."""

    async def list_events(namespace: str, uid: str) -> list[Document]:
        try:
            found = await chain_watch.list_events(kube, namespace, uid)
        except errors.Denied as error:
            raise page_server.EventsUnavailable(
                f"You may not read the Events of the namespace {namespace!r}: ask for the verb "
                "list on events."
            ) from error
        except errors.KubeError as error:
            raise page_server.EventsUnavailable(problem_text(error, namespace)) from error
        return sorted(
            map(event_document, found), key=lambda event: str(event["time"]), reverse=True
        )

    return list_events


def event_document(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of an Event, whatever its source and form."""
    time = event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp")
    metadata = event.get("metadata") or {}
    return {
        "time": time or metadata.get("creationTimestamp") or "",
        "type": event.get("type") or "Normal",
        "reason": outside_text.clean(event.get("reason")),
        "message": outside_text.clean(event.get("message"), most=1024),
        "count": event.get("count") or 1,
    }
