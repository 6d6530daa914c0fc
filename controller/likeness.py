"""Which known name a misspelled one may mean. Pure.

People follow a guess without a second look, so a wrong one is worse than none. Names whose numbers
differ are another region or instance, so they are never suggested. Nor are names that differ in a
whole part.
"""

import difflib
import re
from collections.abc import Iterable

# The comparison takes the square of it.
_LONGEST_COMPARED = 128
# With more names, only those that start with the same `_STARTS_ALIKE` characters are compared.
_MOST_COMPARED = 1000
_STARTS_ALIKE = 3
# How alike names, and what differs of them, have to be; the first is difflib's own default.
_ALIKE = 0.6
_NUMBERS = re.compile(r"[0-9]+")
_SEPARATORS = re.compile(r"[\W_]+")


def likeliest(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like one; "" if none is. Capitals do not matter."""
    typed = name[:_LONGEST_COMPARED].lower()
    numbers = _numbers_in(typed)
    by_text = {one.lower(): one for one in sorted(known) if _numbers_in(one) == numbers}
    texts = sorted(by_text)
    if len(texts) > _MOST_COMPARED:
        # Who asks waits for the answer, and the operator with all that it does.
        start = typed[:_STARTS_ALIKE]
        texts = [text for text in texts if text.startswith(start)][:_MOST_COMPARED]
    alike = difflib.get_close_matches(typed, texts, n=len(texts) or 1, cutoff=_ALIKE)
    return next((by_text[text] for text in alike if _differ_little(typed, text)), "")


def _numbers_in(name: str) -> list[str]:
    """Return the groups of digits that a name holds, in order."""
    return _NUMBERS.findall(name)


def _differ_little(typed: str, known: str) -> bool:
    """Whether also the parts in which two names differ are alike."""
    ours, theirs = _SEPARATORS.split(typed), _SEPARATORS.split(known)
    while ours and theirs and ours[0] == theirs[0]:
        ours, theirs = ours[1:], theirs[1:]
    while ours and theirs and ours[-1] == theirs[-1]:
        ours, theirs = ours[:-1], theirs[:-1]
    if len(ours) == len(theirs):
        return all(map(_are_alike, ours, theirs))
    return _are_alike("-".join(ours), "-".join(theirs))


def _are_alike(one: str, other: str) -> bool:
    return difflib.SequenceMatcher(None, one, other).ratio() >= _ALIKE
