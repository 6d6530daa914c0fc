"""What the other tests wait with has to fail with a text that helps."""

import pytest

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
