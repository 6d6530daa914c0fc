"""Bounds what an answer becomes when it is unpacked: 200 KiB of gzip can be 200 MiB of JSON."""

import zlib
from collections.abc import AsyncIterator

import httpx

LONGEST_ANSWER_BYTES = 8 * 1024 * 1024
"""Ten times what the longest page of stacks takes, with all labels and dependencies."""

ACCEPTED_ENCODING = "gzip"
"""The encoding that is requested, and the only one that is unpacked."""

# Takes both gzip and zlib, by their heads.
_ANY_HEAD = 32 + zlib.MAX_WBITS


class AnswerTooLarge(httpx.StreamError):
    """An answer that was not read to its end."""

    def __init__(self) -> None:
        size = LONGEST_ANSWER_BYTES // (1024 * 1024)
        super().__init__(f"it is larger than {size} MiB")


async def bound(response: httpx.Response) -> None:
    """Have the body of a response unpacked within bounds; a hook of httpx's client."""
    encoding = response.headers.pop("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", ACCEPTED_ENCODING):
        raise httpx.DecodingError(f"unknown content encoding {encoding[:32]!r}")
    if isinstance(response.stream, httpx.AsyncByteStream):
        response.stream = _Bounded(response.stream, is_packed=encoding == ACCEPTED_ENCODING)


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, *, is_packed: bool) -> None:
        self._stream = stream
        self._unpacker = zlib.decompressobj(_ANY_HEAD) if is_packed else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = LONGEST_ANSWER_BYTES
        async for chunk in self._stream:
            plain = self._plain(chunk, limit=left + 1)
            left -= len(plain)
            if left < 0:
                raise AnswerTooLarge
            yield plain

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _plain(self, chunk: bytes, *, limit: int) -> bytes:
        if self._unpacker is None:
            return chunk
        try:
            return self._unpacker.decompress(chunk, limit)
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from error
