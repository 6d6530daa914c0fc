"""The grammar of the annotations that name a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import wording
from controller.chain.requests import token_grammar
from controller.chain.requests.token_grammar import NamedRun, Names
from tests.support.golden import Golden

PAGE = "run_tokens"


@pytest.mark.parametrize(
    ("token", "names"),
    [
        pytest.param("3", (), id="a run"),
        pytest.param(" 3\n", (), id="blanks around"),
        pytest.param("03", (), id="a zero before"),
        pytest.param("3 @second try", (), id="a note"),
        pytest.param("3 @", (), id="an empty note"),
        pytest.param("3\t@x: y, @z\nand more", (), id="a note that looks like names"),
        pytest.param("3: a", ("a",), id="one name"),
        pytest.param("3:a,b", ("a", "b"), id="no blanks"),
        pytest.param("3 : b ,\n a @again", ("b", "a"), id="blanks anywhere, and a note"),
        pytest.param("3: a, b, a", ("a", "b"), id="a name twice"),
    ],
)
def test_a_token_is_a_run_with_or_without_names(token: str, names: tuple[str, ...]) -> None:
    assert token_grammar.read(token, names=Names.ANY) == NamedRun(number=3, names=names)


@pytest.mark.parametrize("names", [Names.ONE, Names.SOME])
def test_where_names_are_needed_one_will_do(names: Names) -> None:
    found = token_grammar.read("3: dev", names=names, noun="stage")

    assert found == NamedRun(number=3, names=("dev",))


@pytest.mark.parametrize(
    ("token", "names"),
    [
        pytest.param("", Names.ANY, id="empty"),
        pytest.param("latest", Names.ANY, id="a word"),
        pytest.param("-3", Names.ANY, id="below zero"),
        pytest.param("٣", Names.ANY, id="other digits"),
        pytest.param("3@again", Names.ANY, id="a note without a blank"),
        pytest.param("@again", Names.ANY, id="a note alone"),
        pytest.param(": a", Names.ANY, id="names alone"),
        pytest.param("a, b", Names.SOME, id="names alone, where they are needed"),
        pytest.param("3 a", Names.ANY, id="no colon"),
        pytest.param("3:", Names.ANY, id="an empty list"),
        pytest.param("3: , ", Names.ANY, id="commas alone"),
        pytest.param("3: @again", Names.ANY, id="an empty list and a note"),
        pytest.param("3: a,, b", Names.ANY, id="a gap"),
        pytest.param("3: a,", Names.ANY, id="a comma at the end"),
        pytest.param("3", Names.SOME, id="no names"),
        pytest.param("3: ", Names.SOME, id="an empty list where names are needed"),
        pytest.param("3", Names.ONE, id="no name"),
        pytest.param("3: a, b", Names.ONE, id="two names for one"),
        pytest.param("3: a", Names.NONE, id="a name too many"),
    ],
)
def test_what_does_not_fit_is_refused_with_why(
    token: str, names: Names, case: str, golden: Golden
) -> None:
    with pytest.raises(token_grammar.InvalidToken) as refused:
        token_grammar.read(token, names=names)

    golden(PAGE).check(case, token_grammar.does_nothing("NAME", token, str(refused.value)))


@given(st.text(max_size=64))
def test_any_text_is_a_token_or_is_refused(token: str) -> None:
    try:
        found = token_grammar.read(token, names=Names.ANY)
    except token_grammar.InvalidToken:
        return

    assert token_grammar.read(f"{token} @note", names=Names.ANY) == found


@given(
    st.integers(min_value=1),
    st.lists(st.from_regex(r"[a-z][-a-z0-9_.]{0,9}", fullmatch=True), unique=True),
    st.text(max_size=16),
)
def test_what_is_written_is_read_back(number: int, names: list[str], note: str) -> None:
    named = NamedRun(number=number, names=tuple(names))

    assert token_grammar.read(token_grammar.write(named, note=note), names=Names.ANY) == named


def test_a_number_is_stale_unless_it_is_that_of_the_latest_run(golden: Golden) -> None:
    assert token_grammar.why_stale(3, latest=3) == ""
    golden(PAGE).check("stale", token_grammar.why_stale(2, latest=3))
    golden(PAGE).check("no run yet", token_grammar.why_stale(1, latest=0))


def test_an_unknown_name_is_shown_with_what_may_have_been_meant(golden: Golden) -> None:
    known = ("vpc-prod", "dns-prod", "eks")

    def check(case: str, *names: str) -> None:
        why = wording.why_unknown(names, known, where="a stack of run 3")
        golden(PAGE).check(case, why)

    assert wording.why_unknown(("eks", "vpc-prod"), known, where="a stack of run 3") == ""
    check("unknown: one, and a similar one", "eks", "vpc-prd")
    check("unknown: one like no other", "billing")
    check("unknown: several", "vpcprod", "billing", "dns_prod")
    check("unknown: more than are named", *(f"stack-{number}" for number in range(9)))
    check("unknown: a long one", "x" * 300)
