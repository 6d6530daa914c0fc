"""What an answer may become when it is unpacked; httpx itself has no limit."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from controller.spacelift import answer_sizes, errors
from controller.spacelift.models import RunKey

LIMIT = answer_sizes.LONGEST_ANSWER_BYTES
KEY = RunKey(stack_id="vpc", run_id="01RUN1")


class Stream(httpx.AsyncByteStream):
    """A body that comes in pieces, as from the network."""

    def __init__(self, body: bytes, size: int = 65_536) -> None:
        self._pieces = [body[start : start + size] for start in range(0, len(body), size)]
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.taken += 1
            yield piece


def answer(size: int) -> bytes:
    body = json.dumps({"data": {"viewer": {"id": "me"}, "stack": None, "filler": ""}}).encode()
    return body.replace(b'""', b'"' + b"x" * (size - len(body)) + b'"')


def response(body: bytes, encoding: str | None = None, size: int = 65_536) -> httpx.Response:
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    return httpx.Response(200, headers=headers, stream=Stream(body, size))


@pytest.mark.parametrize("size", [200, LIMIT])
@pytest.mark.parametrize(
    ("pack", "encoding"),
    [
        pytest.param(bytes, None, id="plain"),
        pytest.param(bytes, "identity", id="identity"),
        pytest.param(gzip.compress, "gzip", id="gzip"),
        pytest.param(zlib.compress, "GZIP", id="zlib"),
    ],
)
@pytest.mark.parametrize("piece", [1_000, 65_536])
async def test_an_answer_up_to_the_limit_is_read(
    account: Any, spacelift: Any, size: int, pack: Any, encoding: str | None, piece: int
) -> None:
    account.script = [response(pack(answer(size)), encoding, piece)]

    assert await spacelift.get_run(KEY) is None


@pytest.mark.parametrize(
    ("pack", "encoding"), [(bytes, None), (gzip.compress, "gzip")], ids=["plain", "gzip"]
)
async def test_a_larger_answer_is_an_error_that_says_so(
    account: Any, spacelift: Any, pack: Any, encoding: str | None
) -> None:
    account.script = [response(pack(answer(LIMIT + 1)), encoding)]

    with pytest.raises(errors.AmbiguousOutcome, match="larger than 8 MiB"):
        await spacelift.get_run(KEY)


async def test_a_small_body_that_unpacks_to_much_takes_no_memory(
    account: Any, spacelift: Any
) -> None:
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(b" " * LIMIT) for _ in range(25)) + packer.flush()
    assert len(packed) < 250_000
    account.script = [response(packed, "gzip")]
    tracemalloc.start()

    with pytest.raises(errors.AmbiguousOutcome, match="larger than 8 MiB"):
        await spacelift.get_run(KEY)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * LIMIT


async def test_the_answer_to_a_token_exchange_is_bounded_too(account: Any, spacelift: Any) -> None:
    account.exchange = response(gzip.compress(b" " * (LIMIT + 1)), "gzip")

    with pytest.raises(errors.Unreachable, match="larger than 8 MiB"):
        await spacelift.get_run(KEY)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
async def test_an_encoding_that_was_not_asked_for_is_not_unpacked(
    account: Any, spacelift: Any, encoding: str
) -> None:
    account.script = [response(b"x", encoding)]

    with pytest.raises(errors.AmbiguousOutcome, match="unknown content encoding"):
        await spacelift.get_run(KEY)

    assert account.requests[-1].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "body", [b"not packed", gzip.compress(answer(500))[:60]], ids=["not packed", "half"]
)
async def test_what_cannot_be_unpacked_says_nothing(
    account: Any, spacelift: Any, body: bytes
) -> None:
    account.script = [response(body, "gzip")]

    with pytest.raises(errors.AmbiguousOutcome):
        await spacelift.get_run(KEY)


async def test_an_answer_that_is_nested_without_end_says_nothing(
    account: Any, spacelift: Any
) -> None:
    account.script = [response(b"[" * 1_000_000)]

    with pytest.raises(errors.AmbiguousOutcome, match="not a GraphQL answer"):
        await spacelift.get_run(KEY)
