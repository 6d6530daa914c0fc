"""Which labels of a stack name an upstream stack, and which only look as if they did. Pure."""

import re
from collections.abc import Collection, Iterable, Sequence

_STACK_ID = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_.]*")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_SEPARATOR = re.compile(r"[:=/]")


def upstreams(labels: Iterable[str], prefixes: Sequence[str]) -> set[str]:
    """Return the ids of the stacks that labels name as upstream stacks."""
    found = (_upstream(label, prefixes) for label in labels)
    return {stack_id for stack_id in found if stack_id is not None}


def look_alikes(labels: Iterable[str], prefixes: Sequence[str]) -> list[str]:
    """Return the labels that look like dependencies but are not.

    They are spelled in another way than the prefix, or what follows it is not the id of one stack.
    """
    heads = {_plain(prefix) for prefix in prefixes} - {""}
    return [
        label for label in labels if _plain(label) in heads and _upstream(label, prefixes) is None
    ]


def named_by(label: str) -> str:
    """Return what follows the separator of a label."""
    return _SEPARATOR.split(label, maxsplit=1)[-1].strip()


def searched(stack_ids: Collection[str], prefixes: Sequence[str]) -> list[str]:
    """Return the labels by which dependents of the stacks can be found: Spacelift knows no forms.

    Of blanks, which count for nothing, the one that people type is among them.
    """
    return sorted(
        f"{prefix}{blank}{stack_id}"
        for stack_id in stack_ids
        for prefix in prefixes
        for blank in ("", " ")
    )


def misspelled(stack_ids: Collection[str], prefixes: Sequence[str]) -> list[str]:
    """Return labels that people use instead of dependencies between the stacks."""
    found = {
        f"{spelling}{prefix[-1]}{stack_id}"
        for stack_id in stack_ids
        for prefix in prefixes
        for spelling in _spellings(prefix)
    }
    return sorted(found - set(searched(stack_ids, prefixes)))


def _upstream(label: str, prefixes: Sequence[str]) -> str | None:
    text = label.strip()
    for prefix in prefixes:
        if text.startswith(prefix):
            named = text.removeprefix(prefix).strip()
            return named if _STACK_ID.fullmatch(named) else None
    return None


def _plain(text: str) -> str:
    """Return what precedes the separator: as letters and digits, in lower case."""
    head = _SEPARATOR.split(text, maxsplit=1)[0]
    return "".join(one for one in head.casefold() if one.isalnum())


def _spellings(prefix: str) -> set[str]:
    words = [word.lower() for word in _WORD.findall(prefix)]
    if not words:
        return set()
    pascal = "".join(word.capitalize() for word in words)
    camel = words[0] + pascal[len(words[0]) :]
    return {"-".join(words), "_".join(words), "".join(words), pascal, camel}
