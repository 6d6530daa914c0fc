"""One seeded fault: a piece of a module of the product, and what replaces it."""

import dataclasses
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """A realistic fault; `old` occurs once in the module.

    `runs_twice`: it lets a run be triggered twice, or a foreign run be touched, so that none of
    the tests that are to catch it may miss it. `first_seed`: with which seed the simulated
    schedules start, since only a family of seeds does what the fault is about. `note`: why a suite
    misses it.
    """

    name: str
    module: str
    old: str
    new: str
    runs_twice: bool = False
    first_seed: int = 0
    note: str = ""

    def applied_to(self, text: str) -> str:
        """Return the module's text with the fault in it.

        Raises:
            ValueError: the text that it changes is not there, or is there more than once.
        """
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}: what it changes is {count} times in {self.module}")
        return text.replace(self.old, self.new)

    def read(self) -> str:
        """Return the module as it is."""
        return (ROOT / self.module).read_text(encoding="utf-8")
