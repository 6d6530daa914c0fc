"""The connection to Temporal that every role shares: made, checked and kept authorized here."""

import asyncio
import contextlib
import datetime
import logging
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import temporalio.client
import temporalio.runtime
import temporalio.service
from temporalio.api.common import v1 as common
from temporalio.api.errordetails import v1 as errordetails
from temporalio.api.workflowservice import v1 as workflowservice

from controller import outside_text
from controller.config import environment, files, settings
from controller.temporal import payload_codec

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 10.0
HEALTH_TIMEOUT_SECONDS = 2.0
STORE_TIMEOUT_SECONDS = 5.0
NEVER_STARTED = "stackchain/never-started"
"""A workflow that is never started: only Temporal's database can say that it is not there."""
FIRST_BACKOFF_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 30.0
CREDENTIALS_SECONDS = 60.0

REFUSALS = frozenset(
    {
        temporalio.service.RPCStatusCode.PERMISSION_DENIED,
        temporalio.service.RPCStatusCode.UNAUTHENTICATED,
    }
)
"""What Temporal answers to a client that lacks a right."""

# The SDK's core writes its errors as nested Rust values; the innermost text is the one for people.
_CORE_TEXT = re.compile(r'\b(?:message|error): "([^"]+)"')
# What these values mean if they have no such text, or one that only its authors understand.
_CORE_MEANINGS = (
    (
        re.compile(r"tls handshake eof|ConnectError\(Os \{ code: 104"),
        "the server closed the TLS handshake; it may expect no TLS, or a client certificate",
    ),
    (re.compile(r"InvalidContentType"), "the server does not speak TLS at this port"),
    (
        re.compile(r"received fatal alert: (\w+)|AlertReceived\((\w+)\)"),
        "the server refused the TLS handshake: {}",
    ),
    (
        re.compile(r"InvalidCertificate\((?:Other\(OtherError\()?(\w+)"),
        "the server's certificate is not accepted: {}",
    ),
    (
        re.compile(
            r'"stream closed because of a broken pipe"|hyper::Error\((?:Canceled|Io, Kind\()'
            r"|hyper::Error\(Io, Os \{ code: 104\b"
        ),
        "the server closed the connection; it may expect TLS",
    ),
    (re.compile(r"h2 protocol error"), "what answers is not Temporal, or expects TLS"),
)


class TemporalUnreachable(Exception):
    """No usable connection: no server, no access, or no such namespace."""


@contextlib.contextmanager
def unreachable() -> Iterator[None]:
    """Turn a failed call into `TemporalUnreachable`; catch what is not a failure inside of it."""
    try:
        yield
    except temporalio.service.RPCError as error:
        raise TemporalUnreachable(
            f"Temporal is not serving requests: {outside_text.clean(error.message).rstrip('.')}. "
            "Run `stackchain check`."
        ) from error


async def connect(
    temporal: settings.TemporalSettings,
    *,
    runtime: temporalio.runtime.Runtime | None = None,
    interceptors: Sequence[temporalio.client.Interceptor] = (),
) -> temporalio.client.Client:
    """Connect once and make sure that the namespace can be used.

    Raises:
        TemporalUnreachable: with a message that says what to check.
    """
    temporal_client = await dial(temporal, runtime=runtime, interceptors=interceptors)
    try:
        await describe_namespace(temporal_client)
    except temporalio.service.RPCError as error:
        raise TemporalUnreachable(explain(error, temporal)) from error
    return temporal_client


async def dial(
    temporal: settings.TemporalSettings,
    *,
    runtime: temporalio.runtime.Runtime | None = None,
    interceptors: Sequence[temporalio.client.Interceptor] = (),
) -> temporalio.client.Client:
    """Connect once, whatever namespaces there are.

    Raises:
        TemporalUnreachable: with a message that says what to check.
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            return await temporalio.client.Client.connect(
                temporal.address,
                namespace=temporal.namespace,
                api_key=temporal.api_key.reveal() if temporal.api_key else None,
                tls=_tls(temporal),
                interceptors=interceptors,
                runtime=runtime,
                data_converter=payload_codec.data_converter(temporal.payload_keys),
            )
    except settings.SettingsError as error:
        raise TemporalUnreachable("; ".join(error.problems)) from error
    except (RuntimeError, OSError, TimeoutError, ValueError) as error:
        # The SDK reports a server that is not there as a RuntimeError of its core.
        raise TemporalUnreachable(
            f"Temporal at {temporal.address} is not reachable: {_reason(error)}. "
            "Check TEMPORAL_ADDRESS and the TEMPORAL_TLS settings"
        ) from error


def _reason(error: Exception) -> str:
    text = str(error) or f"no answer within {CONNECT_TIMEOUT_SECONDS:g} s"
    for pattern, meaning in _CORE_MEANINGS:
        if (match := pattern.search(text)) is not None:
            return meaning.format(next(filter(None, match.groups()), ""))
    found = _CORE_TEXT.findall(text)
    return outside_text.clean(found[-1] if found else text)


async def describe_namespace(
    temporal_client: temporalio.client.Client,
) -> workflowservice.DescribeNamespaceResponse:
    """Return what Temporal knows about the client's namespace."""
    return await temporal_client.workflow_service.describe_namespace(
        workflowservice.DescribeNamespaceRequest(namespace=temporal_client.namespace),
        timeout=datetime.timedelta(seconds=CONNECT_TIMEOUT_SECONDS),
    )


async def connect_with_retry(
    temporal: settings.TemporalSettings,
    on_problem: Callable[[str], None],
    *,
    runtime: temporalio.runtime.Runtime | None = None,
    interceptors: Sequence[temporalio.client.Interceptor] = (),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> temporalio.client.Client:
    """Connect, however long it takes; `on_problem` is called with each failure.

    A wrong namespace is retried too: it may be created later. If the process exited instead,
    Kubernetes would only restart it with a longer back-off.
    """
    backoff = FIRST_BACKOFF_SECONDS
    while True:
        try:
            return await connect(temporal, runtime=runtime, interceptors=interceptors)
        except TemporalUnreachable as error:
            on_problem(str(error))
        # Jitter, so that all roles of a release do not return to a fresh server at once.
        await sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311
        backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)


async def find_problem(
    temporal_client: temporalio.client.Client, temporal: settings.TemporalSettings
) -> str | None:
    """Return why Temporal cannot run workflows, None if it can.

    Its frontend says that it serves while its database or its other services are away. So this asks
    for an execution, for which the service that runs workflows reads the database each time.
    """
    request = workflowservice.DescribeWorkflowExecutionRequest(
        namespace=temporal_client.namespace,
        execution=common.WorkflowExecution(workflow_id=NEVER_STARTED),
    )
    try:
        await temporal_client.workflow_service.describe_workflow_execution(
            request, timeout=datetime.timedelta(seconds=STORE_TIMEOUT_SECONDS)
        )
    except temporalio.service.RPCError as error:
        match error.status:
            case temporalio.service.RPCStatusCode.NOT_FOUND if not _is_about_namespace(error):
                return None
            case (
                temporalio.service.RPCStatusCode.NOT_FOUND
                | temporalio.service.RPCStatusCode.PERMISSION_DENIED
                | temporalio.service.RPCStatusCode.UNAUTHENTICATED
            ):
                return explain(error, temporal)
        said = outside_text.clean(error.message)
        if await _is_healthy(temporal_client):
            return f"Temporal at {temporal.address} answers, but cannot read its database: {said}"
        return f"Temporal at {temporal.address} does not answer: {said}"
    return None


def is_gone(error: temporalio.service.RPCError) -> bool:
    """Whether Temporal says that what was asked for is not there.

    While a whole namespace is not there, no one knows what is in it.
    """
    is_missing = error.status is temporalio.service.RPCStatusCode.NOT_FOUND
    return is_missing and not _is_about_namespace(error)


def _is_about_namespace(error: temporalio.service.RPCError) -> bool:
    return any(
        detail.Is(errordetails.NamespaceNotFoundFailure.DESCRIPTOR)
        for detail in error.grpc_status.details
    )


async def _is_healthy(temporal_client: temporalio.client.Client) -> bool:
    try:
        return await temporal_client.service_client.check_health(
            timeout=datetime.timedelta(seconds=HEALTH_TIMEOUT_SECONDS)
        )
    except (temporalio.service.RPCError, RuntimeError):
        return False


def renew_api_key(
    temporal_client: temporalio.client.Client, temporal: settings.TemporalSettings
) -> None:
    """Hand a rotated API key to the client."""
    if temporal.api_key is None or temporal.api_key.file is None:
        return
    try:
        key = temporal.api_key.reveal()
    except settings.SettingsError as error:
        logger.warning("Temporal API key cannot be read", extra={"error": str(error)})
        return
    if key != temporal_client.api_key:
        temporal_client.api_key = key
        logger.info("Temporal API key renewed from its file")


def certificate_stamps(temporal: settings.TemporalSettings) -> tuple[files.Stamp, ...]:
    """Return what differs once a mounted certificate, or the key of one, has changed."""
    key = temporal.tls_client_key_data
    mounted = (
        temporal.tls_server_ca_cert_path,
        temporal.tls_client_cert_path,
        temporal.tls_client_key_path,
        key.file if key is not None else None,
    )
    return tuple(files.stamp(path) for path in mounted if path is not None and temporal.tls)


def explain(error: temporalio.service.RPCError, temporal: settings.TemporalSettings) -> str:
    """Return what a refused call means for the person who set up the connection."""
    match error.status:
        case temporalio.service.RPCStatusCode.NOT_FOUND:
            return (
                f"Temporal at {temporal.address} has no namespace {temporal.namespace}: create it "
                f"(temporal operator namespace create -n {temporal.namespace}) or set "
                "TEMPORAL_NAMESPACE"
            )
        case (
            temporalio.service.RPCStatusCode.PERMISSION_DENIED
            | temporalio.service.RPCStatusCode.UNAUTHENTICATED
        ):
            return (
                f"Temporal at {temporal.address} refuses access to namespace {temporal.namespace}: "
                f"{outside_text.clean(error.message)}. Check TEMPORAL_API_KEY or the client "
                "certificate"
            )
    says = outside_text.clean(error.message)
    return f"Temporal at {temporal.address} gives an unexpected answer: {says}"


def _tls(temporal: settings.TemporalSettings) -> temporalio.service.TLSConfig | bool:
    if not temporal.tls:
        # Not None: an API key would then turn TLS on automatically.
        return False
    key = temporal.tls_client_key_data
    return temporalio.service.TLSConfig(
        domain=temporal.tls_server_name,
        server_root_ca_cert=_pem(
            temporal.tls_server_ca_cert_path, temporal.tls_server_ca_cert_data
        ),
        client_cert=_pem(temporal.tls_client_cert_path, temporal.tls_client_cert_data),
        client_private_key=_pem(temporal.tls_client_key_path, key.reveal() if key else None),
    )


def _pem(path: Path | None, data: str | None) -> bytes | None:
    if path is not None:
        return environment.read_mounted(path)
    return data.encode() if data else None
