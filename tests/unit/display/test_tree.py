"""The tree of a chain: status in, lines out."""

from datetime import UTC, datetime

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.display import styled_text, tree, tree_characters
from tests.support.builders import T0, make_shown_status, make_stack_status
from tests.support.golden import Golden

END = "2026-03-01T10:00:07Z"
PAGE = "display_tree"
NOW = datetime(2026, 3, 1, 10, 1, 10, tzinfo=UTC)


def draw(
    status: v1alpha1.Status,
    *,
    width: int = 100,
    drawn_with: tree_characters.TreeCharacters = tree_characters.UNICODE,
    selection: tree.Selection = tree.ALL,
) -> list[str]:
    drawing = tree.Drawing(now=NOW, width=width, characters=drawn_with, selection=selection)
    return [styled_text.plain_text(line) for line in tree.render("chain", status, drawing)]


def names(
    status: v1alpha1.Status, drawn_with: tree_characters.TreeCharacters = tree_characters.UNICODE
) -> list[str]:
    """Return the rows of the stacks up to the phase."""
    rows = draw(status, drawn_with=drawn_with)[2:]
    return [row.split(Phase.PENDING)[0].rstrip() for row in rows]


SHAPES = {
    "one stack": [make_stack_status("a")],
    "a line": [
        make_stack_status("a"),
        make_stack_status("b", 1, "a"),
        make_stack_status("c", 2, "b"),
    ],
    "branches go on beside what is below them": [
        make_stack_status("a"),
        make_stack_status("b", 1, "a"),
        make_stack_status("c", 2, "b"),
        make_stack_status("d", 3, "c"),
        make_stack_status("e", 1, "a"),
    ],
    "a diamond shows its end once and names the other upstream": [
        make_stack_status("a"),
        make_stack_status("b", 1, "a"),
        make_stack_status("c", 1, "a"),
        make_stack_status("d", 2, "b", "c"),
    ],
    "a stack hangs below its deepest upstream": [
        make_stack_status("a"),
        make_stack_status("z", 1, "a"),
        make_stack_status("d", 2, "a", "z"),
    ],
    "of many upstreams two are named": [make_stack_status(name) for name in "abcde"]
    + [make_stack_status("f", 1, *"abcde")],
    "several roots": [make_stack_status("b"), make_stack_status("a")],
    "an upstream that is not in the list": [make_stack_status("a", 3, "gone")],
    "levels that contradict the edges lose no stack": [
        make_stack_status("a", 1, "b"),
        make_stack_status("b", 1, "a"),
    ],
}


@pytest.mark.parametrize("case", SHAPES)
def test_each_stack_appears_once_below_its_deepest_upstream(case: str, golden: Golden) -> None:
    golden(PAGE).check(case, "\n".join(names(make_shown_status(*SHAPES[case]))))


def test_a_screen_without_unicode_gets_other_characters(golden: Golden) -> None:
    stacks = [
        make_stack_status("a"),
        make_stack_status("b", 1, "a"),
        make_stack_status("c", 1, "a"),
    ]
    stacks.append(make_stack_status("d", 2, "b", "c"))

    rows = names(make_shown_status(*stacks), tree_characters.ASCII)

    golden(PAGE).check("in ASCII", "\n".join(rows))
    assert "\n".join(rows).isascii()


UNFOLDED = tree.Selection(is_unfolded=True)


def test_five_hundred_levels_stay_five_hundred_rows_of_bounded_width() -> None:
    line = [make_stack_status("s0")]
    line += [make_stack_status(f"s{level}", level, f"s{level - 1}") for level in range(1, 500)]

    rows = draw(make_shown_status(*line), selection=UNFOLDED)[2:]

    assert len(rows) == 500
    assert max(len(row) for row in rows) <= 100
    assert "…499 " in rows[-1]
    assert "s499" in rows[-1]


def test_a_star_of_five_hundred_is_drawn() -> None:
    star = [
        make_stack_status("root"),
        *(make_stack_status(f"s{n:03}", 1, "root") for n in range(499)),
    ]

    rows = draw(make_shown_status(*star), selection=UNFOLDED)[2:]

    assert len(rows) == 500
    assert rows[-1].startswith("└─ · s498")


ROWS: dict[str, dict[str, object]] = {
    "running since its start": {"phase": Phase.RUNNING, "start_time": T0},
    "succeeded with its changes": {
        "phase": Phase.SUCCEEDED,
        "start_time": T0,
        "completion_time": END,
        "delta": v1alpha1.Delta(added=2, changed=0, deleted=1),
    },
    "succeeded without a change": {
        "phase": Phase.SUCCEEDED,
        "delta": v1alpha1.Delta(added=0, changed=0, deleted=0),
    },
    "waiting for a person": {
        "phase": Phase.AWAITING_CONFIRMATION,
        "reason": "NeedsConfirmation",
        "delta": v1alpha1.Delta(added=1, changed=3, deleted=0),
    },
    "failed with what the run says": {
        "phase": Phase.FAILED,
        "reason": "RunFailed",
        "message": "The run failed (no quota).",
    },
    "skipped because of another": {
        "phase": Phase.SKIPPED,
        "reason": "UpstreamNotSucceeded",
        "blocked_by": "vpc",
        "completion_time": END,
    },
    "skipped since nothing changed": {
        "phase": Phase.SKIPPED,
        "reason": "OutputUnchanged",
        "start_time": T0,
    },
    "kept by a retry": {"phase": Phase.SUCCEEDED, "reason": "Kept"},
    "timed out": {
        "phase": Phase.TIMED_OUT,
        "reason": "StackDeadlineExceeded",
        "message": "Too late.",
    },
    "waiting for a reason without words": {"phase": Phase.WAITING, "reason": "StackLocked"},
    "a message of several lines": {"phase": Phase.FAILED, "message": "Error:\n  no quota\n"},
    "a phase that a newer operator knows": {"phase": "Paused", "message": "Too late."},
}


@pytest.mark.parametrize("case", ROWS)
def test_a_row_says_phase_time_and_why(case: str, golden: Golden) -> None:
    golden(PAGE).check(
        f"row: {case}", draw(make_shown_status(make_stack_status("a", **ROWS[case])))[2]
    )


@pytest.mark.parametrize("width", [100, 60])
@pytest.mark.parametrize(
    ("start", "took"),
    [
        ("2025-11-21T11:01:10Z", "99d23h"),
        ("2025-11-21T10:01:10Z", "100d"),
        ("2025-05-31T16:00:00Z", "273d"),
        ("2022-03-01T10:00:00Z", "1461d"),
    ],
)
def test_a_long_time_does_not_touch_the_phase(start: str, took: str, width: int) -> None:
    stack = make_stack_status("a", phase=Phase.AWAITING_CONFIRMATION, start_time=start)

    row = draw(make_shown_status(stack), width=width)[2].split()

    assert row[2].startswith("Awaiting")
    assert row[3] == took


def test_a_pending_stack_names_only_the_upstreams_that_are_not_over() -> None:
    waits = {"reason": "UpstreamPending", "message": "Waits for 'b'."}
    stacks = [
        make_stack_status("a", phase=Phase.SUCCEEDED),
        make_stack_status("b", phase=Phase.RUNNING),
        make_stack_status("c", 1, "a", "b", **waits),
    ]

    assert "waits for b" in draw(make_shown_status(*stacks))[3]


def test_a_narrow_screen_cuts_names_and_reasons_but_not_phases() -> None:
    stack = make_stack_status(
        "a-stack-with-a-very-long-name" * 2, phase=Phase.FAILED, message="x" * 200
    )

    rows = draw(make_shown_status(stack), width=60)[2:]

    assert len(rows[0]) <= 60
    assert "…" in rows[0]
    assert "Failed" in rows[0]


def test_the_first_line_is_what_kubectl_get_shows(golden: Golden) -> None:
    status = make_shown_status(
        make_stack_status("a", phase=Phase.FAILED),
        ready=("False", "StackFailed", "1 of 1 stacks failed."),
        progress="0/1",
        completion_time=END,
        number=3,
    )

    golden(PAGE).check("a chain that failed", "\n".join(draw(status)))


def test_links_in_the_message_are_never_broken() -> None:
    link = "http://127.0.0.1:12345/stack/database/run/01M85FXX1B5W7HXM9M7BF6KZ0V"
    ready = ("Unknown", "AwaitingConfirmation", f"The run of 'database' waits: {link} [2/12 done]")

    drawn = draw(make_shown_status(make_stack_status("a"), ready=ready), width=72)

    assert any(link in line for line in drawn)


def test_a_chain_that_nobody_has_seen_yet_is_one_line(golden: Golden) -> None:
    drawing = tree.Drawing(now=NOW)

    drawn = tree.render("chain", v1alpha1.Status(), drawing)

    golden(PAGE).check(
        "not seen by an operator", "\n".join(styled_text.plain_text(line) for line in drawn)
    )


def test_stacks_of_the_run_before_are_not_shown_as_those_of_the_latest(golden: Golden) -> None:
    stack = make_stack_status("a", phase=Phase.FAILED)

    status = make_shown_status(stack, read_at="2026-03-01T09:00:00Z")

    golden(PAGE).check("the latest run has not read its stacks", "\n".join(draw(status)))


LINK = "https://example.app.spacelift.io/stack/a/run/01J"


@pytest.mark.parametrize(
    ("fields", "is_listed"),
    [
        pytest.param(
            {"phase": Phase.AWAITING_CONFIRMATION, "run_url": LINK}, True, id="for a person"
        ),
        pytest.param({"phase": Phase.WAITING, "run_url": LINK}, True, id="waiting"),
        pytest.param({"phase": Phase.FAILED, "run_url": LINK}, True, id="failed"),
        pytest.param({"phase": Phase.TIMED_OUT, "run_url": LINK}, True, id="timed out"),
        pytest.param({"phase": Phase.SUCCEEDED, "run_url": LINK}, False, id="succeeded"),
        pytest.param({"phase": Phase.RUNNING, "run_url": LINK}, False, id="running"),
        pytest.param({"phase": Phase.FAILED}, False, id="without a run"),
    ],
)
def test_links_are_shown_of_what_waits_or_did_not_succeed(
    fields: dict[str, object], is_listed: bool
) -> None:
    status = make_shown_status(make_stack_status("a", **fields))
    drawing = tree.Drawing(now=NOW, width=40, has_links=True)

    drawn = [styled_text.plain_text(line) for line in tree.render("chain", status, drawing)]

    assert any(LINK in line for line in drawn) == is_listed


def test_a_run_that_does_not_apply_says_what_it_does(golden: Golden) -> None:
    status = make_shown_status(make_stack_status("a"), operation="Destroy")

    golden(PAGE).check("a run that destroys", "\n".join(draw(status)))


@pytest.mark.parametrize(
    ("case", "estimated"),
    [
        ("a run that is estimated", "2026-03-01T10:04:22Z"),
        ("a run that takes longer than estimated", "2026-03-01T10:00:50Z"),
    ],
)
def test_a_run_that_is_estimated_says_what_is_left(
    case: str, estimated: str, golden: Golden
) -> None:
    running = make_stack_status("a", phase=Phase.RUNNING, start_time=T0)
    status = make_shown_status(running, progress="0/1", estimated_completion_time=estimated)

    golden(PAGE).check(case, "\n".join(draw(status)))


def test_a_graph_of_which_nothing_has_run_is_names_alone(golden: Golden) -> None:
    stacks = (
        make_stack_status("a"),
        make_stack_status("b", 1, "a"),
        make_stack_status("c", 1, "a"),
        make_stack_status("d", 2, "b", "c"),
    )

    drawn = tree.render_order(stacks, tree.Drawing(now=NOW))

    golden(PAGE).check(
        "a graph that has not run", "\n".join(styled_text.plain_text(line) for line in drawn)
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (61, "1m01s"), (3661, "1h01m"), (90000, "1d01h")],
    ids=str,
)
def test_a_length_of_time_has_two_units(seconds: int, text: str) -> None:
    start = datetime.fromtimestamp(NOW.timestamp() - seconds, UTC).isoformat()

    assert styled_text.duration(start, None, NOW) == text
