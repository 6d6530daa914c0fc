"""The helpers with which other tests wait have to fail with a message that helps."""

import httpx
import pytest
import temporalio.service

from tests.support.waiting import eventually


async def test_the_value_that_was_waited_for_is_returned() -> None:
    values = iter([None, "", "ready"])

    assert await eventually(lambda: next(values)) == "ready"


async def test_an_assertion_counts_as_not_yet() -> None:
    values = iter([1, 2, 3])

    def is_three() -> bool:
        assert next(values) == 3
        return True

    assert await eventually(is_three)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout(""),
        temporalio.service.RPCError(
            "late", temporalio.service.RPCStatusCode.DEADLINE_EXCEEDED, b""
        ),
    ],
    ids=["nobody listens", "it is late", "Temporal is late"],
)
async def test_an_answer_that_does_not_come_counts_as_not_yet(error: Exception) -> None:
    """A process that starts does not listen yet, and a busy machine answers late."""
    tries = iter([error, error, None])

    def answers() -> bool:
        if (found := next(tries)) is not None:
            raise found
        return True

    assert await eventually(answers)


async def test_an_answer_that_never_comes_is_told_of() -> None:
    def answers() -> bool:
        raise httpx.ConnectError("nobody is there")

    with pytest.raises(AssertionError, match="ConnectError: nobody is there"):
        await eventually(answers, 0)


async def test_what_temporal_refuses_ends_the_wait() -> None:
    def broken() -> bool:
        raise temporalio.service.RPCError(
            "no such workflow", temporalio.service.RPCStatusCode.NOT_FOUND, b""
        )

    with pytest.raises(temporalio.service.RPCError):
        await eventually(broken)


async def test_the_failure_names_the_condition_and_what_it_last_saw() -> None:
    async def phase() -> str:
        return ""

    with pytest.raises(AssertionError, match=r"still not: .*phase\nlast value: ''"):
        await eventually(phase, 0)


async def test_other_errors_end_the_wait() -> None:
    def broken() -> bool:
        raise KeyError("status")

    with pytest.raises(KeyError):
        await eventually(broken)
