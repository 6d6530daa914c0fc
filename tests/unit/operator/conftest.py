"""One operator with everything around it in memory."""

import pytest

from tests.unit.operator import fakes


@pytest.fixture
def bench() -> fakes.Bench:
    return fakes.Bench()
