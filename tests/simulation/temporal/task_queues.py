"""Task queues: what waits for a worker, and which worker gets it."""

import collections
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tests.simulation.temporal.chance import Chance


class Poller(Protocol):
    """A worker, as a queue sees it."""

    identity: str

    def has_slot(self, kind: str) -> bool:
        """Whether it polls for this kind of task, and could do one now."""

    def is_polling(self, kind: str) -> bool:
        """Whether it would do tasks of this kind, once it has time."""


WORKFLOW, ACTIVITY = "workflow", "activity"


@dataclass(slots=True, eq=False)
class Item:
    """One task in a queue; `assign` gives it to a worker, unless it `is_stale` by then."""

    assign: Callable[[Poller], None]
    is_stale: Callable[[], bool]
    added_at: float


class TaskQueue:
    """Tasks of one kind, the oldest first."""

    def __init__(self, name: str, kind: str, chance: Chance) -> None:
        self.name = name
        self.kind = kind
        self.pollers: list[Poller] = []
        self._chance = chance
        self._items: collections.deque[Item] = collections.deque()
        self._is_matching = False

    def add(self, item: Item) -> None:
        """Add a task, which a worker gets at once if one has time."""
        self._items.append(item)
        self.match()

    def waiting(self) -> list[Item]:
        """Return what no worker has yet."""
        return [item for item in self._items if not item.is_stale()]

    def polling(self) -> list[Poller]:
        """Return the workers that poll this queue now."""
        return [poller for poller in self.pollers if poller.is_polling(self.kind)]

    def match(self) -> None:
        """Hand tasks to workers as long as there are both."""
        if self._is_matching:
            return
        self._is_matching = True
        try:
            while self._items:
                if self._items[0].is_stale():
                    self._items.popleft()
                    continue
                free = [poller for poller in self.pollers if poller.has_slot(self.kind)]
                if not free:
                    return
                item = self._items.popleft()
                item.assign(free[self._chance.pick(len(free))])
        finally:
            self._is_matching = False
