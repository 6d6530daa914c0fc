"""The suites that a fault has to pass, and how one of them is run over a copy of the project.

Each stops at the first failure, and runs in one process: who looks for faults shares the machine.
"""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

_PYTEST = ("-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-n", "0")
_UNIT = "tests/unit"
_SCENES = (
    "tests/simulation/test_chains_on_stand_in.py",
    "tests/simulation/test_product_on_stand_in.py",
)
_LONGEST_SECONDS = 1500.0
"""A fault may keep the product from coming to an end; that is seen, too."""

_NOTHING_FOUND, _FOUND = 0, 1


class SuiteBroken(Exception):
    """A suite neither passed nor failed: it could not be run."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """A suite as arguments of Python, the parts one after another."""

    parts: tuple[tuple[str, ...], ...]

    def first_failure(self, copy: Path) -> str | None:
        """Run the suite over a copy of the project; returns what failed first, or None.

        Raises:
            SuiteBroken: it could not be run.
        """
        for part in self.parts:
            if (failure := _run(copy, part)) is not None:
                return failure
        return None


def unit(module: str) -> Suite:
    """Return the unit tests, those of the package of a module first."""
    # controller/temporal/activities/x.py -> tests/unit/temporal
    package = f"{_UNIT}/{PurePosixPath(module).parts[1]}" if module else ""
    if not package:
        return Suite(parts=((*_PYTEST, _UNIT),))
    return Suite(parts=((*_PYTEST, package), (*_PYTEST, _UNIT, f"--ignore={package}")))


def simulation(*, seeds: int, first_seed: int) -> Suite:
    """Return the scenes, chains and schedules in virtual time."""
    played = (
        *("-m", "tests.mutants.simulated"),
        *("--seeds", str(seeds), "--first-seed", str(first_seed)),
    )
    return Suite(parts=((*_PYTEST, *_SCENES), played))


def _run(copy: Path, arguments: Sequence[str]) -> str | None:
    command = (sys.executable, *arguments)
    with subprocess.Popen(
        command,
        cwd=copy,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return f"no end within {_LONGEST_SECONDS:.0f} s"
    if process.returncode == _NOTHING_FOUND:
        return None
    if process.returncode != _FOUND:
        raise SuiteBroken(f"{' '.join(arguments)} ended {process.returncode}: {errors[-2000:]}")
    return _named(output)


def _named(output: str) -> str:
    """Return the first failure in what a suite has printed."""
    lines = output.strip().splitlines()
    failed = (line for line in lines if line.startswith(("FAILED", "ERROR")))
    if (line := next(failed, None)) is None:
        return lines[-1] if lines else "something"
    return line.split(" ", 1)[1].split(" - ")[0]
