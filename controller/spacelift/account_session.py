"""Sends GraphQL documents to one account, below both of its clients.

It builds the request, puts the token on it (`tokens`), has the answer read (`answers`), finds out
what `unauthorized` meant, and reports each operation to its observer.
"""

import contextlib
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import NoReturn

import httpx

from controller import clock
from controller.spacelift import answer_sizes, answers, documents, endpoints, errors, models, tokens
from controller.spacelift.models import RunRecord

Observer = Callable[[str, str, float], None]
"""Called after each operation with its name, `ok` or an error's `outcome`, and its seconds."""

_CLIENT_TYPE = "stackchain"
_RUN_METADATA_HEADER = "Spacelift-User-Provided-Run-Metadata"
_LONGEST_HEADER_VALUE = 512

_CONNECT_TIMEOUT_SECONDS = 10.0

# Idle connections are kept longer than a poller's tick, so that polling does not open one each
# time, and given up before the load balancers in between do so.
_LIMITS = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=30.0)


class AccountSession:
    """Holds the connections and the token of one account; its failures are all of `errors`."""

    def __init__(
        self,
        *,
        endpoint: str,
        read_api_key: tokens.ReadApiKey,
        transport: httpx.AsyncBaseTransport | None = None,
        new_http: Callable[..., httpx.AsyncClient] = httpx.AsyncClient,
        request_timeout_seconds: float = 30,
        ca_file: str | None = None,
        clock: Callable[[], float] = clock.unix,
        observer: Observer | None = None,
        before_request: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Prepare the session; nothing is sent and no API key is read before the first call.

        Args:
            endpoint: The account's base URL, with or without `/graphql`.
            read_api_key: Returns the API key; called at each token exchange.
            transport: Sends the requests; a test hands in its own.
            new_http: Makes what uses the transport.
            request_timeout_seconds: How long to wait for each part of an answer.
            ca_file: A PEM file of the only certificate authorities to trust; default: the usual
                ones.
            clock: Wall time in seconds.
            observer: Called after each operation, for metrics.
            before_request: Called before each request, of whatever kind; keeps it from being sent
                by raising a SpaceliftError that says so.
        """
        self._url = endpoints.graphql_url(endpoint)
        self._read_api_key = read_api_key
        self._clock = clock
        self._observer = observer
        self._http = new_http(
            transport=transport,
            verify=True if ca_file is None else ssl.create_default_context(cafile=ca_file),
            headers={"Accept-Encoding": answer_sizes.ACCEPTED_ENCODING},
            event_hooks={
                "request": [] if before_request is None else [_calling(before_request)],
                "response": [answer_sizes.bound],
            },
            limits=_LIMITS,
            timeout=httpx.Timeout(
                request_timeout_seconds,
                connect=min(_CONNECT_TIMEOUT_SECONDS, request_timeout_seconds),
            ),
        )
        self._tokens = tokens.TokenCache(exchange=self._exchange_token, clock=clock)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._tokens.aclose()
        await self._http.aclose()

    async def query(
        self,
        document: documents.Document,
        variables: documents.Variables,
        *,
        what: str,
        check: Callable[..., None] = answers.check_fields,
    ) -> answers.Answer:
        """Return a query's answer, checked by `check`.

        Raises:
            SpaceliftError: One of its kinds; see `errors`.
        """
        with self._observed(document.name):
            answer = await self._send(document, variables, what=what)
            if answer.is_anonymous:
                raise answers.credentials_rejected(what)
            if answer.is_denied:
                await self._raise_denied(what)
            check(answer, what=what)
            return answer

    async def mutate(
        self,
        document: documents.Document,
        variables: Mapping[str, object],
        *,
        what: str,
        run_metadata: str | None = None,
    ) -> RunRecord:
        """Return the run that a mutation of one run answered with.

        Raises:
            SpaceliftError: One of its kinds; only after `AmbiguousOutcome` is it unknown whether it
                was done.
        """
        with self._observed(document.name):
            answer = await self._send(document, variables, what=what, run_metadata=run_metadata)
            if answer.is_denied:
                await self._raise_denied(what)
            body = answers.check_mutation(answer, what=what)
            with answers.readable(what):
                return models.read_run(body, stack_id=str(variables["stack"]))

    async def mutate_many(
        self, document: documents.Document, variables: documents.Variables, *, what: str
    ) -> Mapping[str, answers.Json | errors.SpaceliftError]:
        """Return what became of each field of a mutation; of a missing one nothing is known.

        Raises:
            SpaceliftError: the whole document failed; a failed field affects only itself.
        """
        with self._observed(document.name):
            answer = await self._send(document, variables, what=what)
            if answer.is_unauthenticated:
                await self._raise_denied(what)
            found = answers.check_fields_apart(answer, what=what)
            if any(isinstance(one, errors.PermissionDenied) for one in found.values()):
                # A token that has gone bad says the same of each run.
                with contextlib.suppress(errors.PermissionDenied):
                    await self._raise_denied(what)
            return found

    async def change(
        self,
        document: documents.Document,
        variables: documents.Variables,
        *,
        what: str,
        hide: Collection[str] = (),
    ) -> answers.Answer:
        """Return the answer of a mutation of something else than a run, if it was carried out.

        Args:
            document: The mutation.
            variables: Its variables.
            what: What is done, for messages.
            hide: Secrets among the variables, which an answer may repeat.

        Raises:
            SpaceliftError: One of its kinds; only after `AmbiguousOutcome` is it unknown whether it
                was done.
        """
        with self._observed(document.name):
            answer = await self._send(document, variables, what=what, hide=hide)
            if answer.is_denied:
                await self._raise_denied(what)
            answers.check_fields(answer, what=what)
            return answer

    async def _send(
        self,
        document: documents.Document,
        variables: documents.Variables,
        *,
        what: str,
        run_metadata: str | None = None,
        renews_token: bool = True,
        hide: Collection[str] = (),
    ) -> answers.Answer:
        request = _prepare_request(
            self._http, self._url, document, variables, run_metadata=run_metadata
        )
        if self._http.is_closed:
            raise errors.Unreachable(f"{what}: the connection has another endpoint now, or is gone")
        with answers.transport_errors(what, url=request.url):
            response = await self._http.send(
                request, auth=tokens.TokenAuth(self._tokens, renews=renews_token)
            )
        return answers.read_answer(response, what=what, now=self._clock(), hide=hide)

    async def _raise_denied(self, what: str) -> NoReturn:
        """Find out what `unauthorized` meant, with the present token, since it is fresh."""
        try:
            answer = await self._send(documents.GET_VIEWER, {}, what=what, renews_token=False)
        except errors.AmbiguousOutcome as error:
            # Only the question for the viewer is ambiguous; what was denied was not carried out.
            message = f"{what}: unauthorized, nothing was changed; asking why failed: {error}"
            raise errors.Unreachable(message) from error
        if answer.has_viewer:
            raise answers.permission_denied(what)
        raise answers.credentials_rejected(what)

    async def _exchange_token(self) -> tokens.Token:
        with self._observed(documents.EXCHANGE_TOKEN.name):
            return await tokens.exchange_token(
                self._http, self._url, self._read_api_key, clock=self._clock
            )

    @contextlib.contextmanager
    def _observed(self, operation: str) -> Iterator[None]:
        started_at = self._clock()
        outcome = "aborted"
        try:
            yield
            outcome = "ok"
        except errors.SpaceliftError as error:
            outcome = error.outcome
            raise
        finally:
            if self._observer is not None:
                self._observer(operation, outcome, max(0.0, self._clock() - started_at))


def _calling(
    before_request: Callable[[], Awaitable[None]],
) -> Callable[[httpx.Request], Awaitable[None]]:
    async def call(_: httpx.Request) -> None:
        await before_request()

    return call


def _prepare_request(
    http: httpx.AsyncClient,
    url: str,
    document: documents.Document,
    variables: documents.Variables,
    *,
    run_metadata: str | None = None,
) -> httpx.Request:
    """Build the request for one operation, without the token."""
    headers = {
        "Spacelift-Client-Type": _CLIENT_TYPE,
        f"Spacelift-GraphQL-{document.kind}": document.name,
    }
    if run_metadata is not None:
        headers[_RUN_METADATA_HEADER] = _header_value(run_metadata)
    body = {"query": document.text, "variables": variables}
    return http.build_request("POST", url, headers=headers, json=body)


def _header_value(text: str) -> str:
    """Return text as a legal header value: printable ASCII, no outer spaces, bounded."""
    legal = "".join(character if " " <= character <= "~" else "-" for character in text)
    return legal[:_LONGEST_HEADER_VALUE].strip()
