"""What can go wrong at the Kubernetes API, in the terms of those who have to decide.

Own classes, because the client library spreads one cause over its own exceptions, aiohttp's and
asyncio's, and because a 404 means two things: the resource is gone, or no one serves the API.

    KubeError
    +-- ApiUnreachable   no useful answer: network, time-out, 5xx
    |   +-- NotServed    404 that does not name the resource: a missing CRD, a proxy
    +-- Throttled        429; `retry_after_seconds`
    +-- Denied           403, or no credentials at all
    |   +-- Unauthenticated  401
    +-- NotFound         404 that names the resource asked for
    +-- Conflict         409: someone wrote in between, or the object exists
    +-- Expired          410: a paged list took too long
    +-- Invalid          400, 422 and other refusals: the same request will fail again
"""

ANSWER_LIMIT = 2048


class KubeError(Exception):
    """A request to the Kubernetes API failed."""

    answer: str = ""
    """What the API server said, for people; its own message is for logs and is cut short."""


class ApiUnreachable(KubeError):
    """No useful answer came; the same request may succeed later."""


class NotServed(ApiUnreachable):
    """Nothing serves the path."""


class Throttled(KubeError):
    """The API server asks for a pause."""

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Denied(KubeError):
    """The credentials or their rights do not suffice."""


class Unauthenticated(Denied):
    """The API server does not know the credentials; renewed ones may do."""


class ObjectNotFound(KubeError):
    """The API server says that this very resource does not exist."""


class Conflict(KubeError):
    """The object has changed since it was read, or exists already."""


class Expired(KubeError):
    """The continue token of a paged list is too old; start again."""


class Invalid(KubeError):
    """The API server refuses the content; repeating the request does not help."""


def text_of(error: BaseException) -> str:
    """Return what an error says; its name if it says nothing, as with a time-out."""
    return str(error) or type(error).__name__
