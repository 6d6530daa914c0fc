"""Golden files: the sentences that people read, one file per page or family of messages.

Tests decide by reasons, phases and names; what a message says is compared here, so that words are
improved in one place and a review sees them together. `pytest --update-golden` writes what is said
now; look at the difference before it is committed.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden"
_MARK = "=== "
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_DURATION = re.compile(r" *\b\d+(?:s|m\d\ds|h\d\dm|d\d\dh)\b")


def without_times(text: str, names: Mapping[str, str] | None = None) -> str:
    """Replace what differs from run to run: times, durations, and these names, such as ids."""
    for name, stands_for in (names or {}).items():
        text = text.replace(name, stands_for)
    text = _DURATION.sub(" DURATION", _TIME.sub("TIME", text))
    return "\n".join(line.rstrip() for line in text.splitlines())


class Page:
    """One golden file: texts by the name of their case, sorted by it."""

    def __init__(self, name: str, *, is_updating: bool, folder: Path = FOLDER) -> None:
        self._file = folder / f"{name}.txt"
        self._is_updating = is_updating

    def check(self, case: str, text: str) -> None:
        """Compare a text with what the file has for the case; the case names it in the file."""
        known = self._read()
        if self._is_updating:
            self._write(known | {case: text})
            return
        how = "write it with `pytest --update-golden`, and look at the difference"
        if case not in known:
            raise AssertionError(f"{self._file.name} has no text for {case!r}: {how}")
        if known[case] != text.rstrip("\n"):
            lines = (known[case].splitlines(), text.rstrip("\n").splitlines())
            changed = "\n".join(difflib.unified_diff(*lines, "golden", "now", lineterm="", n=1))
            raise AssertionError(f"{self._file.name}, {case!r} reads otherwise; {how}\n{changed}")

    def _read(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        found: dict[str, str] = {}
        for block in self._file.read_text(encoding="utf-8").split(f"\n{_MARK}"):
            case, _, text = block.removeprefix(_MARK).partition("\n")
            if case:
                found[case] = text.rstrip("\n")
        return found

    def _write(self, texts: dict[str, str]) -> None:
        self._file.parent.mkdir(exist_ok=True)
        blocks = (f"{_MARK}{case}\n{texts[case].rstrip()}\n" for case in sorted(texts))
        self._file.write_text("\n".join(blocks), encoding="utf-8")


Golden = Callable[[str], Page]
