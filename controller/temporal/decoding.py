"""Reads what Temporal holds: a namespace may be shared, and workers may be of another version.

Undecodable data never makes a process fail: the reader gets `Unreadable`. See ADR 0026.
"""

import contextlib
from collections.abc import Iterator
from typing import TypeVar

import temporalio.client
import temporalio.exceptions
from temporalio.api.common.v1 import Memo

from controller import outside_text
from controller.temporal import client as temporal_client
from controller.temporal import ids, messages

_Wanted = TypeVar("_Wanted")


class Unreadable(Exception):
    """Temporal holds something that this version did not write, or cannot read."""

    def __init__(self, message: str) -> None:
        # Ids of others' workflows are in it.
        super().__init__(outside_text.clean(message, most=512))


@contextlib.contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn whatever a converter raises into `Unreadable`; failures of Temporal pass.

    Converters raise what the data makes them raise: KeyError for an unknown encoding, TypeError,
    ValueError, OverflowError, RecursionError, and what a codec does.
    """
    try:
        yield
    except (
        Unreadable,
        temporalio.exceptions.TemporalError,
        temporal_client.TemporalUnreachable,
        TimeoutError,
    ):
        raise
    except Exception as error:
        raise Unreadable(f"{what} cannot be read: {_reason(error)}") from error


def checked(value: object, wanted: type[_Wanted], what: str) -> _Wanted:
    """Return a value that was decoded; an answer without a payload decodes to None.

    Raises:
        Unreadable: it is something else.
    """
    if not isinstance(value, wanted):
        raise Unreadable(f"{what} cannot be read: it is not a {wanted.__name__}")
    return value


async def memo_of(
    client: temporalio.client.Client, memo: Memo, wanted: type[_Wanted], what: str
) -> _Wanted:
    """Return the value that this program keeps in the memo of what it makes.

    Raises:
        Unreadable: there is none, or another one.
    """
    payload = memo.fields.get(ids.MEMO)
    if payload is None:
        raise Unreadable(f"{what} has no memo of this program")
    with readable(f"The memo of {what}"):
        values = await client.data_converter.decode([payload], [wanted])
    return checked(values[0], wanted, f"The memo of {what}")


async def chain_memo(
    client: temporalio.client.Client, memo: Memo, workflow_id: str
) -> messages.ChainMemo:
    """Return whose execution it is.

    Raises:
        Unreadable: this program did not start it.
    """
    return await memo_of(client, memo, messages.ChainMemo, f"the workflow {workflow_id}")


def _reason(error: Exception) -> str:
    # Of nested errors the innermost one names the field.
    inner: BaseException = error
    while inner.__cause__ is not None:
        inner = inner.__cause__
    text = f"{type(inner).__name__}: {inner}"
    return outside_text.clean(text)
