"""The merge patch of a status, against RFC 7386."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.kube import stackchains

Json = dict[str, Any]


def apply(target: Any, patch: Any) -> Any:
    """The algorithm of RFC 7386, section 2, as the API server has it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply(result.get(key), value)
    return result


keys = st.sampled_from("abc")
values = st.recursive(
    st.sampled_from([0, 1, "x", True]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(keys, values, max_size=3)


@given(old=objects, new=objects)
def test_the_patch_turns_the_old_object_into_the_new_one(old: Json, new: Json) -> None:
    assert apply(old, stackchains.merge_patch(old, new)) == new


@given(old=objects, new=objects)
def test_the_patch_is_empty_exactly_when_nothing_changes(old: Json, new: Json) -> None:
    assert (stackchains.merge_patch(old, new) == {}) == (old == new)


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        pytest.param({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 3}, id="only what changes"),
        pytest.param({"a": 1}, {}, {"a": None}, id="removed key"),
        pytest.param({"a": 1}, {"a": None}, {"a": None}, id="null in the new object removes"),
        pytest.param({}, {"a": None}, {}, id="null that removes nothing"),
        pytest.param({"a": None}, {}, {}, id="null that was never there"),
        pytest.param({"a": [1, 2]}, {"a": [2]}, {"a": [2]}, id="list is replaced whole"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}, {"a": {"b": None}}, id="nested"),
        pytest.param({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}, id="emptied map stays"),
        pytest.param({}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}, id="null in a new map"),
        pytest.param({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="scalar becomes map"),
        pytest.param({"a": {"b": 1}}, {"a": 1}, {"a": 1}, id="map becomes scalar"),
    ],
)
def test_smallest_patch(old: Json, new: Json, patch: Json) -> None:
    assert stackchains.merge_patch(old, new) == patch
