"""Which stacks a misspelled root may mean, found by Spacelift's full text search.

It is not documented what the search covers, how it works, and in which order it answers. So parts
of the id are searched for unchanged: first whole ones, which any way of searching should find.
"""

import dataclasses
import re
from collections.abc import Callable

from controller import likeness
from controller.spacelift import client as spacelift_client
from controller.spacelift import documents, models
from controller.spacelift import errors as spacelift_errors

# Digits are taken to be right; otherwise there is no guess.
_WORD = re.compile(r"[^\W\d_]{2,}")
_NUMBER_BEFORE = re.compile(r"(?<![^\W_])[0-9]+[-_.]*\Z")
_SEPARATORS = "-_."
_NUMBER_AFTER = re.compile(r"[-_.]*[0-9]")
# What is shorter is a part of too much.
_SHORTEST = 2


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """What to search for. One of the two later texts is searched, or none if it is empty."""

    first: str
    if_many: str
    """After a full page of hits: the first text, and a letter or two of the word that may be
    misspelled further on."""
    otherwise: str
    """What the first text leaves out, in case that it is the one with the mistake."""


def texts_for(root: str) -> Texts | None:
    """Return what to search for to find what an id may mean; None: it has nothing to search for."""
    words = list(_WORD.finditer(root))
    if not words:
        return None
    if len(words) == 1:
        return _texts_for_word(words[0][0])
    # Ids go from what many have in common to what is a stack's own, which has no number.
    later = words[1:]
    own = [word for word in later if not _NUMBER_AFTER.match(root, word.end())]
    start = (own or later)[-1].start()
    number = _NUMBER_BEFORE.search(root[:start])
    return Texts(
        first=root[:start].strip(_SEPARATORS),
        if_many=root[: start + _SHORTEST],
        otherwise=root[number.start() if number else start :],
    )


def _texts_for_word(word: str) -> Texts:
    # One of the halves is right, and the letters between them may have been swapped.
    half = max(_SHORTEST, len(word) // 2)
    return Texts(
        first=word[:half],
        if_many=_long_enough(word[:-1]),
        otherwise=_long_enough(word[half + 1 :]),
    )


def _long_enough(text: str) -> str:
    return text if len(text) >= _SHORTEST else ""


async def find(
    client: spacelift_client.SpaceliftClient,
    root: str,
    *,
    may_tell: Callable[[models.StackRecord], bool],
) -> tuple[str, ...]:
    """Return ids of stacks one of which may be meant, with at most two requests.

    Args:
        client: reads the account.
        root: the id that no stack has.
        may_tell: whether the author of the root may know of a stack.
    """
    texts, told = texts_for(root), dict[str, None]()
    if texts is None:
        return ()
    try:
        found = await client.list_stacks_like(texts.first)
        told |= {stack.id: None for stack in found if may_tell(stack)}
        is_full = len(found) >= documents.LARGEST_SIZE
        further = texts.if_many if is_full else texts.otherwise
        # What is best of a full page need not be the best.
        if further and (is_full or not likeness.likeliest(root, told)):
            found = await client.list_stacks_like(further)
            told |= {stack.id: None for stack in found if may_tell(stack)}
    except spacelift_errors.SpaceliftError:
        # The message says what is wrong even without a guess.
        pass
    return tuple(told)
