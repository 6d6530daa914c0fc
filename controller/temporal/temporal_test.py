"""The connection check: a program that says, line by line, which parts of an installation answer.

`stackchain check` runs it, as does `python -m
controller.temporal.temporal_test`. It only reads, except with `--fix`, which adds search
attributes. It is named like a test because it is one, of an installation; it is not part of the
test suite.
"""

import argparse
import asyncio
import dataclasses
import datetime
import json
import os
import sys
from collections.abc import Awaitable, Sequence
from typing import TextIO

import temporalio.client
from temporalio.api.workflowservice import v1 as workflowservice
from temporalio.service import RPCError, RPCStatusCode

from controller import outside_text
from controller.config import connections, settings
from controller.notify import sinks
from controller.spacelift import account_session, endpoints, errors
from controller.spacelift import client as spacelift_client
from controller.temporal import client, ids, registered_attributes, search_attributes
from controller.temporal.operator import queues

CHECK_TIMEOUT_SECONDS = 10.0
NAMESPACES_SHOWN = 100
_SEARCH_ATTRIBUTES = "Temporal search attributes"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """One line of the answer."""

    check: str
    ok: bool
    message: str
    """What was found; for a problem also what to do."""


async def check(
    all_settings: settings.Settings, out: TextIO, *, as_json: bool = False, fixes: bool = False
) -> int:
    """Check everything that the settings name and print a line for each.

    Args:
        all_settings: What to check.
        out: Where to print.
        as_json: Print one object for programs instead.
        fixes: Add the search attributes that the Temporal namespace lacks.

    Returns:
        The exit code: 0 if all is well, 1 if there is a problem.
    """
    parts = await asyncio.gather(
        _check_temporal(all_settings, fixes=fixes), _check_connections(all_settings.spacelift)
    )
    results = [result for part in parts for result in part]
    results += _check_sinks(all_settings.notifications)
    if as_json:
        rows = [dataclasses.asdict(result) for result in results]
        print(json.dumps({"ok": all(r.ok for r in results), "checks": rows}), file=out)
    else:
        for result in results:
            print(
                f"{'ok' if result.ok else 'PROBLEM':<8} {result.check}: {result.message}", file=out
            )
    return 0 if all(result.ok for result in results) else 1


async def _guarded(name: str, checking: Awaitable[CheckResult]) -> CheckResult:
    """Bound a check in time and turn what Temporal refuses into a line."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            return await checking
    except TimeoutError:
        return _problem(name, f"no answer within {CHECK_TIMEOUT_SECONDS:g} s; try again")
    except RPCError as error:
        what = f"{outside_text.clean(error.message)} ({error.status.name})"
        if error.status in client.REFUSALS:
            return _problem(name, f"{what}; check the rights of the key or certificate")
        return _problem(name, f"{what}; check Temporal, and try again")


async def _check_temporal(all_settings: settings.Settings, *, fixes: bool) -> list[CheckResult]:
    temporal = all_settings.temporal
    name = "Temporal"
    try:
        temporal_client = await client.dial(temporal)
    except client.TemporalUnreachable as error:
        return [_problem(name, str(error))]
    connected = CheckResult(check=name, ok=True, message=f"{temporal.address} answers")
    listed, found = await asyncio.gather(
        _guarded("Temporal namespaces", _list_namespaces(temporal_client)),
        _guarded("Temporal namespace", _find_namespace(temporal_client, temporal)),
    )
    if not found.ok:
        return [connected, listed, found]
    mark = _accounts_mark(all_settings.spacelift)
    checked = await asyncio.gather(
        _check_search_attributes(temporal_client, fixes=fixes),
        *(
            _guarded(
                f"task queue {queue}",
                _check_queue(temporal_client, queue, kinds, role, mark=mark),
            )
            for queue, kinds, role in _queues(all_settings)
        ),
    )
    return [connected, listed, found, *checked]


def _queues(all_settings: settings.Settings) -> list[tuple[str, tuple[str, ...], str]]:
    """Return the queues that need pollers, with what is polled there and by which role."""
    task_queue = all_settings.temporal.task_queue
    wanted: list[tuple[str, tuple[str, ...], str]] = [
        (task_queue, (queues.WORKFLOW, queues.ACTIVITY), "worker"),
        (ids.follow_queue(task_queue), (queues.ACTIVITY,), "worker"),
    ]
    if all_settings.notifications.file is not None:
        kinds = (queues.WORKFLOW, queues.ACTIVITY)
        wanted.append((ids.notify_queue(task_queue), kinds, "worker"))
    installation = all_settings.installation.installation_id
    # Without the setting, the id is derived from the cluster, which this program does not ask.
    if installation is not None:
        wanted.append((ids.operator_queue(installation), (queues.ACTIVITY,), "operator"))
    return wanted


async def _list_namespaces(temporal_client: temporalio.client.Client) -> CheckResult:
    name = "Temporal namespaces"
    try:
        answer = await temporal_client.workflow_service.list_namespaces(
            workflowservice.ListNamespacesRequest(page_size=NAMESPACES_SHOWN), retry=True
        )
    except RPCError as error:
        if error.status not in {RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED}:
            raise
        message = "listing is refused, as usual on Temporal Cloud; only the configured one is shown"
        return CheckResult(check=name, ok=True, message=message)
    names = sorted(namespace.namespace_info.name for namespace in answer.namespaces)
    own = temporal_client.namespace
    shown = ", ".join(f"{found} (configured)" if found == own else found for found in names)
    more = " and more" if answer.next_page_token else ""
    return CheckResult(check=name, ok=True, message=f"{shown}{more}")


async def _find_namespace(
    temporal_client: temporalio.client.Client, temporal: settings.TemporalSettings
) -> CheckResult:
    name = f"Temporal namespace {temporal.namespace}"
    try:
        answer = await client.describe_namespace(temporal_client)
    except RPCError as error:
        return _problem(name, client.explain(error, temporal))
    retention = answer.config.workflow_execution_retention_ttl.ToTimedelta()
    days = retention / datetime.timedelta(days=1)
    message = f"exists, keeps histories for {days:g} d"
    return CheckResult(check=name, ok=True, message=message)


async def _check_search_attributes(
    temporal_client: temporalio.client.Client, *, fixes: bool
) -> CheckResult:
    """Say which search attributes are there; nothing needs them, so it is fine to lack them."""
    name = _SEARCH_ATTRIBUTES
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            found = await registered_attributes.look(temporal_client)
            if fixes and found.missing:
                return await _add_search_attributes(temporal_client, found)
    except (TimeoutError, RPCError) as error:
        why = error.status.name if isinstance(error, RPCError) else "no answer"
        message = f"Temporal does not say which it has ({why}); executions are listed without them"
        return CheckResult(check=name, ok=True, message=message)
    if found.other_types:
        wrong = ", ".join(found.other_types)
        message = f"none is set: {wrong} must be of type Keyword, and has another one"
    elif found.missing:
        command = search_attributes.creation_command(temporal_client.namespace, found.missing)
        message = (
            f"none is set: {', '.join(found.missing)} missing; optional. To find executions by "
            f"chain and stack, run `stackchain check --fix` or `{command}`; on Temporal Cloud, add "
            "them to the namespace as Keyword"
        )
    else:
        message = f"{', '.join(search_attributes.NAMES)} exist"
    return CheckResult(check=name, ok=True, message=message)


async def _add_search_attributes(
    temporal_client: temporalio.client.Client, found: registered_attributes.Registered
) -> CheckResult:
    names = ", ".join(found.missing)
    try:
        await registered_attributes.add(temporal_client, found.missing)
    except RPCError as error:
        command = search_attributes.creation_command(temporal_client.namespace, found.missing)
        return _problem(
            _SEARCH_ATTRIBUTES,
            f"{names} could not be added: {outside_text.clean(error.message)} "
            f"({error.status.name}); have an administrator run `{command}`, or on Temporal Cloud "
            "add them to the namespace as Keyword",
        )
    message = f"added {names}; operators use them within 10 minutes"
    return CheckResult(check=_SEARCH_ATTRIBUTES, ok=True, message=message)


def _accounts_mark(spacelift: settings.SpaceliftSettings) -> str | None:
    try:
        return ids.accounts_mark(connections.ConnectionCatalog(spacelift).endpoints())
    except settings.SettingsError:
        # Another line says what is wrong with them.
        return None


async def _check_queue(
    temporal_client: temporalio.client.Client,
    queue: str,
    kinds: Sequence[str],
    role: str,
    *,
    mark: str | None,
) -> CheckResult:
    states = await asyncio.gather(*(queues.describe(temporal_client, queue, k) for k in kinds))
    counts = {kind: len(state.pollers) for kind, state in zip(kinds, states, strict=True)}
    name = f"task queue {queue}"
    shown = ", ".join(f"{count} polling for {kind} tasks" for kind, count in counts.items())
    missing = [kind for kind, count in counts.items() if count == 0]
    if missing:
        return _problem(
            name,
            f"nothing polls for {' or '.join(missing)} tasks; start `stackchain {role}` with "
            "this Temporal namespace and task queue, or check its log",
        )
    pollers = {poller for state in states for poller in state.pollers}
    strangers = sorted(p for p in pollers if mark and (ids.mark_of(p) or mark) != mark)
    if strangers:
        shown = outside_text.clean(", ".join(strangers))
        return _problem(
            name,
            f"workers with other Spacelift accounts also poll it ({shown}), and accept tasks "
            "that they cannot do; give each installation its own TEMPORAL_TASK_QUEUE, or "
            "restart workers that were started before an account was added",
        )
    return CheckResult(check=name, ok=True, message=shown)


async def _check_connections(spacelift: settings.SpaceliftSettings) -> list[CheckResult]:
    name = "Spacelift connections"
    try:
        catalog = connections.ConnectionCatalog(spacelift)
    except settings.SettingsError as error:
        return [_problem(name, "; ".join(error.problems))]
    found = [connection for one in catalog.names() if (connection := catalog.get(one))]
    if not found:
        advice = "set SPACELIFT_CONNECTIONS_FILE or SPACELIFT_API_KEY_ENDPOINT"
        return [_problem(name, f"there are none; {advice}")]
    checks = (
        _guarded(f"Spacelift connection {one.name}", _check_connection(one, spacelift))
        for one in found
    )
    return list(await asyncio.gather(*checks))


async def _check_connection(
    connection: connections.Connection, spacelift: settings.SpaceliftSettings
) -> CheckResult:
    name = f"Spacelift connection {connection.name}"
    try:
        key = connection.read_api_key()
    except settings.SettingsError as error:
        own = f"connection {connection.name}: "
        return _problem(name, "; ".join(line.removeprefix(own) for line in error.problems))
    asked = spacelift_client.SpaceliftClient(
        account_session.AccountSession(
            endpoint=connection.endpoint,
            # Read once: a check reports about one moment.
            read_api_key=lambda: key,
            request_timeout_seconds=min(spacelift.request_timeout_seconds, CHECK_TIMEOUT_SECONDS),
            ca_file=str(spacelift.ca_file) if spacelift.ca_file else None,
        )
    )
    try:
        viewer = await asked.get_viewer()
    except errors.SpaceliftError as error:
        return _problem(name, str(error))
    finally:
        await asked.aclose()
    account = endpoints.account_of(connection.endpoint)
    who = f"{viewer.name} ({viewer.id})" if viewer.name else viewer.id
    message = f"account {account} accepts the API key as {who}"
    return CheckResult(check=name, ok=True, message=message)


def _check_sinks(notifications: settings.NotificationSettings) -> list[CheckResult]:
    """Read the notifications file; nothing is sent, and no secret is read."""
    if notifications.file is None:
        return []
    name = "Notifications"
    try:
        names = sorted(sinks.SinkCatalog(notifications.file).all())
    except settings.SettingsError as error:
        return [_problem(name, "; ".join(error.problems))]
    return [CheckResult(check=name, ok=True, message=f"sinks: {', '.join(names) or 'none'}")]


def _problem(name: str, message: str) -> CheckResult:
    return CheckResult(check=name, ok=False, message=message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check with the settings of this process and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m controller.temporal.temporal_test",
        description="Check Temporal, its task queues and Spacelift.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for programs")
    parser.add_argument("--fix", action="store_true", help="add missing search attributes")
    options = parser.parse_args(arguments)
    try:
        all_settings = settings.load_settings()
    except settings.SettingsError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return 2
    return asyncio.run(check(all_settings, sys.stdout, as_json=options.json, fixes=options.fix))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The SDK's native threads make a part of all normal exits crash (temporalio/sdk-python#300).
    os._exit(code)
