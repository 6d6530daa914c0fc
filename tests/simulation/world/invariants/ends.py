"""All ends, and nothing is left of it."""

from collections.abc import Iterator

from tests.simulation.world.records import Record


def all_ends(record: Record) -> Iterator[str]:
    """A chain whose parties all work, and for which people do their part, comes to its end.

    If it still waits hours later, it waits for something that never comes.
    """
    yield from record.unsettled


def nothing_is_left(record: Record) -> Iterator[str]:
    """A chain that is deleted leaves no workflow, no schedule and no finalizer.

    Leftovers would continue at Spacelift for a resource that no one sees, or block the namespace.
    """
    yield from record.leftovers


def histories_replay(record: Record) -> Iterator[str]:
    """A workflow does the same when it is rebuilt from its history, and raises nothing.

    Otherwise it is stuck as soon as its worker is replaced.
    """
    yield from record.parties.temporal.faults
