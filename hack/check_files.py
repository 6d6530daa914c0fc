"""Checks text files before a commit: whitespace, YAML, TOML, and that no private key is in them."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import yaml

# Split, so that this file does not hold one.
_PRIVATE_KEY = re.compile("-----BEGIN [A-Z ]*" + "PRIVATE KEY-----\n[A-Za-z0-9+/=]{40}")
# Helm's templates become YAML only once they are rendered.
_TEMPLATES = "charts/stackchain/templates/"
# What vite builds is not written by hand; a test builds it again and compares.
_BUILT = ("controller/ui/bundle/", "ui/packages/")


def problems_of(path: Path) -> Iterator[str]:
    """Yield what is wrong with a file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    is_built = any(folder in path.as_posix() for folder in _BUILT)
    for number, line in enumerate(text.split("\n"), start=1):
        if line != line.rstrip(" \t\r") and not is_built:
            yield f"{path}:{number}: whitespace at the end of the line"
    if not is_built and text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield f"{path}: must end with exactly one newline"
    if _PRIVATE_KEY.search(text):
        yield f"{path}: holds a private key"
    yield from _parse_problems(path, text)


def _parse_problems(path: Path, text: str) -> Iterator[str]:
    try:
        if path.suffix == ".toml":
            tomllib.loads(text)
        elif path.suffix in (".yaml", ".yml") and _TEMPLATES not in path.as_posix():
            list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        yield f"{path}: {' '.join(str(error).split())}"


def main() -> None:
    """Check the files that are named, and fail if anything is wrong."""
    found = [problem for name in sys.argv[1:] for problem in problems_of(Path(name))]
    for problem in found:
        print(problem)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
