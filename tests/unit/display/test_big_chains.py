"""Chains of 12, 100 and 500 stacks on screens of any size: what needs a person is always there."""

import itertools
from datetime import UTC, datetime

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.chain.run import attention
from controller.display import styled_text, tree, tree_characters, tree_rows
from controller.plugin import output
from tests.support import big_chains
from tests.support.builders import make_shown_chain, make_shown_status, make_stack_status
from tests.support.golden import Golden

PAGE = "big_trees"
NOW = datetime(2026, 3, 1, 10, 11, 10, tzinfo=UTC)
SIZES = (12, 100, 500)
SCREENS = ((80, 24), (120, 40), (160, 50), (40, 24), (20, 24))


def drawn(status: v1alpha1.Status, *, width: int, height: int | None = None) -> list[str]:
    drawing = tree.Drawing(now=NOW, width=width - 1, height=height, has_links=True)
    return [styled_text.plain_text(line) for line in tree.render("platform", status, drawing)]


@pytest.mark.parametrize("screen", SCREENS, ids=[f"{width}x{height}" for width, height in SCREENS])
@pytest.mark.parametrize("number", SIZES)
def test_a_big_chain_on_a_screen(
    number: int, screen: tuple[int, int], case: str, golden: Golden
) -> None:
    width, height = screen
    status = big_chains.make_status(number)

    lines = drawn(status, width=width, height=height - 1)

    golden(PAGE).check(case, "\n".join(lines))
    rows = sum(max(1, -(-len(line) // width)) for line in lines)
    assert rows <= height - 1
    assert all(len(line) < width or "https://" in line for line in lines)
    needs = [stack for _, stack in attention.by_need(status.stacks)]
    for stack in needs:
        shown = styled_text.middle(stack.id, len(stack.id) if width > 60 else 9, "…")
        assert any(shown[-4:] in line and line[0] in "✗?○" for line in lines), stack.id
    if width >= 80:
        assert all(any((attention.link_of(one) or "-") in line for line in lines) for one in needs)


@pytest.mark.parametrize("number", SIZES)
def test_a_chain_in_which_all_went_well_is_short(number: int, case: str, golden: Golden) -> None:
    lines = drawn(big_chains.make_status(number, is_quiet=True), width=120)

    golden(PAGE).check(f"all went well, {case}", "\n".join(lines))
    assert len(lines) < 20


@pytest.mark.parametrize("is_folded", [True, False], ids=["folded", "unfolded"])
@pytest.mark.parametrize("depth", [None, 1, 2, 3])
@pytest.mark.parametrize("number", SIZES)
def test_each_stack_is_in_one_row(number: int, depth: int | None, is_folded: bool) -> None:
    stacks = big_chains.make_status(number).stacks

    rows = tree_rows.rows(stacks, is_folded=is_folded, depth=depth)

    ids = itertools.chain.from_iterable(
        [row.stack.id]
        if isinstance(row, tree_rows.StackRow)
        else [stack.id for stack in row.stacks]
        for row in rows
    )
    assert sorted(ids) == sorted(stack.id for stack in stacks)
    assert depth is None or max(len(row.is_last) for row in rows) <= depth + 1


def test_a_fold_hides_nothing_that_goes_on_or_needs_a_person() -> None:
    stacks = big_chains.make_status(500).stacks

    folded = [
        stack
        for row in tree_rows.rows(stacks, is_folded=True)
        if isinstance(row, tree_rows.FoldRow)
        for stack in row.stacks
    ]

    assert len(folded) > 450
    assert {str(tree_rows.quiet_kind(stack)) for stack in folded} == {"Done", "Skipped", "Pending"}


def test_a_fold_says_how_many_are_in_which_phase() -> None:
    ended = (
        *[{"phase": Phase.SUCCEEDED, "reason": "RunFinished"}] * 20,
        *[{"phase": Phase.SKIPPED, "reason": "OutputUnchanged"}] * 19,
        *[{"phase": Phase.CANCELED, "reason": "ChainCanceled"}] * 10,
    )
    below = [make_stack_status(f"s{place}", 1, "a", **one) for place, one in enumerate(ended)]
    stacks = (make_stack_status("a", phase=Phase.SUCCEEDED, reason="RunFinished"), *below)

    lines = drawn(make_shown_status(*stacks), width=100)

    assert [line.split("stacks")[1].split() for line in lines if " stacks " in line] == [
        ["20", "Succeeded,", "19", "Skipped"],
        ["Canceled", "s39,", "s40", "+8"],
    ]


def test_many_that_need_a_person_each_have_a_row_before_there_are_links_and_a_tree() -> None:
    status = big_chains.make_status(500)
    failed = tuple(
        v1alpha1.StackStatus(
            id=f"{stack.id}-x",
            level=0,
            phase=v1alpha1.Phase.FAILED,
            run_url=f"https://acme.app.spacelift.io/stack/{stack.id}/run/{'0' * 26}",
        )
        for stack in status.stacks[:60]
    )
    chain = big_chains.with_stacks(status, failed)

    lines = drawn(chain, width=80, height=23)

    assert sum(line.startswith("✗") for line in lines) > 10
    assert any("more stacks that need someone" in line for line in lines)


def test_what_needs_a_person_is_the_same_in_all_that_is_shown() -> None:
    status = big_chains.make_status(100)
    rows = [line for line in drawn(status, width=400) if line.startswith(("✗", "?", "○"))]

    assert [line.split()[1] for line in rows] == [
        stack.id for _, stack in attention.by_need(status.stacks)
    ]


@pytest.mark.parametrize("width", [0, 1, 5, 20, 39, 59, 60, 79, 90])
def test_no_width_breaks_a_row(width: int) -> None:
    status = big_chains.make_status(100)
    drawing = tree.Drawing(now=NOW, width=max(20, width), characters=tree_characters.ASCII)

    lines = [styled_text.plain_text(line) for line in tree.render("platform", status, drawing)]

    assert all(len(line) <= max(20, width) or "https://" in line for line in lines)
    assert "\n".join(lines).isascii()


@pytest.mark.parametrize(
    "selection",
    [
        pytest.param(tree.Selection(is_failed=True), id="failed"),
        pytest.param(tree.Selection(phases=frozenset({"Waiting", "Running"})), id="phases"),
        pytest.param(tree.Selection(stack="prod-eu-west-1-ingress"), id="a stack"),
        pytest.param(tree.Selection(depth=2), id="two levels"),
        pytest.param(tree.Selection(stack="prod-eu-west-1-cluster", depth=3), id="both"),
        pytest.param(tree.Selection(phases=frozenset({"TimedOut"})), id="none is like that"),
    ],
)
def test_some_stacks_of_a_big_chain(selection: tree.Selection, case: str, golden: Golden) -> None:
    status = big_chains.make_status(100)
    drawing = tree.Drawing(now=NOW, width=119, has_links=True, selection=selection)

    lines = [styled_text.plain_text(line) for line in tree.render("platform", status, drawing)]

    golden(PAGE).check(f"selected: {case}", "\n".join(lines))


def test_what_was_selected_is_all_there_is_in_the_document() -> None:
    chain = make_shown_chain(big_chains.make_status(100))

    found = output.tree_document(chain, tree.Selection(is_failed=True))

    assert [one["id"] for one in found["stacks"]] == ["prod-eu-west-1-monitoring"]
    assert [one["stack"] for one in found["needs"]] == ["prod-eu-west-1-monitoring"]
    assert [one["stack"] for one in found["rows"]] == ["prod-eu-west-1-monitoring"]


def test_programs_get_the_rows_that_people_see() -> None:
    found = output.tree_document(make_shown_chain(big_chains.make_status(500)))

    assert [one["need"] for one in found["needs"]] == ["Fix", "Decision", "Release", "Release"]
    assert {"Done", "Pending", "Skipped", "Mixed"} >= {
        one["folded"] for one in found["rows"] if "folded" in one
    }
    ids = [
        stack
        for one in found["rows"]
        for stack in ([one["stack"]] if "stack" in one else one["stacks"])
    ]
    assert sorted(ids) == sorted(stack["id"] for stack in found["stacks"])
