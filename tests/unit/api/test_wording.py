"""wording: counts and lists in messages."""

import pytest

from controller.api import wording


def test_one_is_counted_in_the_singular() -> None:
    assert [wording.counted(number, "stack") for number in (0, 1, 2)] == [
        "0 stacks",
        "1 stack",
        "2 stacks",
    ]
    assert wording.counted(2, "dependency", "dependencies") == "2 dependencies"


@pytest.mark.parametrize(
    ("items", "limits", "text"),
    [
        pytest.param([], {}, "", id="nothing"),
        pytest.param(["a", "b"], {}, "a, b", id="all"),
        pytest.param(["a", "b", "c", "d"], {}, "a, b, c and 1 more", id="more than are named"),
        pytest.param(["a", "b", "c"], {"characters": 4}, "a, b and 1 more", id="as many as fit"),
        pytest.param(["long", "b"], {"characters": 2}, "long and 1 more", id="one in any case"),
        pytest.param(list("abcd"), {"separator": "; "}, "a; b; c; and 1 more", id="semicolons"),
    ],
)
def test_a_list_names_the_first_and_counts_the_others(
    items: list[str], limits: dict[str, object], text: str
) -> None:
    assert wording.listed(items, most=3, **limits) == text  # type: ignore[arg-type]
