"""How messages count and list things, so that all of them do it the same way. Pure."""

from collections.abc import Sequence


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
    """Return the end of a list of which so many items are not named."""
    if number == 0:
        return ""
    return f"{separator.rstrip(', ')} and {number} more"


def quoted(names: Sequence[str]) -> list[str]:
    """Return the names in quotes."""
    return [f"'{name}'" for name in names]
