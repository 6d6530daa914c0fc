"""Whether a command prints what its page shows: the words, but not times, ids, ports and widths."""

import re
from collections.abc import Sequence

ANY = "..."
_DURATION = r"(?:\d+(?:\.\d+)?(?:d|h|m|s))+"
_NORMAL = (
    (re.compile(r"https?://temporal\.example\.com"), "TEMPORAL"),
    (re.compile(r"https?://(?:127\.0\.0\.1|[\w-]+\.app\.spacelift\.io)(?::\d+)?"), "SPACELIFT"),
    (re.compile(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b"), "ID"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "TIME"),
    (
        re.compile(
            rf"(?<![\w.-])(?:<invalid>|{_DURATION})(?: \(x\d+ over {_DURATION}\))?(?![\w.-])"
        ),
        "AGE",
    ),
    (re.compile(r"\b\d+(?= s\)| seconds \()"), "N"),
    (re.compile(r'(?<=")[0-9a-f]{16}(?=")'), "HASH"),
    (re.compile(r"(?<=-plan-)\w{6}\b"), "ID"),
    (re.compile(r"\s+"), " "),
)
_FAILURE = re.compile(
    r"(kubectl )?stackchain: |[Ee]rror: |Error from server \(|The \w+ \"[^\"]*\" is invalid: "
)


def normal(line: str) -> str:
    """Return a line without the parts that differ from one time to the next."""
    for pattern, instead in _NORMAL:
        line = pattern.sub(instead, line)
    return line.strip()


def is_as_shown(expected: Sequence[str], got: Sequence[str]) -> bool:
    """Whether an output is the one that a page shows.

    A line `...` stands for any lines, and `...` in a line for any text.
    """
    pattern = "".join(map(_pattern, expected))
    return re.fullmatch(pattern, "".join(f"{normal(line)}\n" for line in got)) is not None


def is_a_failure(expected: Sequence[str]) -> bool:
    """Whether what a page shows is the message of a command that fails."""
    return any(map(_FAILURE.match, expected[:1]))


def comes_in_order(expected: Sequence[str], got: Sequence[str]) -> bool:
    """Whether the lines of a page come in this order, among others, such as in a watch."""
    pattern = r"(?:.*\n)*?".join(map(_pattern, expected))
    return re.match(pattern, "".join(f"{normal(line)}\n" for line in got)) is not None


def _pattern(line: str) -> str:
    if line.strip() == ANY:
        return r"(?:.*\n)*?"
    return ".*".join(re.escape(part) for part in normal(line).split(ANY)) + r"\n"
