"""What a response of Spacelift means, or that there is none.

Spacelift reports failures of an operation with HTTP 200 and an `errors` list. One message is a
contract, `unauthorized`, and it means two things: the token is not accepted, or it is accepted but
does not allow this. Everything here distinguishes what was certainly not committed from what may
have been.
"""

import contextlib
import dataclasses
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import httpx

from controller import outside_text, times
from controller.spacelift import answer_sizes, errors, unreachable

Json = Mapping[str, Any]

# Raised before the first byte of a request leaves; anything else that httpx raises may come later.
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
_DAY_SECONDS = 86_400
_LOOK_FIRST = "it may have been carried out; check Spacelift before repeating it"
_SERVER_FAULT = re.compile(
    r"(?i)\binternal\b|panic|time(d )?[ -]?out|deadline|context cancell?ed|unavailable|try again"
)
_REQUEST_IS_WRONG = (
    httpx.codes.BAD_REQUEST,
    httpx.codes.REQUEST_ENTITY_TOO_LARGE,
    httpx.codes.UNPROCESSABLE_ENTITY,
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FieldError:
    """One entry of the `errors` list."""

    message: str
    path: tuple[str | int, ...] = ()

    @property
    def is_unauthorized(self) -> bool:
        """Whether this is the one message that Spacelift's own clients match on."""
        return "unauthorized" in self.message.lower()

    @property
    def is_not_found(self) -> bool:
        """Whether a stack or run is missing. A missing commit is not meant: that is a refusal."""
        text = self.message.strip().lower()
        return text == "not found" or bool(re.match(r"(stack|run)\b.*not found", text))

    @property
    def is_server_fault(self) -> bool:
        """Whether Spacelift failed rather than refused.

        Its texts are not a contract, so this is wide. If a refusal is taken for a failure, it costs
        a few more tries; the reverse fails what would pass.
        """
        return _SERVER_FAULT.search(self.message) is not None

    @property
    def is_absence(self) -> bool:
        """Whether one of many objects cannot be had: at path `aN`, or below it at `run`.

        A failure further down would pass an object off as missing that is there.
        """
        is_object = 1 <= len(self.path) <= len(("aN", "run"))
        return is_object and (self.is_unauthorized or self.is_not_found)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A readable answer: what it holds and which fields failed."""

    data: Mapping[str, Any]
    errors: tuple[FieldError, ...] = ()
    is_unauthenticated: bool = False

    @property
    def has_viewer(self) -> bool:
        """Whether the answer itself proves that the token is accepted."""
        return self.data.get("viewer") is not None

    @property
    def is_anonymous(self) -> bool:
        """Whether the answer itself proves that the token is not accepted."""
        return "viewer" in self.data and self.data["viewer"] is None

    @property
    def is_denied(self) -> bool:
        """Whether the operation as a whole was denied, so that it was certainly not carried out.

        An `unauthorized` below the first level comes from a selected field, after the operation
        itself was done, and does not mean that.
        """
        if self.is_unauthenticated:
            return True
        is_empty = all(value is None for value in self.data.values())
        return is_empty and any(e.is_unauthorized and len(e.path) <= 1 for e in self.errors)

    @property
    def needs_new_token(self) -> bool:
        """Whether a fresh token may help, and sending the request again cannot do a thing twice."""
        return self.is_anonymous or self.is_denied


def read_answer(
    response: httpx.Response, *, what: str, now: float, hide: Collection[str] = ()
) -> Answer:
    """Return what a response says, without the secrets in `hide` wherever its words are quoted.

    Raises:
        RateLimited: On HTTP 429.
        AmbiguousOutcome: On HTTP 5xx and 408, and on anything that is not a GraphQL answer.
        SpaceliftRefused: On HTTP 400, 413 and 422: the request itself is wrong.
        Unreachable: On redirects and any other 4xx. Spacelift answers in GraphQL, so these come
            from something in front of it, and often pass.
    """
    status = response.status_code
    if status == httpx.codes.UNAUTHORIZED:
        return Answer(data={}, is_unauthenticated=True)
    if response.is_success:
        return _decode(response, what=what, hide=hide)
    says = f"{what}: HTTP {status}, {outside_text.clean(response.text, hide=hide) or 'no body'}"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        delay = times.retry_after_seconds(response.headers.get("Retry-After"), now=now)
        message = (
            f"{what}: too many requests (HTTP 429){_asked_pause(delay)}; lower the parallelism "
            "if this continues"
        )
        raise errors.RateLimited(message, retry_after_seconds=delay)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        raise errors.AmbiguousOutcome(f"{says}; {_LOOK_FIRST}")
    if status in _REQUEST_IS_WRONG:
        message = f"{says}; nothing was changed"
        raise errors.SpaceliftRefused(message)
    message = (
        f"{says}; check the connection's endpoint, and the proxies and allow lists in front of it"
    )
    raise errors.Unreachable(message)


def check_fields(answer: Answer, *, what: str) -> None:
    """Raise what the first failed field means; the caller has dealt with rejected tokens.

    Raises:
        PermissionDenied: If the API key may not do this.
        SpaceliftObjectNotFound: If the stack or run is missing or invisible.
        AmbiguousOutcome: If Spacelift failed at it, so that no one knows how far it got.
        SpaceliftRefused: On any other message.
    """
    for error in answer.errors:
        says = f"{what}: Spacelift says {outside_text.clean(error.message)!r}"
        if error.is_unauthorized:
            raise permission_denied(what)
        if error.is_not_found:
            message = f"{says}; check that it exists and that the API key's spaces include it"
            raise errors.SpaceliftObjectNotFound(message)
        if error.is_server_fault:
            raise errors.AmbiguousOutcome(f"{says}; {_LOOK_FIRST}")
        message = f"{says}; nothing was changed"
        raise errors.SpaceliftRefused(message)


def check_many_fields(answer: Answer, *, what: str) -> None:
    """Do as `check_fields`, but let single objects be denied or missing: their field is null."""
    failures = tuple(error for error in answer.errors if not error.is_absence)
    check_fields(dataclasses.replace(answer, errors=failures), what=what)


def check_fields_apart(answer: Answer, *, what: str) -> dict[str, Json | errors.SpaceliftError]:
    """Return what each field of a mutation of many answered with, or what its error means.

    Raises:
        SpaceliftError: Whatever `check_fields` makes of an error that belongs to no field.
    """
    found: dict[str, Json | errors.SpaceliftError] = {
        name: body for name, body in answer.data.items() if body is not None
    }
    for error in answer.errors:
        alone = dataclasses.replace(answer, errors=(error,))
        if not error.path:
            check_fields(alone, what=what)
        elif len(error.path) == 1:
            try:
                check_fields(alone, what=what)
            except errors.SpaceliftError as meaning:
                found[str(error.path[0])] = meaning
    return found


def check_mutation(answer: Answer, *, what: str) -> Mapping[str, Any]:
    """Return the object that a mutation answered with; each mutation has the one field `run`.

    Raises:
        AmbiguousOutcome: If a field below the mutation failed, since the mutation itself was then
            done.
        SpaceliftError: Whatever `check_fields` makes of an error of the mutation itself.
    """
    run: Mapping[str, Any] | None = answer.data.get("run")
    if run is not None:
        return run
    if not any(len(error.path) > 1 for error in answer.errors):
        check_fields(answer, what=what)
    detail = outside_text.clean("; ".join(error.message for error in answer.errors)) or "no run"
    message = f"{what}: the answer has no run ({detail}); check Spacelift before repeating it"
    raise errors.AmbiguousOutcome(message)


def permission_denied(what: str) -> errors.PermissionDenied:
    """Return the error for `unauthorized` from a token that is known to be good."""
    return errors.PermissionDenied(
        f"{what}: the API key is valid but not allowed; give it a role in the stack's space"
    )


def credentials_rejected(what: str) -> errors.CredentialsRejected:
    """Return the error for a token that is not accepted although it is fresh."""
    return errors.CredentialsRejected(
        f"{what}: the API key is not accepted; check the connection's key id and secret"
    )


@contextlib.contextmanager
def transport_errors(what: str, *, url: httpx.URL) -> Iterator[None]:
    """Map httpx's errors to ours by whether anything can have been sent."""
    host = url.host
    try:
        yield
    except _NOTHING_SENT as error:
        do = unreachable.advice(error, url)
        message = f"{what}: cannot reach {host} ({_cause(error)}); {do}"
        raise errors.Unreachable(message) from error
    except answer_sizes.AnswerTooLarge as error:
        message = (
            f"{what}: the answer of {host} was not read to its end, since {error}; {_LOOK_FIRST}"
        )
        raise errors.AmbiguousOutcome(message, is_foreign=True) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        message = f"{what}: no answer from {host} ({_cause(error)}); {_LOOK_FIRST}"
        raise errors.AmbiguousOutcome(message) from error


@contextlib.contextmanager
def readable(what: str) -> Iterator[None]:
    """Report an answer of an unexpected shape as one that says nothing."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        message = f"{what}: the answer has an unexpected shape ({_cause(error)}); check Spacelift"
        raise errors.AmbiguousOutcome(message) from error


def _asked_pause(seconds: float | None) -> str:
    if seconds is None or seconds <= 1:
        return ""
    asked = "more than a day" if seconds > _DAY_SECONDS else f"{math.ceil(seconds)} s"
    longest = times.LONGEST_PAUSE_SECONDS
    again = f" and is retried after {longest:.0f} s" if seconds > longest else ""
    return f", Spacelift asks to wait {asked}{again}"


def _decode(response: httpx.Response, *, what: str, hide: Collection[str]) -> Answer:
    try:
        body = json.loads(response.content)
        data = body.get("data")
        entries = body.get("errors") or []
        failed = tuple(
            FieldError(
                message=outside_text.without(str(entry["message"]), hide),
                path=tuple(entry.get("path") or ()),
            )
            for entry in entries
        )
        if not (isinstance(data, dict) or (data is None and failed)):
            message = "neither data nor errors"
            raise TypeError(message)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        text = outside_text.clean(response.text, hide=hide) or "no body"
        message = f"{what}: not a GraphQL answer: {text}"
        # Half of an answer starts like a whole one.
        is_cut = isinstance(error, json.JSONDecodeError) and text.startswith("{")
        raise errors.AmbiguousOutcome(message, is_foreign=not is_cut) from error
    return Answer(data=data or {}, errors=failed)


def _cause(error: Exception) -> str:
    return outside_text.clean(
        f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    )
