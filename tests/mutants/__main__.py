"""Seed each fault into a copy of the project, and show which tests catch it.

    python -m tests.mutants [--only TEXT] [--suite NAME]

Ends with 1 if a fault that runs something twice is caught by no suite.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.seeded import MUTANTS

_PYTEST = ("-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider")
SUITES: Mapping[str, Sequence[str]] = {
    "unit": (*_PYTEST, "-n", "2", "--dist=loadfile", "tests/unit"),
    "simulation": (*_PYTEST, "-n", "2", "--no-real-parts", "tests/simulation"),
}
"""What is run in the copy, as arguments of Python; a fault is caught if it ends with 1."""

_NOTHING_CAUGHT, _CAUGHT = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites over the faults and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="faults whose name has this text")
    parser.add_argument("--suite", choices=sorted(SUITES), action="append", help="these suites")
    options = parser.parse_args(arguments)
    suites = options.suite or sorted(SUITES)
    chosen = [mutant for mutant in MUTANTS if options.only in mutant.name]
    with tempfile.TemporaryDirectory(prefix="stackchain-mutants-") as folder:
        copy = Path(folder)
        _copy_to(copy)
        for suite in suites:
            if _run(copy, suite)[0] != _NOTHING_CAUGHT:
                print(f"The suite {suite} fails without any fault; mend that first.")
                return 2
        return _report(chosen, suites, copy)


def _report(chosen: Sequence[Mutant], suites: Sequence[str], copy: Path) -> int:
    caught = dict.fromkeys(suites, 0)
    missed: list[Mutant] = []
    for mutant in chosen:
        found = {suite: _try(mutant, suite, copy) for suite in suites}
        for suite, by in found.items():
            caught[suite] += by is not None
        if not any(found.values()):
            missed.append(mutant)
        words = ", ".join(f"{suite}: {by or '-'}" for suite, by in found.items())
        print(f"{'twice ' if mutant.runs_twice else '      '}{mutant.name}: {words}", flush=True)
    counts = ", ".join(f"{suite} {count}" for suite, count in caught.items())
    print(f"\n{len(chosen)} faults; caught by {counts}; by none: {len(missed)}")
    return 1 if any(mutant.runs_twice for mutant in missed) else 0


def _try(mutant: Mutant, suite: str, copy: Path) -> str | None:
    """Return what caught the fault, or None."""
    module = copy / mutant.module
    original = module.read_text(encoding="utf-8")
    _write(module, mutant.applied_to(original))
    try:
        code, text, seconds = _run(copy, suite)
    finally:
        _write(module, original)
    if code == _NOTHING_CAUGHT:
        return None
    first = next((line for line in text.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
    return f"{first or f'exit code {code}'} ({seconds:.0f} s)"


def _write(module: Path, text: str) -> None:
    """Write a module so that nobody takes what was compiled before for it."""
    # Python compares whole seconds.
    modified = module.stat().st_mtime + 2
    module.write_text(text, encoding="utf-8")
    os.utime(module, (modified, modified))


def _run(copy: Path, suite: str) -> tuple[int, str, float]:
    started = time.monotonic()
    command = (sys.executable, *SUITES[suite])
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, time.monotonic() - started


def _copy_to(copy: Path) -> None:
    listed = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, target = ROOT / name, copy / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
