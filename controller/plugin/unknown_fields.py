"""Turns the API server's warnings about unknown fields into one sentence. Pure.

Loaded only once there is such a warning: other commands do not need the list of the definition's
fields.
"""

import re
from collections.abc import Sequence

from controller import outside_text
from controller.api import definition_fields, wording

_UNKNOWN = re.compile(r'unknown field "([^"]+)"')
_INDEX = re.compile(r"\[\d+\]")
_MOST_NAMED = 5
_LONGEST_FIELD = 128


def explain(answer: str) -> str:
    """Return which fields are wrong, and what may be meant; "" if the answer names none.

    Args:
        answer: what the API server says to a request with `fieldValidation=Strict`.
    """
    fields = _UNKNOWN.findall(answer)
    if not fields:
        return ""
    missing = [field for field in fields if _path(field) in definition_fields.FIELDS]
    if missing:
        return (
            "the StackChain definition of this cluster has no "
            f"{wording.listed([f'`{field}`' for field in missing], most=_MOST_NAMED)}; "
            "install the definition and the operator of this release."
        )
    named = [
        f"'{outside_text.clean(field, most=_LONGEST_FIELD)}'{_hint(field)}" for field in fields
    ]
    return f"a StackChain has no such field: {wording.listed(named, most=_MOST_NAMED)}."


def _hint(field: str) -> str:
    """Return a field of the same object with a similar name, or where this name exists."""
    above, _, own = _path(field).rpartition(".")
    siblings = [name for parent, name in _known() if parent == above]
    if similar := wording.did_you_mean(own, siblings):
        return similar
    elsewhere = [f"{parent}.{name}" for parent, name in _known() if name == own]
    # A name that many objects have, such as `name`, is no help.
    return f" (did you mean '{elsewhere[0]}'?)" if len(elsewhere) == 1 else ""


def _known() -> Sequence[tuple[str, str]]:
    """Return the fields that a person may set, each as what it is in and its own name."""
    parts = (field.rpartition(".") for field in sorted(definition_fields.FIELDS))
    return [(above, own) for above, _, own in parts if above.partition(".")[0] != "status"]


def _path(field: str) -> str:
    return _INDEX.sub("", field)
