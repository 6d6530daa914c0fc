"""The documentation site: the program that builds it, and what it made of docs/."""

import importlib.util
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "hack" / "site"
# What builds the site is not part of the environment of the tests: `make prepare` installs it.
PYTHON = ROOT / ".venv-docs" / "bin" / "python"
MISSING = "needs what builds the site: run `make prepare`, or `make docs`"
_SECONDS_TO_END = 30


def run_build(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run what `make docs` runs."""
    return subprocess.run(
        [PYTHON, SOURCES / "build.py", *arguments], capture_output=True, text=True, check=False
    )


@contextmanager
def serving(*arguments: str | Path) -> Iterator[str]:
    """Build and serve the site, as `make docs ARGS=--serve` does; yields its address."""
    process = subprocess.Popen(
        [PYTHON, SOURCES / "build.py", *arguments, "--serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if found := re.match(r"Serving (http://127\.0\.0\.1:[0-9]+/)", line):
                yield found[1]
                break
        else:
            raise AssertionError(f"the site is not served: {said}")
    finally:
        complaints = _end(process)
    assert process.returncode == -signal.SIGTERM, complaints


def _end(process: subprocess.Popen[str]) -> str:
    """End the server, and return what it complained about."""
    process.terminate()
    try:
        _, complaints = process.communicate(timeout=_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        _, complaints = process.communicate()
    return complaints


def load(name: str) -> ModuleType:
    """Return a module of the program, which is not part of a package."""
    spec = importlib.util.spec_from_file_location(name, SOURCES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with _importable():
        spec.loader.exec_module(module)
    return module


@contextmanager
def _importable() -> Iterator[None]:
    """Let a module of the program import its neighbors, as Python does for one that it runs."""
    sys.path.insert(0, str(SOURCES))
    try:
        yield
    finally:
        sys.path.remove(str(SOURCES))
        for path in SOURCES.glob("*.py"):
            sys.modules.pop(path.stem, None)
