"""Templates: what is filled in, what is refused when the file is read, and nothing is evaluated."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.notify import templates
from tests.support.builders import make_notification


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("no placeholder", "no placeholder"),
        ("${chain}", "net"),
        ("${namespace}/${chain} ${run}", "team/net 7"),
        ("${title}", "StackFailed: team/net run 7 (Apply), stack vpc"),
        ("${link}", "https://acme.app.spacelift.io/stack/vpc/run/01"),
        ("${severity} ${sequence}", "Warning 14"),
        ("[${completionTime}${blockedBy}]", "[]"),
        ("$5 $ $$ $chain", "$5 $ $$ $chain"),
        ("$${chain} ${chain}", "${chain} net"),
        ({"a": ["${chain}", 1, None, True]}, {"a": ["net", 1, None, True]}),
        ({"${chain}": "${chain}"}, {"${chain}": "net"}),
        ([], []),
    ],
)
def test_placeholders_are_filled_in(template: Any, expected: Any) -> None:
    templates.check(template)

    assert templates.render(template, make_notification()) == expected


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    told = make_notification(message="${chain} $${chain} ${nothing}")

    assert templates.render("${message}", told) == "${chain} $${chain} ${nothing}"


def test_of_a_chain_there_is_no_stack_to_name_and_the_link_is_the_runs() -> None:
    told = make_notification(stack=None, transition="RunFailed")

    assert templates.render("${title}|${stack}|${link}", told) == (
        "RunFailed: team/net run 7 (Apply)||https://temporal.example.com/run"
    )


def test_before_the_first_run_the_facts_of_a_run_are_empty() -> None:
    told = make_notification(stack=None, run=None, transition="Problem")

    assert templates.render("${title}|${run}|${link}", told) == "Problem: team/net||"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("${oops}", r"^has the unknown placeholder \$\{oops\}; known are: title, "),
        ("${}", r"unknown placeholder \$\{\}"),
        ("${chain.__class__}", "unknown placeholder"),
        ("${ chain }", "unknown placeholder"),
        ("${chain", "has a `\\${` without its `}`"),
        ({"a": {"b": ["x", "${oops}"]}}, r"unknown placeholder \$\{oops\} at a\.b\[1\]; known"),
        ({1: "x"}, "has the key 1, not a string; quote it"),
        ({"a": {1, 2}}, r"has a set at a, which JSON does not know; quote it"),
    ],
)
def test_what_cannot_be_filled_in_is_refused_with_its_place(template: Any, problem: str) -> None:
    with pytest.raises(templates.BadTemplate, match=problem):
        templates.check(template)


@given(st.text(alphabet="${}chain 1"))
def test_what_was_checked_can_be_filled_in(text: str) -> None:
    try:
        templates.check(text)
    except templates.BadTemplate:
        return
    filled = templates.render(text, make_notification())

    assert filled.count("net") >= text.replace("$${", "").count("${chain}")
