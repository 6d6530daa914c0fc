"""The seeds that `make test` plays: a share for each worker, in batches that take seconds."""

import pytest

from tests.simulation.world import batches

COUNT = 2000
_SHARES = 4
OPEN: frozenset[int] = frozenset()
"""Seeds that violate something that is not mended yet, and are left out until it is."""


def share(number: int) -> list[range]:
    """Return a share of the seeds, in batches."""
    size = COUNT // _SHARES
    return batches.split(range(number * size, (number + 1) * size))


def check(seeds: range) -> None:
    """Play some seeds, and fail with the smallest schedule of each that violates something."""
    found = batches.play([seed for seed in seeds if seed not in OPEN]).found
    if found:
        pytest.fail("\n\n".join(one.describe() for one in found), pytrace=False)
