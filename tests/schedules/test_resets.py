"""Seeds with resets of workflows, in a separate file since one worker plays all of a file."""

import pytest

from tests.schedules import seeds


@pytest.mark.parametrize("batch", seeds.RESETS, ids=str)
def test_no_schedule_with_resets_violates_anything(batch: range) -> None:
    seeds.check(batch)
