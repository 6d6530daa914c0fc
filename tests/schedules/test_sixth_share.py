"""A share of the seeds, in a separate file since one worker plays all of a file."""

import pytest

from tests.schedules import seeds


@pytest.mark.parametrize("batch", seeds.share(5), ids=str)
def test_no_schedule_violates_anything(batch: range) -> None:
    seeds.check(batch)
