"""Golden files: the sentences that people read, one file per page or family of messages.

Tests decide by reasons, phases and names. What a message says is compared here, so that words are
improved in one place and a review sees them together. `pytest --update-golden` writes the current
messages; look at the difference before you commit it.

A case that no test checks any longer fails a run that would have checked it: one in which all tests
of all modules that name the page have passed. `--update-golden` removes it then.
"""

import dataclasses
import difflib
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

TESTS = Path(__file__).parents[1]
FOLDER = TESTS / "golden"
WHOLE_PAGE = "any case"
_MARK = "=== "
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_NAMED = re.compile(r'golden\("(\w+)"\)|^PAGE = "(\w+)"', re.MULTILINE)
_DURATION = re.compile(r" *\b\d+(?:s|m\d\ds|h\d\dm|d\d\dh)\b")


def without_times(text: str, names: Mapping[str, str] | None = None) -> str:
    """Replace what differs from run to run: times, durations, and these names, such as ids."""
    for name, stands_for in (names or {}).items():
        text = text.replace(name, stands_for)
    text = _DURATION.sub(" DURATION", _TIME.sub("TIME", text))
    return "\n".join(line.rstrip() for line in text.splitlines())


@dataclasses.dataclass
class Checked:
    """What the tests of a run, or of one of its workers, have checked; and which tests ran."""

    texts: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    """Text by page and case."""
    modules: set[str] = dataclasses.field(default_factory=set)
    """Those with tests in this run, as paths from the root."""
    incomplete: set[str] = dataclasses.field(default_factory=set)
    """Those of them of which some tests did not run."""

    def add(self, other: "Checked") -> None:
        """Add what another worker has checked."""
        for page, texts in other.texts.items():
            self.texts.setdefault(page, {}).update(texts)
        self.modules |= other.modules
        self.incomplete |= other.incomplete


class Page:
    """One golden file: texts by the name of their case, sorted by it."""

    def __init__(
        self, name: str, checked: Checked, *, is_updating: bool, folder: Path = FOLDER
    ) -> None:
        self._file = folder / f"{name}.txt"
        self._checked = checked.texts.setdefault(name, {})
        self._is_updating = is_updating

    def check(self, case: str, text: str) -> None:
        """Compare a string with what the file has for the case; the case names it in the file."""
        self._checked[case] = text
        if self._is_updating:
            return
        known = _read(self._file)
        how = "write it with `pytest --update-golden`, and look at the difference"
        if case not in known:
            raise AssertionError(f"{self._file.name} has no text for {case!r}: {how}")
        if known[case] != text.rstrip("\n"):
            lines = (known[case].splitlines(), text.rstrip("\n").splitlines())
            changed = "\n".join(difflib.unified_diff(*lines, "golden", "now", lineterm="", n=1))
            raise AssertionError(f"{self._file.name}, {case!r} reads otherwise; {how}\n{changed}")


def write(
    checked: Checked, *, has_passed: bool, folder: Path = FOLDER, tests: Path = TESTS
) -> None:
    """Write what a run has checked, and remove what it would have checked and did not."""
    unused = list(find_unused(checked, folder=folder, tests=tests)) if has_passed else []
    for page, texts in checked.texts.items():
        file = folder / f"{page}.txt"
        known = _read(file) | texts
        kept = {case: text for case, text in known.items() if (page, case) not in unused}
        file.parent.mkdir(exist_ok=True)
        blocks = (f"{_MARK}{case}\n{kept[case].rstrip()}\n" for case in sorted(kept))
        file.write_text("\n".join(blocks), encoding="utf-8")
    for page, case in unused:
        if case == WHOLE_PAGE:
            (folder / f"{page}.txt").unlink()


def find_unused(
    checked: Checked, *, folder: Path = FOLDER, tests: Path = TESTS
) -> Iterator[tuple[str, str]]:
    """Yield page and case of each text that no test of a run has checked, though all ran."""
    whole = checked.modules - checked.incomplete
    for page, modules in sorted(_named(tests).items()):
        if modules <= whole:
            known = _read(folder / f"{page}.txt")
            yield from ((page, case) for case in known if case not in checked.texts.get(page, {}))
    for file in sorted(folder.glob("*.txt")):
        if file.stem not in _named(tests):
            yield file.stem, WHOLE_PAGE


def names_page(module: str, page: str, *, tests: Path = TESTS) -> bool:
    """Whether a module says that it checks a page: `golden("page")`, or `PAGE = "page"`."""
    return module in _named(tests).get(page, ())


@functools.cache
def _named(tests: Path) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for file in tests.rglob("test_*.py"):
        for names in _NAMED.findall(file.read_text(encoding="utf-8")):
            page = next(filter(None, names))
            found.setdefault(page, set()).add(file.relative_to(tests.parent).as_posix())
    return {page: frozenset(modules) for page, modules in found.items()}


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    found: dict[str, str] = {}
    for block in file.read_text(encoding="utf-8").split(f"\n{_MARK}"):
        case, _, text = block.removeprefix(_MARK).partition("\n")
        if case:
            found[case] = text.rstrip("\n")
    return found


Golden = Callable[[str], Page]
"""The golden files' own reader and writer."""
