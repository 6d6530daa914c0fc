"""What people ask for on the page: the requests of the commands, with the viewer's own rights.

The page decides nothing. What can be asked for, what the dialog says, and what is written come from
`user_requests`, for the chain as it is at that moment. See ADR 0060.
"""

import argparse
import contextlib
import dataclasses
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from controller import clock
from controller.api.v1alpha1 import Operation, StackChain, StackStatus
from controller.chain.run import live_requests
from controller.chain.run.progress import LiveRequestKind
from controller.kube import api_requests
from controller.plugin import arguments, cluster, exit_codes, user_requests
from controller.plugin.exit_codes import PROGRAM, CommandError, ExitCode
from controller.plugin.user_requests import RequestKind, UserRequest, WantedRequest
from controller.ui import page_server
from controller.ui.page_documents import Document

_STATUS_CODES = {
    ExitCode.NOT_SUCCEEDED: 409,
    ExitCode.USAGE: 400,
    ExitCode.REFUSED: 403,
    ExitCode.UNREACHABLE: 502,
}
# After these stacks are started, which a chain that destroys must not do by a slip.
_STARTING = (
    RequestKind.RUN,
    RequestKind.RETRY,
    RequestKind.BYPASS,
    RequestKind.APPROVE,
    RequestKind.RESUME,
)
_OF_LATEST_RUN = (RequestKind.RETRY, RequestKind.BYPASS, RequestKind.APPROVE)
_DANGEROUS = (RequestKind.BYPASS, RequestKind.CANCEL)
_NAMED_COMMAND = re.compile(rf"`({PROGRAM} [^`]*)`")
# Of a chain that cannot be read.
NOTHING: Document = {"actions": [], "approvable": [], "parallelism": 0}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PageRequest:
    """What the page sends.

    `run`: the number of the latest run that the viewer saw, 0 for none; None if nothing was seen.
    """

    namespace: str
    name: str
    wanted: WantedRequest
    run: int | None = None
    confirmation: str = ""


def read(document: object) -> PageRequest:
    """Read what the page sends.

    Raises:
        CommandError: it is not a request.
    """
    values = document if isinstance(document, Mapping) else {}
    try:
        stacks = values.get("stacks", [])
        if not isinstance(stacks, list):
            raise ValueError("stacks is not a list")
        return PageRequest(
            namespace=arguments.chain_name(_text(values, "namespace")),
            name=arguments.chain_name(_text(values, "name")),
            wanted=WantedRequest(
                kind=RequestKind(_text(values, "action")),
                # The run that was seen is the one that is meant.
                number=_whole(values, "run") or None,
                stacks=tuple(dict.fromkeys(arguments.stack_id(str(one)) for one in stacks)),
                stage=_text(values, "stage"),
                parallelism=_whole(values, "parallelism") or 0,
            ),
            run=_whole(values, "run"),
            confirmation=_text(values, "confirmation"),
        )
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise exit_codes.usage(f"this is not a request of the page: {error}.") from error


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a string")
    return value


def _whole(values: Mapping[str, Any], key: str) -> int | None:
    value = values.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{key} is not a number")
    return value


def decide(chain: StackChain, asked: PageRequest, *, now: str) -> UserRequest:
    """Return what is written, once it is sure that the chain is still what the viewer saw.

    Raises:
        CommandError: it makes no sense now.
    """
    wanted = asked.wanted
    latest = chain.status.latest_run.number if chain.status.latest_run is not None else 0
    if asked.run is not None and asked.run != latest:
        raise exit_codes.nothing_to_do(
            f"run {latest} of {asked.name} has started since this was shown; check again."
        )
    if wanted.kind is RequestKind.BYPASS and not wanted.stacks:
        raise exit_codes.usage("name the stacks to bypass.")
    is_possible = 1 <= wanted.parallelism <= arguments.MOST_PARALLEL
    if wanted.kind is RequestKind.PARALLELISM and not is_possible:
        raise exit_codes.usage(
            f"the parallelism must be a number from 1 to {arguments.MOST_PARALLEL}."
        )
    return user_requests.decide(chain, wanted, now=now)


def preview(chain: StackChain, asked: PageRequest, request: UserRequest) -> Document:
    """Return what the dialog says before anything is written."""
    kind = request.kind
    destroys = is_destroying(chain, kind)
    return {
        "action": str(kind),
        "means": _means(kind),
        "messages": _messages(request),
        "lists": [
            {"title": title, "stacks": list(stacks)}
            for title, stacks in _lists(chain, request)
            if stacks
        ],
        "changes": bool(request.changes),
        "dangerous": destroys or kind in _DANGEROUS,
        "destroys": destroys,
        # The viewer who reads the dialog has seen this run.
        "run": chain.status.latest_run.number if chain.status.latest_run is not None else 0,
        "command": _command(asked, request),
    }


def _messages(request: UserRequest) -> list[str]:
    """Return what there is to say besides the lists."""
    # The first message says that it has been done.
    said = request.messages[1:] if request.changes else request.messages
    return [text for text in said if text not in request.listings]


def is_destroying(chain: StackChain, kind: RequestKind) -> bool:
    """Whether stacks may be destroyed because of a request."""
    run, operation = chain.status.latest_run, str(chain.spec.operation)
    if kind not in _STARTING:
        return False
    if run is not None and kind in _OF_LATEST_RUN:
        return run.operation == Operation.DESTROY
    is_live = run is not None and not run.phase.is_over
    if run is not None and is_live and kind is RequestKind.RESUME:
        return Operation.DESTROY in (run.operation, operation)
    return operation == Operation.DESTROY


def _means(kind: RequestKind) -> str:
    command = arguments.find(kind.lower())
    text = command.help if command is not None else ""
    return f"{text[:1].upper()}{text[1:]}."


def _lists(chain: StackChain, request: UserRequest) -> list[tuple[str, Sequence[str]]]:
    details, stacks = request.details, chain.status.stacks
    match request.kind:
        case RequestKind.RUN:
            return [(f"Stacks of the chain, as of run {request.latest}", _ids(stacks))]
        case RequestKind.RETRY:
            return [("Run again", details["again"]), ("Kept unchanged", details["kept"])]
        case RequestKind.BYPASS:
            return [
                ("Count as done without a run", details["bypassed"]),
                ("Run again", details["again"]),
            ]
        case RequestKind.CANCEL:
            return [("Not over yet", _ids([one for one in stacks if not one.phase.is_over]))]
        case RequestKind.RESUME | RequestKind.SUSPEND:
            return [("Not over yet", _ids([one for one in stacks if not one.phase.is_over]))]
        case RequestKind.APPROVE | RequestKind.PARALLELISM:
            return []


def _ids(stacks: Sequence[StackStatus]) -> list[str]:
    return [stack.id for stack in stacks]


def _command(asked: PageRequest, request: UserRequest) -> str:
    """Return the same request for a terminal."""
    wanted = asked.wanted
    words = [str(request.kind).lower(), asked.name]
    match request.kind:
        case RequestKind.RETRY:
            words += [str(request.latest)]
            words += ["--stack", ",".join(wanted.stacks)] if wanted.stacks else []
        case RequestKind.BYPASS:
            words += wanted.stacks
        case RequestKind.APPROVE:
            words.append(wanted.stage)
        case RequestKind.CANCEL:
            words.append(str(request.latest))
        case RequestKind.PARALLELISM:
            words.append(str(wanted.parallelism))
        case RequestKind.RUN | RequestKind.SUSPEND | RequestKind.RESUME:
            pass
    return f"{PROGRAM} {shlex.join(words)}"


def possible(chain: StackChain) -> Document:
    """Return what can be asked for now: of the chain, and of which stages."""
    return {
        "actions": [
            str(kind)
            for kind in RequestKind
            if kind not in (RequestKind.BYPASS, RequestKind.APPROVE) and _is_possible(chain, kind)
        ],
        "approvable": [] if chain.is_deleting else user_requests.stages_to_approve(chain),
        "parallelism": chain.spec.policies.parallelism,
    }


def _is_possible(chain: StackChain, kind: RequestKind) -> bool:
    # A parallelism that no chain has, so that there is something to change.
    wanted = WantedRequest(kind=kind, parallelism=arguments.MOST_PARALLEL + 1)
    try:
        return bool(user_requests.decide(chain, wanted, now="").changes)
    except CommandError:
        return False


def possible_of_stacks(chain: StackChain) -> Callable[[str], list[str]]:
    """Return what says of a stack what can be asked for it alone."""
    if chain.is_deleting or chain.status.latest_run is None:
        return lambda _: []
    kinds = {
        kind: live_requests.that_may_be_named(live, chain.status.stacks)
        for kind, live in (
            (RequestKind.RETRY, LiveRequestKind.RETRY),
            (RequestKind.BYPASS, LiveRequestKind.BYPASS),
        )
    }
    return lambda stack_id: [str(kind) for kind, ids in kinds.items() if stack_id in ids]


class PageActions:
    """Asks with the rights of the connection's user."""

    def __init__(
        self, kube_client: api_requests.KubeRequests, *, options: Sequence[str] = ()
    ) -> None:
        """Ask over a connection; `options` choose the same cluster for a command."""
        self._client = kube_client
        self._options = options

    async def may_change(self, namespace: str, name: str) -> bool:
        """Return whether the viewer may change a chain."""
        with self._explained({"namespace": namespace}):
            return await self._chains(namespace).may("patch", name)

    async def preview(self, document: object) -> Document:
        """Return what the dialog says; nothing is written."""
        with self._explained(document):
            asked, chain, request = await self._decide(document)
            shown = preview(chain, asked, request)
        chosen = self._chosen(asked.namespace)
        return {
            **shown,
            "messages": [with_options(text, chosen) for text in shown["messages"]],
            "command": f"{shown['command']} {chosen}",
        }

    async def ask(self, document: object) -> Document:
        """Write what is asked for, and return what there is to say of it."""
        with self._explained(document):
            asked, chain, request = await self._decide(document)
            if asked.run is None:
                raise exit_codes.usage("the request does not say which run the viewer saw.")
            if is_destroying(chain, request.kind) and asked.confirmation != asked.name:
                raise exit_codes.usage(
                    f"this may destroy what the stacks of {asked.name} manage: type the name of "
                    "the chain to confirm that."
                )
            if request.changes:
                await self._chains(asked.namespace).patch(asked.name, request.changes)
        chosen = self._chosen(asked.namespace)
        return {"messages": [with_options(text, chosen) for text in request.messages]}

    async def _decide(self, document: object) -> tuple[PageRequest, StackChain, UserRequest]:
        asked = read(document)
        chain = await self._chains(asked.namespace).get(asked.name)
        now = clock.now().isoformat(timespec="microseconds")
        return asked, chain, decide(chain, asked, now=now)

    def _chains(self, namespace: str) -> cluster.UserChains:
        return cluster.UserChains(self._client, namespace=namespace)

    def _chosen(self, namespace: str) -> str:
        return chosen_options(self._options, namespace)

    @contextlib.contextmanager
    def _explained(self, document: object) -> Iterator[None]:
        try:
            yield
        except CommandError as error:
            namespace = document.get("namespace") if isinstance(document, Mapping) else None
            text = with_options(str(error), self._chosen(str(namespace or "")))
            raise page_server.ActionRefused(
                f"{text[:1].upper()}{text[1:]}", status=_STATUS_CODES.get(error.code, 400)
            ) from error


class LookOnly:
    """What viewers without a name see: they ask for nothing, whatever the account may do."""

    async def may_change(self, _namespace: str, _name: str) -> bool:
        """Return whether the viewer may change a chain."""
        return False

    async def preview(self, _document: object) -> Document:
        """Refuse."""
        raise page_server.ActionRefused("This page is read-only.", status=403)

    async def ask(self, _document: object) -> Document:
        """Refuse."""
        raise page_server.ActionRefused("This page is read-only.", status=403)


def chosen_options(options: Sequence[str], namespace: str) -> str:
    """Return the options with which a command is about the chain that the page shows."""
    return shlex.join([*options, "-n", namespace])


def with_options(text: str, chosen: str) -> str:
    """Put options into the commands that a string names, which leave them out in a terminal."""
    return _NAMED_COMMAND.sub(lambda found: f"`{found[1]} {chosen}`", text)
