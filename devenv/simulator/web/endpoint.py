"""`POST /graphql`: one request from its bytes to its answer, or to the fault that is due.

The order matters. The account is brought up to date, the caller is identified, and faults "before
commit" strike. Then the document is executed and the state file gets the result. Only after that
can the client learn of it, or a fault "after commit" keep it from learning.
"""

import asyncio
import functools
import json
import math
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from devenv.simulator import faults, journal
from devenv.simulator.gql import execution, schema
from devenv.simulator.gql.context import Context
from devenv.simulator.gql.documents import Operation, Prepared
from devenv.simulator.model.entities import ApiKey
from devenv.simulator.model.webhooks import Delivery
from devenv.simulator.simulator import Simulator

METADATA_HEADER = "Spacelift-User-Provided-Run-Metadata"
BODY_LIMIT = 10 * 1024 * 1024

Probe = Callable[[Delivery], Awaitable[str | None]]
"""Sends a delivery and returns what was wrong."""

_PUBLIC_FIELDS = frozenset(
    {"apiKeyUser", "oauthUser", "debugInfo", "__schema", "__type", "__typename"}
)
_HTML = "<html><head><title>{0} {1}</title></head><body><h1>{0} {1}</h1></body></html>"
_REASONS = {
    401: "Unauthorized",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a request says."""

    document: str
    variables: dict[str, Any]
    operation_name: str | None


class Endpoint:
    """Answers GraphQL requests; `closing` ends those that hang."""

    def __init__(self, simulator: Simulator, closing: asyncio.Event, probe: Probe) -> None:
        self._simulator = simulator
        self._probe = probe
        self._closing = closing

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        started = time.monotonic()
        simulator = self._simulator
        record = simulator.journal.open(simulator.clock.now())
        record.headers = _spacelift_headers(request)
        outcome = "aborted"
        try:
            response = await self._answer(request, record)
            outcome = str(response.status) if response else "reset"
        finally:
            seconds = time.monotonic() - started
            simulator.journal.close(record, outcome=outcome, seconds=seconds)
        return response if response is not None else reset(request)

    async def _answer(
        self, request: web.Request, record: journal.RequestRecord
    ) -> web.Response | None:
        """Return the answer; None to reset the connection."""
        simulator = self._simulator
        if simulator.faults.outage != "off":
            return html(503) if simulator.faults.outage == "error" else None
        call = _call(await request.read())
        if isinstance(call, web.Response):
            return call
        simulator.advance()
        key = simulator.tokens.owner(request.headers.get("Authorization"))
        schema_ = schema.load(has_metadata=simulator.account.behavior.expose_metadata)
        prepared = simulator.documents.prepare(schema_, call.document)
        operation = prepared.operation(call.operation_name)
        # The cached text, or a flood of large documents would be kept as often as it came.
        record.document = prepared.text
        _describe(record, call, operation, key)
        simulator.journal.count(record)
        refused = self._refuse(key, operation)
        if refused is not None:
            return refused
        key_id = key.id if key else None
        decision = simulator.faults.decide(operation, call.variables, key_id=key_id)
        record.fault = decision.fault_id
        if decision.delay:
            await self._pause(decision.delay)
        if decision.fault is not None and decision.fault.when == "before":
            return await self._carry_out(decision, None, operation)
        probes: dict[str, str | None] = {}
        if operation is not None and operation.is_mutation and key is not None:
            remote_ip = request.remote or ""
            probes = await self._probe_all(operation, call.variables, key, remote_ip)
        context = self._context(request, key, probes)
        response = self._execute(prepared, call, context, record)
        if decision.fault is not None:
            return await self._carry_out(decision, response.body, operation)
        return web.json_response(response.body)

    def _execute(
        self, prepared: Prepared, call: Call, context: Context, record: journal.RequestRecord
    ) -> execution.Response:
        simulator = self._simulator
        # There is a delay between the first look at the clock and here.
        simulator.advance()
        response = execution.execute(
            schema.load(has_metadata=simulator.account.behavior.expose_metadata),
            prepared,
            variables=call.variables,
            operation_name=call.operation_name,
            context=context,
        )
        record.committed = list(response.committed)
        record.errors = [error["message"] for error in response.body.get("errors", ())]
        simulator.advance()
        return response

    async def _probe_all(
        self, operation: Operation, variables: dict[str, Any], key: ApiKey, remote_ip: str
    ) -> dict[str, str | None]:
        """Try the endpoints that must be reachable before they are saved."""
        if key.role != "admin" or key.spaces is not None:
            return {}
        problems: dict[str, str | None] = {}
        for root in operation.fields:
            arguments = root.arguments(variables)
            values = arguments.get("input")
            if root.name != "auditTrailSetWebhook" or not isinstance(values, dict):
                continue
            if values.get("enabled") is True and isinstance(values.get("endpoint"), str):
                delivery = self._simulator.dispatch.probe(
                    arguments, username=key.login, remote_ip=remote_ip
                )
                problems[values["endpoint"]] = await self._probe(delivery)
        return problems

    def _context(
        self, request: web.Request, key: ApiKey | None, probes: dict[str, str | None]
    ) -> Context:
        dispatch = self._simulator.dispatch
        return Context(
            engine=self._simulator.engine,
            tokens=self._simulator.tokens,
            key=key,
            base_url=f"{request.scheme}://{request.host}",
            metadata=request.headers.get(METADATA_HEADER),
            probes=probes,
            audited=functools.partial(
                dispatch.audited, remote_ip=request.remote or "", before=dispatch.audit_webhook()
            ),
        )

    def _refuse(self, key: ApiKey | None, operation: Operation | None) -> web.Response | None:
        """Refuse by HTTP status: a bad token in mode B, and too many requests."""
        behavior = self._simulator.account.behavior
        asked = {root.name for root in operation.fields} if operation else set()
        if key is None and behavior.unauthorized_mode == "B" and asked - _PUBLIC_FIELDS:
            return web.Response(status=401, text="unauthorized")
        if key is None:
            return None
        seconds = self._simulator.faults.seconds_to_wait(behavior.rate_limit, key.id)
        if not seconds:
            return None
        wants_header = behavior.rate_limit is not None and behavior.rate_limit.retry_after
        return html(429, retry_after=math.ceil(seconds) if wants_header else None)

    async def _carry_out(
        self,
        decision: faults.FaultDecision,
        body: dict[str, Any] | None,
        operation: Operation | None,
    ) -> web.Response | None:
        """Carry a fault out; `body` is the answer that the client does not get."""
        fault = decision.fault
        if fault is None or fault.action == "reset":
            return None
        match fault.action:
            case "timeout":
                await self._pause(fault.seconds)
                return None
            case "status":
                return html(fault.status, retry_after=fault.retry_after)
            case "malformed":
                whole = json.dumps(body if body is not None else {"data": None})
                return web.Response(text=whole[: len(whole) // 2], content_type="application/json")
            case _:
                return web.json_response(_with_error(decision, body, operation))

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return


def reset(request: web.Request) -> web.Response:
    """Break the connection with an RST, as a dying peer or proxy does."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            # Lingering for zero seconds makes the kernel send RST instead of FIN.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    # aiohttp wants an answer; there is no connection left for it to go to.
    return web.Response(status=503)


def html(status: int, *, retry_after: float | None = None) -> web.Response:
    """Answer as a proxy in front of the API does."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    reason = _REASONS.get(status, "Error")
    return web.Response(
        status=status,
        text=_HTML.format(status, reason),
        content_type="text/html",
        headers=headers,
    )


def _call(body: bytes) -> Call | web.Response:
    try:
        document = json.loads(body)
    except ValueError as error:
        return web.Response(status=400, text=str(error))
    if not isinstance(document, dict) or not isinstance(document.get("query", ""), str):
        return web.Response(status=400, text="the body is not a GraphQL request")
    variables = document.get("variables") or {}
    if not isinstance(variables, dict):
        return web.Response(status=400, text="variables are not an object")
    return Call(
        document=document.get("query", ""),
        variables=variables,
        operation_name=document.get("operationName") or None,
    )


def _spacelift_headers(request: web.Request) -> dict[str, str]:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {name: value for name, value in headers.items() if name.startswith("spacelift-")}


def _describe(
    record: journal.RequestRecord, call: Call, operation: Operation | None, key: ApiKey | None
) -> None:
    record.key = key.id if key else None
    record.variables = journal.without_secrets(call.variables)
    record.operation_name = call.operation_name
    if operation is None:
        return
    record.operation = "mutation" if operation.is_mutation else "query"
    record.fields = [
        journal.RootFieldRecord(
            name=root.name,
            alias=root.alias,
            stacks=tuple(faults.stacks_of(root.arguments(call.variables))),
        )
        for root in operation.fields
    ]


def _with_error(
    decision: faults.FaultDecision, body: dict[str, Any] | None, operation: Operation | None
) -> dict[str, Any]:
    """Put an error next to the data, or in its place where a field cannot be null."""
    fault = decision.fault
    message = fault.message if fault else ""
    errors = [{"message": message, "path": [alias]} for alias in decision.aliases]
    is_partial = fault is not None and fault.action == "partial"
    data = body.get("data") if body and is_partial else None
    if data is not None and operation is not None:
        data = {**data, **dict.fromkeys(decision.aliases)}
        if schema.has_required(operation, decision.aliases):
            data = None
    return {"data": data, "errors": errors}
