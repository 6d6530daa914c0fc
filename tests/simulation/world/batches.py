"""Plays many schedules in one process, or in several that share them.

What a world leaves is a web that refers to itself. Taking it apart costs a tenth of what the world
cost, so it is left as it is until a batch is done; a process of `in_processes` ends then.
"""

import contextlib
import dataclasses
import gc
import multiprocessing
import time
from collections.abc import Iterable, Iterator

from tests.simulation.world import finding, making_plans, playing

_AT_ONCE = 20


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """A batch: what it has found, and the processor time that it took."""

    found: tuple[finding.Found, ...]
    seconds: float


def play(seeds: Iterable[int]) -> Played:
    """Play the plans of some seeds; a few dozen at most, or memory runs short."""
    began = time.process_time()
    with _uncollected():
        found = tuple(one for seed in seeds if (one := finding.find(seed)) is not None)
    return Played(found=found, seconds=time.process_time() - began)


def split(seeds: range) -> list[range]:
    """Return seeds in batches."""
    return [seeds[at : at + _AT_ONCE] for at in range(0, len(seeds), _AT_ONCE)]


def in_processes(seeds: range, processes: int) -> Iterator[Played]:
    """Play the plans of any number of seeds, each batch in a separate process."""
    # What is made at the first use, such as readers of payloads, is made once for all of them.
    playing.play(making_plans.make(seeds.start))
    gc.collect()
    gc.freeze()
    try:
        with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
            yield from pool.imap(play, split(seeds), chunksize=1)
    finally:
        gc.unfreeze()


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_collecting:
            gc.enable()
