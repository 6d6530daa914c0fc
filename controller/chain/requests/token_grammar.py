"""The grammar of the annotations that name a run, and what is wrong with one. Pure.

`<run>`, `<run>: <name>, <name>`, and after either ` @<anything>`. What follows the ` @` has no
meaning: it makes the token a new one, so that the same can be asked for again. See ADR 0049.
"""

import dataclasses
import enum
import re

from controller import outside_text

_NOTE = re.compile(r"\s@.*", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,256}")
_LONGEST_SHOWN = 64


class Names(enum.Enum):
    """How many names a token has."""

    NONE = enum.auto()
    ANY = enum.auto()
    ONE = enum.auto()
    SOME = enum.auto()
    """At least one: what it asks for is never implied."""


class InvalidToken(Exception):
    """A string does not fit the grammar; the message says why, as the end of a sentence."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NamedRun:
    """The run that a token names, and what of it: each name once, in the order of the token."""

    number: int
    names: tuple[str, ...] = ()


def read(token: str, *, names: Names, noun: str = "stack") -> NamedRun:
    """Read a token.

    Args:
        token: the text of the annotation.
        names: how many names it may have.
        noun: what the names are names of.

    Raises:
        InvalidToken: it is not one.
    """
    head, colon, listed = _NOTE.sub("", token).partition(":")
    number = head.strip()
    is_named = names in (Names.ONE, Names.SOME)
    example = f"`3: <{noun}>`" if is_named else "`3`"
    if not _NUMBER.fullmatch(number):
        if _NUMBER.match(number):
            raise InvalidToken(f"after the number there may only be {_after(names, noun)}")
        raise InvalidToken(f"it must start with the number of a run, as in {example}")
    if colon and names is Names.NONE:
        raise InvalidToken(f"it must be the number of a run and nothing else, as in {example}")
    if not colon and is_named:
        raise InvalidToken(f"it names no {noun}; name {_count(names)}, as in {example}")
    if not colon:
        return NamedRun(number=int(number))
    items = [item.strip() for item in listed.split(",")]
    if not any(items):
        instead = f"name {_count(names)}"
        if names is Names.ANY:
            instead += ", or leave the colon out"
        raise InvalidToken(f"it names no {noun} after the colon; {instead}")
    if not all(items):
        raise InvalidToken(f"a {noun} is missing next to a comma")
    found = tuple(dict.fromkeys(items))
    if names is Names.ONE and len(found) > 1:
        raise InvalidToken(f"it must name one {noun}, and names {len(found)}")
    return NamedRun(number=int(number), names=found)


def write(named: NamedRun, *, note: str = "") -> str:
    """Return the text of a token; a note makes it another one."""
    listed = f": {', '.join(named.names)}" if named.names else ""
    return f"{named.number}{listed}{f' @{note}' if note else ''}"


def why_stale(number: int, *, latest: int) -> str:
    """Return why a token for a run does nothing; "" if it is the latest one.

    Args:
        number: of the run that the token names.
        latest: the number of the latest run, 0 if there has been none.
    """
    if not latest:
        return "there has been no run yet"
    return f"the latest run is {latest}" if number != latest else ""


def does_nothing(annotation: str, token: str, why: str) -> str:
    """Return the sentence that says that a token does nothing, and why."""
    return f"`{annotation}: {shown(token)}` does nothing: {why}."


def shown(token: str) -> str:
    """Return as much of a token as a message shows."""
    return outside_text.clean(token, most=_LONGEST_SHOWN)


def _count(names: Names) -> str:
    return "one" if names is Names.ONE else "at least one"


def _after(names: Names, noun: str) -> str:
    note = "a space and `@` with any text, as in `3 @again`"
    if names is Names.NONE:
        return note
    plural = noun if names is Names.ONE else f"{noun}s"
    return f"a colon and {plural}, as in `3: <{noun}>`, and {note}"
