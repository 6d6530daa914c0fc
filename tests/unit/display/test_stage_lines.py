"""The stages of a run in the tree: what each waits for, since when and until when."""

import dataclasses
import io
from datetime import UTC, datetime

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.display import (
    chain_printer,
    stage_lines,
    styled_text,
    terminal,
    tree,
    tree_characters,
)
from controller.plugin import output
from tests.support import big_chains
from tests.support.builders import make_shown_chain, make_shown_status, make_stack_status
from tests.support.golden import Golden

PAGE = "stage_rows"
NOW = datetime(2026, 3, 1, 10, 41, 0, tzinfo=UTC)
STATUS = big_chains.with_stages(make_shown_status(make_stack_status("vpc")))


def drawn(status: v1alpha1.Status, **how: object) -> list[str]:
    drawing = dataclasses.replace(tree.Drawing(now=NOW), **how)  # type: ignore[arg-type]
    return [styled_text.plain_text(line) for line in tree.render("shop", status, drawing)]


def many(*phases: Phase) -> v1alpha1.Status:
    stages = [
        v1alpha1.StageStatus(name=f"region-{place:02}", phase=phase, progress="1/1")
        for place, phase in enumerate(phases)
    ]
    return big_chains.with_stages(make_shown_status(make_stack_status("vpc")), tuple(stages))


@pytest.mark.parametrize("width", [40, 80, 120, 160])
def test_each_stage_has_a_row(width: int, case: str, golden: Golden) -> None:
    lines = drawn(STATUS, width=width - 1)

    golden(PAGE).check(f"a tree, {case}", "\n".join(lines))
    assert all(len(line) < width for line in lines)


def test_a_screen_without_unicode_gets_other_marks() -> None:
    lines = drawn(STATUS, characters=tree_characters.ASCII, width=50)

    assert "\n".join(lines).isascii()


def test_many_stages_that_need_no_look_share_rows(golden: Golden) -> None:
    phases = [Phase.SUCCEEDED] * 7 + [Phase.RUNNING] + [Phase.PENDING] * 8

    lines = drawn(many(*phases), width=79)

    golden(PAGE).check("sixteen stages", "\n".join(lines))


def test_each_thing_that_a_stage_waits_for_has_words() -> None:
    stage = v1alpha1.StageStatus(name="prod", phase=Phase.WAITING, progress="0/1")
    texts = [
        stage_lines.text_of(dataclasses.replace(stage, waits_for=str(wait)), NOW)
        for wait in v1alpha1.StageWait
    ]

    assert len(set(texts)) == len(texts)
    assert not any(wait in text for wait in v1alpha1.StageWait for text in texts)


def test_on_a_screen_of_a_few_rows_also_few_stages_share_them() -> None:
    status = many(*[Phase.SUCCEEDED] * 3, Phase.RUNNING)

    assert len(drawn(status, height=23)) == len(drawn(status)) - 2


def test_stages_that_are_wanted_neither_failed_nor_by_stack_are_not_shown() -> None:
    of_one = tree.Selection(stack="vpc")

    assert not any("canary" in line for line in drawn(STATUS, selection=of_one))


def test_the_stages_of_a_run_that_has_not_read_its_stacks_are_not_shown() -> None:
    status = make_shown_status(make_stack_status("vpc"), read_at="2026-03-01T09:00:00Z")

    assert not any("canary" in line for line in drawn(big_chains.with_stages(status)))


def test_programs_get_the_stages_and_which_of_them_needs_a_person() -> None:
    found = output.tree_document(make_shown_chain(STATUS))

    assert [stage["name"] for stage in found["run"]["stages"]][:2] == ["dev", "canary"]
    assert [(one["stage"], one["need"]) for one in found["needs"]] == [("prod", "Decision")]
    assert (
        output.tree_document(make_shown_chain(STATUS), tree.Selection(stack="vpc"))["needs"] == []
    )


def test_where_each_change_is_a_line_a_stage_says_what_it_waits_for_once() -> None:
    stream = io.StringIO()
    printer = chain_printer.ChainPrinter(terminal.Terminal(out=stream))

    printer.show("shop", STATUS)
    printer.show("shop", STATUS)

    lines = [line for line in stream.getvalue().splitlines() if "stage prod" in line]
    assert len(lines) == 1
    assert "stackchain.dev/approve" in lines[0]
