import itertools

import pytest

from controller import likeness


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        pytest.param("vpc-prd", ["vpc-dev", "vpc-prod"], "vpc-prod", id="a letter is missing"),
        pytest.param("stagee", ["stage", "dev"], "stage", id="a letter too many"),
        pytest.param("Stage", ["stage"], "stage", id="capitals"),
        pytest.param("a-netwrk", ["a-dns", "a-network"], "a-network", id="the nearest"),
        pytest.param("network-eu", ["network-eu-west"], "", id="a part is missing"),
        pytest.param("pvc-prod", ["prod"], "", id="a part too many"),
        pytest.param("eu--vpc", ["eu-vpc"], "eu-vpc", id="a separator twice"),
        pytest.param("net-work", ["network"], "network", id="a separator too many"),
        pytest.param("eu_west_vpc", ["eu-west-vpc"], "eu-west-vpc", id="another separator"),
        pytest.param("prod-network", ["stage-network"], "", id="another environment"),
        pytest.param("eu-west-3-network", ["eu-west-1-network"], "", id="another region"),
        pytest.param("eu-west-3-netwrk", ["eu-west-1-network"], "", id="region and a letter"),
        pytest.param("vpc", ["vpc1", "vpc-1"], "", id="a number is missing"),
        pytest.param("vpc-12", ["vpc-1-2", "vpc-21"], "", id="other groups of digits"),
        pytest.param("team-2", ["team-002"], "", id="zeros in front are another spelling"),
        pytest.param("sub-0", ["sub-1", "sbu-0"], "sbu-0", id="the number decides"),
        pytest.param("zzz", ["vpc", "dns"], "", id="unlike all"),
        pytest.param("vpc", [], "", id="nothing is known"),
        pytest.param("", ["vpc"], "", id="nothing was typed"),
    ],
)
def test_what_a_name_may_mean(name: str, known: list[str], meant: str) -> None:
    assert likeness.likeliest(name, known) == meant


def test_a_name_of_any_length_is_compared_fast() -> None:
    assert likeness.likeliest("x" * 100_000, ["x" * 128]) == "x" * 128


def test_of_very_many_names_some_are_compared() -> None:
    names = [f"other-{''.join(letters)}" for letters in itertools.product("abcdefghij", repeat=4)]

    found = likeness.likeliest("netwrk", [*names, "network"])

    assert found == "network"
