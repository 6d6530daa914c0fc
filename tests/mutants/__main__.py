"""`make mutants`: seeds each fault into a copy of the project, and shows which tests catch it.

Ends with 1 if a fault that runs something twice is caught by no suite.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutants import simulated, suites, table
from tests.mutants.catalog import MUTANTS
from tests.mutants.mutant import ROOT, Mutant


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites over the faults, and print what catches them."""
    options = _parse(arguments)
    chosen = [mutant for mutant in MUTANTS if options.only in mutant.name]
    tried = list[table.Row]()
    with tempfile.TemporaryDirectory(prefix="stackchain-mutants-") as folder:
        original = Path(folder) / "original"
        _copy_to(original)
        for name in options.suite:
            # This also compiles all modules, for every copy.
            for suite in _without_faults(name, chosen, options.seeds):
                failure = suite.first_failure(original)
                if failure is not None:
                    print(f"The suite {name} fails without any fault; fix that first: {failure}")
                    return 2
        for mutant in chosen:
            tried.append(_try(mutant, options, original, Path(folder) / "copy"))
            if options.write:
                # What is known survives an end in the middle.
                _write(tried)
    counts = ", ".join(
        f"{suite} {sum(bool(row.caught_by[suite]) for row in tried)}" for suite in options.suite
    )
    missed = [row for row in tried if not row.is_caught]
    print(f"\n{len(tried)} faults; caught by {counts}; by none: {len(missed)}")
    return 1 if any(row.runs_twice for row in missed) else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="", help="faults whose name has this text")
    parser.add_argument("--suite", choices=table.SUITES, action="append", help="these suites")
    parser.add_argument("--seeds", type=int, default=simulated.SEEDS, help="simulated schedules")
    parser.add_argument("--write", action="store_true", help=f"write {table.PAGE.name}")
    options = parser.parse_args(arguments)
    options.suite = options.suite or list(table.SUITES)
    return options


def _without_faults(name: str, chosen: Sequence[Mutant], seeds: int) -> list[suites.Suite]:
    if name == "unit":
        return [suites.unit("")]
    families = sorted({mutant.first_seed for mutant in chosen})
    return [suites.simulation(seeds=seeds, first_seed=first) for first in families]


def _suite(name: str, mutant: Mutant, seeds: int) -> suites.Suite:
    if name == "unit":
        return suites.unit(mutant.module)
    return suites.simulation(seeds=seeds, first_seed=mutant.first_seed)


def _try(mutant: Mutant, options: argparse.Namespace, original: Path, copy: Path) -> table.Row:
    shutil.copytree(original, copy)
    try:
        (copy / mutant.module).write_text(mutant.applied_to(mutant.read()), encoding="utf-8")
        found = dict[str, str | None]()
        for name in options.suite:
            began = time.monotonic()
            found[name] = _suite(name, mutant, options.seeds).first_failure(copy)
            print(
                f"{mutant.name}: {name}: {found[name]} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
    finally:
        shutil.rmtree(copy)
    return table.row_of(mutant, found)


def _write(tried: Sequence[table.Row]) -> None:
    text = table.PAGE.read_text(encoding="utf-8")
    rows = table.merged(table.read(text), tried, MUTANTS)
    table.PAGE.write_text(table.write(text, rows), encoding="utf-8")


def _copy_to(copy: Path) -> None:
    for name in _files():
        source, target = ROOT / name, copy / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _files() -> Iterator[str]:
    listed = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    yield from filter(None, listed.stdout.decode().split("\0"))


if __name__ == "__main__":
    sys.exit(main())
