"""What is kept in Temporal is encrypted, and read by the key that each payload names."""

from pathlib import Path

import pytest
import temporalio.converter
import temporalio.exceptions
from temporalio.api.failure.v1 import Failure

from controller.config import settings
from controller.temporal import payload_codec

FIRST, SECOND = "first-" + "a" * 32, "second-" + "b" * 32
VALUE = {"PASSWORD": "hunter2"}


def converter(*keys: str) -> temporalio.converter.DataConverter:
    return payload_codec.data_converter(settings.Secret(value=" ".join(keys)))


async def test_a_value_comes_back_and_cannot_be_read_between() -> None:
    sent = await converter(FIRST).encode([VALUE, VALUE])

    assert await converter(FIRST).decode(sent) == [VALUE, VALUE]
    assert b"hunter2" not in b"".join(payload.SerializeToString() for payload in sent)
    assert sent[0].data != sent[1].data
    assert sent[0].metadata["encoding"] == b"binary/encrypted"


async def test_earlier_keys_still_read_and_a_new_one_writes() -> None:
    old = await converter(FIRST).encode([VALUE])
    new = await converter(SECOND, FIRST).encode([VALUE])

    assert await converter(SECOND, FIRST).decode(old) == [VALUE]
    assert await converter(SECOND).decode(new) == [VALUE]


async def test_what_was_written_in_plain_text_is_still_read() -> None:
    plain = await payload_codec.data_converter(None).encode([VALUE])

    assert await converter(FIRST).decode(plain) == [VALUE]


async def test_a_key_that_is_not_here_is_named() -> None:
    sent = await converter(FIRST).encode([VALUE])
    key_id = sent[0].metadata["encryption-key-id"].decode()

    with pytest.raises(payload_codec.PayloadNotDecrypted, match=key_id) as caught:
        await converter(SECOND).decode(sent)

    assert "TEMPORAL_PAYLOAD_KEYS" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 40])
async def test_a_payload_that_was_changed_is_refused(data: bytes) -> None:
    (sent,) = await converter(FIRST).encode([VALUE])
    sent.data = data

    with pytest.raises(payload_codec.PayloadNotDecrypted, match="was changed"):
        await converter(FIRST).decode([sent])


async def test_messages_and_traces_of_failures_are_encrypted_too() -> None:
    failure = Failure()
    try:
        raise temporalio.exceptions.ApplicationError("hunter2 was refused", "hunter2")
    except temporalio.exceptions.ApplicationError as error:
        await converter(FIRST).encode_failure(error, failure)

    assert b"hunter2" not in failure.SerializeToString()
    assert "hunter2" in str(await converter(FIRST).decode_failure(failure))


async def test_keys_are_read_again_as_their_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(FIRST)
    mounted = payload_codec.data_converter(settings.Secret(file=file))
    await mounted.encode([VALUE])

    file.write_text(f"{SECOND}\n{FIRST}")
    sent = await mounted.encode([VALUE])

    assert await converter(SECOND).decode(sent) == [VALUE]
