"""How messages count and list things, so that all of them do it the same way. Pure."""

from collections.abc import Collection, Iterable, Sequence

from controller import likeness, outside_text

EVENT_BYTES = 1024
"""Bytes of UTF-8 that the API server takes as an Event's message."""

_MOST_UNKNOWN = 5
_LONGEST_NAME = 64


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 stack`, `2 stacks`; `many` is for irregular plurals."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def listed(
    items: Sequence[str], *, most: int, characters: int | None = None, separator: str = ", "
) -> str:
    """Join the first items and count the others, as in `a, b and 3 more`.

    Args:
        items: what is listed, in order.
        most: how many to name.
        characters: stop before the list is longer than this; one item is named in any case.
        separator: between two items; after a semicolon the count gets one, too.
    """
    shown = list(items[:1])
    for item in items[1:most]:
        if characters is not None and len(separator.join([*shown, item])) > characters:
            break
        shown.append(item)
    return separator.join(shown) + and_more(len(items) - len(shown), separator=separator)


def and_more(number: int, *, separator: str = ", ") -> str:
    """Return the end of a list that leaves out this many items."""
    if number == 0:
        return ""
    return f"{separator.rstrip(', ')} and {number} more"


def event_message(text: str) -> str:
    """Shorten a message to what an Event may hold."""
    return outside_text.shortened_bytes(text, EVENT_BYTES)


def after_first_sentence(text: str) -> str:
    """Return what follows the first sentence; "" if nothing does."""
    return text.partition(". ")[2]


def quoted(names: Sequence[str]) -> list[str]:
    """Return the names in quotes."""
    return [f"'{name}'" for name in names]


def why_unknown(names: Sequence[str], known: Collection[str], *, where: str) -> str:
    """Return which names are unknown, and what may have been meant; "" if all are known.

    Args:
        names: what someone has named.
        known: the names that there are.
        where: what they are names of, such as "a stack of run 3".
    """
    unknown = [name for name in names if name not in known]
    if not unknown:
        return ""
    shown = [
        f"'{outside_text.clean(name, most=_LONGEST_NAME)}'{did_you_mean(name, known)}"
        for name in unknown[:_MOST_UNKNOWN]
    ]
    return f"not {where}: {', '.join(shown)}{and_more(len(unknown) - len(shown))}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the known name that is like an unknown one, to be put behind it; "" if none is."""
    found = likeness.likeliest(name, known)
    return f" (did you mean '{found}'?)" if found else ""
