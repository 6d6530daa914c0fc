"""How the stand-in refuses: loudly what the product does not use, the rest as the server does."""

from google.protobuf.message import Message
from temporalio.api.common.v1 import GrpcStatus
from temporalio.service import RPCError, RPCStatusCode

GONE = object()
"""The answer of a server that is not there."""


class NotSimulated(Exception):
    """The stand-in has no such behavior; if a test needs it, add it with a row of fidelity."""


def only(message: Message, *known: str) -> None:
    """Refuse a message with a field that would be ignored.

    Raises:
        NotSimulated: naming the fields.
    """
    unknown = [field.name for field, _ in message.ListFields() if field.name not in known]
    if unknown:
        raise NotSimulated(f"{type(message).__name__} with {', '.join(unknown)}")


def rpc_error(status: RPCStatusCode, message: str) -> RPCError:
    """Return what a client raises for an answer of the server."""
    raw = GrpcStatus(code=int(status), message=message).SerializeToString()
    return RPCError(message, status, raw)


def not_found(message: str) -> RPCError:
    """Return the error for what is not there."""
    return rpc_error(RPCStatusCode.NOT_FOUND, message)
