"""What the runs of a simulated account show: which of them did work, and in which order."""

import itertools
from collections.abc import Iterable
from typing import Any

Run = dict[str, Any]

# A run in one of these states has neither a worker nor an effect.
_AT_REST = frozenset({"QUEUED", "READY", "PENDING_REVIEW", "CANCELED", "SKIPPED"})


def states(run: Run) -> list[str]:
    """Return the states that a run went through, oldest first."""
    return [entry["state"] for entry in run["history"]]


def did_work(run: Run) -> bool:
    """Return whether a worker has ever had the run."""
    return not _AT_REST.issuperset(states(run))


def worked(runs: Iterable[Run]) -> list[Run]:
    """Return the runs that a worker has had, in the order of their starts."""
    return sorted(filter(did_work, runs), key=started_at)


def carried_out(runs: Iterable[Run]) -> list[Run]:
    """Return the runs that changed something, or tried to.

    A native run that the chain does not want may have begun to plan before it could be stopped.
    """
    return [run for run in runs if "APPLYING" in states(run)]


def started_at(run: Run) -> float:
    """Return when a worker took up the run."""
    return float(next(e["at"] for e in run["history"] if e["state"] not in _AT_REST))


def ended_at(run: Run) -> float:
    """Return when the run came to its end."""
    return float(run["history"][-1]["at"])


def most_at_once(runs: Iterable[Run]) -> int:
    """Return how many of the runs that did work overlapped at most."""
    marks = [mark for run in worked(runs) for mark in ((started_at(run), 1), (ended_at(run), -1))]
    return max(itertools.accumulate(step for _, step in sorted(marks)))


def assert_one_after_the_other(runs: Iterable[Run], *stack_ids: str) -> None:
    """Assert that these stacks, and no others, did work once each, each after the one before."""
    found = worked(runs)
    assert [run["stackId"] for run in found] == list(stack_ids), describe(found)
    for before, after in itertools.pairwise(found):
        assert ended_at(before) <= started_at(after), describe((before, after))


def describe(runs: Iterable[Run]) -> str:
    """Return a line per run that says what became of it, for the failure of a test."""
    return "\n".join(
        f"{run['stackId']} {run['type']} of {run['triggeredBy']}: "
        + " ".join(f"{entry['state']}@{entry['at'] % 1000:.2f}" for entry in run["history"])
        for run in runs
    )
