"""What a chain waits for, from its status and the documented reasons."""

import dataclasses
import math
from datetime import UTC, datetime

import pytest

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase, StackChain, StackStatus
from controller.chain.requests import chain_waits
from controller.chain.run import attention, run_snapshots, stack_reports
from controller.display import styled_text, tree
from controller.plugin import explanation
from tests.support import big_chains
from tests.support.builders import (
    make_condition,
    make_shown_chain,
    make_shown_status,
    make_stack_status,
)
from tests.support.golden import Golden

NOW = datetime(2026, 3, 1, 10, 41, 0, tzinfo=UTC)
LINK = "https://example.app.spacelift.io/stack/eks/run/01J"
WAITING = make_shown_status(
    make_stack_status("vpc", phase=Phase.SUCCEEDED),
    make_stack_status(
        "eks",
        1,
        "vpc",
        phase=Phase.AWAITING_CONFIRMATION,
        reason="NeedsConfirmation",
        message="The run has planned changes.",
        run_url=LINK,
    ),
    make_stack_status("app", 2, "eks", reason="UpstreamPending", message="Waits for 'eks'."),
    ready=("Unknown", "AwaitingConfirmation", "'eks' waits for a person."),
)


def shown(found: explanation.ChainExplanation, *, width: int) -> list[str]:
    lines = explanation.render(found, tree.Drawing(now=NOW, width=width))
    return [styled_text.plain_text(line) for line in lines]


FAILED = make_shown_status(ready=("False", "StackFailed", "Words."), phase=Phase.FAILED)
COMMANDS = {
    ("False", "StackFailed"): "kubectl stackchain retry prod",
    ("False", "DeadlineExceeded"): "kubectl stackchain retry prod",
    ("Unknown", "Suspended"): "kubectl stackchain resume prod",
    ("Unknown", "NotRequested"): "kubectl stackchain run prod",
    ("Unknown", "Progressing"): "kubectl stackchain tree prod -w",
    ("True", "RunSucceeded"): None,
    ("False", "CredentialsRejected"): None,
}


@pytest.mark.parametrize(("ready", "command"), COMMANDS.items(), ids=[one[1] for one in COMMANDS])
def test_the_next_command_is_shown_where_there_is_one(
    ready: tuple[str, str], command: str | None
) -> None:
    phase = {"True": Phase.SUCCEEDED, "False": Phase.FAILED}.get(ready[0], Phase.RUNNING)
    status = make_shown_status(ready=(*ready, "Words."), phase=phase)

    assert explanation.explain(make_shown_chain(status)).command == command


def test_what_a_failure_skipped_in_later_stages_is_held_up_by_it_and_not_a_cause_itself() -> None:
    status = make_shown_status(
        make_stack_status("dev", phase=Phase.FAILED, reason="RunFailed"),
        make_stack_status(
            "prod", phase=Phase.SKIPPED, reason="StageNotSucceeded", blocked_by="dev"
        ),
        ready=("False", "StackFailed", "Words."),
    )

    (found,) = explanation.explain(make_shown_chain(status)).blocking

    assert (found.stack.id, found.holds) == ("dev", ("prod",))


@pytest.mark.parametrize(
    ("waits_for", "command"),
    [("Approval", "kubectl stackchain approve prod live"), ("Soak", None)],
)
def test_the_command_that_approves_names_the_stage(waits_for: str, command: str | None) -> None:
    status = make_shown_status(ready=("Unknown", "AwaitingApproval", "Words."))
    assert status.latest_run is not None
    stages = tuple(
        v1alpha1.StageStatus(name=name, phase=Phase.WAITING, progress="0/1", waits_for=waits)
        for name, waits in (("dev", None), ("live", waits_for))
    )
    run = dataclasses.replace(status.latest_run, stages=stages)

    found = explanation.explain(make_shown_chain(dataclasses.replace(status, latest_run=run)))

    assert found.command == command


ADVICE = {
    "Suspended": True,
    "TemporalUnreachable": True,
    "WorkflowTaskFailing": True,
    "AwaitingConfirmation": False,
    "StackFailed": False,
    "CredentialsRejected": False,
    "Progressing": False,
}


@pytest.mark.parametrize(("reason", "is_shown"), ADVICE.items())
def test_what_to_do_about_the_chain_is_left_out_only_where_its_stacks_say_it(
    reason: str, is_shown: bool
) -> None:
    refused = make_stack_status("vpc", phase=Phase.WAITING, reason="CredentialsRejected")
    status = make_shown_status(refused, ready=("Unknown", reason, "Words."))

    found = explanation.explain(make_shown_chain(status))
    lines = shown(found, width=500)

    assert explanation.chain_advice(found) == (found.meaning.do if is_shown else "")
    assert (f"What to do: {found.meaning.do}" in lines) == is_shown


@pytest.mark.parametrize(
    ("reason", "command"),
    [("StackFailed", "retry prod"), ("StackTimedOut", "retry prod"), ("Blocked", "tree prod -w")],
)
def test_what_failed_in_a_live_run_can_be_retried_in_it(reason: str, command: str) -> None:
    status = make_shown_status(ready=("Unknown", reason, "Words."))

    found = explanation.explain(make_shown_chain(status))

    assert found.command == f"kubectl stackchain {command}"


@pytest.mark.parametrize(
    ("chain", "command"),
    [
        pytest.param(
            make_shown_chain(FAILED, retry="1"), "tree prod -w", id="it has been asked for"
        ),
        pytest.param(
            make_shown_chain(
                dataclasses.replace(FAILED, last_handled=v1alpha1.Handled(retry="1")), retry="1"
            ),
            "retry prod",
            id="it was asked for before, and a note makes it new",
        ),
        pytest.param(
            make_shown_chain(
                dataclasses.replace(
                    FAILED, pending_run=v1alpha1.PendingRun(cause="Spec", message="It waits.")
                )
            ),
            "tree prod -w",
            id="another run waits",
        ),
    ],
)
def test_what_would_do_nothing_is_not_the_next_command(chain: StackChain, command: str) -> None:
    assert explanation.explain(chain).command == f"kubectl stackchain {command}"


@pytest.mark.parametrize("reason", list(reasons.ChainReason))
def test_every_documented_reason_is_blocking(reason: reasons.ChainReason) -> None:
    locked = make_stack_status(
        "a", phase=Phase.WAITING, reason="StackLocked", held_by=v1alpha1.Holder(needs_person=True)
    )

    found = explanation.explain(
        make_shown_chain(make_shown_status(locked, ready=("False", reason, "Words.")))
    )

    meaning = reasons.CHAIN_MEANINGS[reason]
    assert found.meaning == meaning


def test_a_chain_that_another_one_blocks_has_no_stack_to_unlock() -> None:
    ready = ("Unknown", "Blocked", "'network' failed. Act on what it says.")

    found = explanation.explain(make_shown_chain(make_shown_status(ready=ready)))

    assert found.meaning.means == "A run waits for a chain that `spec.dependsOn` names."
    assert "lock" not in explanation.chain_advice(found)


def test_what_a_live_run_takes_a_retry_of_has_its_command() -> None:
    status = make_shown_status(
        make_stack_status("a", phase=Phase.FAILED, reason="RunFailed"),
        make_stack_status("b", phase=Phase.AWAITING_CONFIRMATION, reason="NeedsConfirmation"),
        ready=("Unknown", "AwaitingConfirmation", "Words."),
        phase=Phase.AWAITING_CONFIRMATION,
    )

    lines = shown(explanation.explain(make_shown_chain(status)), width=100)
    asked = shown(explanation.explain(make_shown_chain(status, retry="1: a")), width=100)

    assert "  Then: kubectl stackchain retry prod --stack a" in lines
    assert not [line for line in asked if "Then:" in line]


BLOCKING: dict[str, tuple[list[StackStatus], dict[str, tuple[str, ...]]]] = {
    "a failed stack holds those that were skipped because of it": (
        [
            make_stack_status("a", phase=Phase.FAILED, reason="RunFailed"),
            make_stack_status(
                "b", phase=Phase.SKIPPED, reason="UpstreamNotSucceeded", blocked_by="a"
            ),
            make_stack_status("c", phase=Phase.SKIPPED, reason="FailFast", blocked_by="a"),
            make_stack_status("d", phase=Phase.SKIPPED, reason="StageNotSucceeded", blocked_by="a"),
        ],
        {"a": ("b", "c", "d")},
    ),
    "what succeeded does not block": (
        [
            make_stack_status("a", phase=Phase.SUCCEEDED, reason="RunFinished"),
            make_stack_status("b", phase=Phase.SKIPPED, reason="OutputUnchanged"),
        ],
        {},
    ),
    "a stack without an unfinished upstream waits for itself": (
        [make_stack_status("a", reason="SlotPending"), make_stack_status("b", phase=Phase.RUNNING)],
        {"a": (), "b": ()},
    ),
    "a reason of a newer operator": ([make_stack_status("a", reason="MoonPhase")], {"a": ()}),
}


@pytest.mark.parametrize(("stacks", "expected"), BLOCKING.values(), ids=BLOCKING.keys())
def test_what_blocks_the_chain_is_listed_without_what_follows_from_it(
    stacks: list[StackStatus], expected: dict[str, tuple[str, ...]]
) -> None:
    found = explanation.explain(make_shown_chain(make_shown_status(*stacks)))

    assert {one.stack.id: one.holds for one in found.blocking} == expected


pending = v1alpha1.PendingRun(cause="RunToken", message="Waits for run 1 to end.")
SCHEDULE = v1alpha1.ScheduleStatus(
    digest="0" * 16,
    checked_time="2026-03-01T06:00:00Z",
    next_time="2026-03-02T06:00:00Z",
    missed=2,
    last_missed_time="2026-03-01T06:00:00Z",
)
NETWORK = chain_waits.ChainWait(name="network", which="waits for a person", needs_person=True)
WAITS_FOR_CHAIN = dataclasses.replace(
    make_shown_status(ready=("Unknown", "Blocked", chain_waits.text_of([NETWORK]))),
    latest_run=None,
    graph=None,
    pending_run=v1alpha1.PendingRun(cause="Spec", message=chain_waits.text_of([NETWORK])),
)
BEYOND_LIMITS = make_shown_status(
    make_stack_status(
        "eks",
        phase=Phase.AWAITING_CONFIRMATION,
        reason="LimitsExceeded",
        message=stack_reports.limits_exceeded(
            "eks",
            run_snapshots.RunSnapshot(run_id="01J", state="UNCONFIRMED"),
            excess="would delete 2, limit 0",
        ).message,
        run_url=LINK,
    ),
    ready=("Unknown", "AwaitingConfirmation", "'eks' waits for a person."),
)
STAGES = make_shown_status(
    *(
        make_stack_status(stack, reason="StagePending", message=f"Stage '{stage}': {message}")
        for stack, stage, message in (
            ("app", "live", "Waits for a person to approve it."),
            ("web", "live", "Waits for a person to approve it."),
            ("app-eu", "eu", "Waits for 2 stacks of the earlier stage 'live' to succeed."),
            ("web-eu", "eu", "Waits for 2 stacks of the earlier stage 'live' to succeed."),
        )
    ),
    ready=("Unknown", "AwaitingApproval", "Stage 'live': Waits for a person to approve it."),
)
assert STAGES.latest_run is not None
STAGES = dataclasses.replace(
    STAGES,
    latest_run=dataclasses.replace(
        STAGES.latest_run,
        stages=(
            v1alpha1.StageStatus(
                name="live", phase=Phase.WAITING, progress="0/2", waits_for="Approval"
            ),
        ),
    ),
)
STAGES_AND_CONFIRMATION = make_shown_status(
    *WAITING.stacks,
    ready=("Unknown", "AwaitingConfirmation", "The run of 'eks' waits for a person."),
    stages=big_chains.STAGES,
)
EXPLAINED = {
    "a stage and a stack wait for a person": make_shown_chain(STAGES_AND_CONFIRMATION),
    "stages wait": make_shown_chain(STAGES),
    "a stack waits for a person": make_shown_chain(WAITING),
    "a run is estimated": make_shown_chain(
        make_shown_status(
            make_stack_status("vpc", phase=Phase.RUNNING, reason="RunInProgress"),
            estimated_completion_time="2026-03-01T10:44:00Z",
        )
    ),
    "a plan is beyond the limits": make_shown_chain(BEYOND_LIMITS),
    "a run waits for another chain": make_shown_chain(WAITS_FOR_CHAIN),
    "not seen by an operator yet": make_shown_chain(),
}


@pytest.mark.parametrize("case", EXPLAINED)
def test_it_says_what_the_chain_waits_for_and_what_to_do(case: str, golden: Golden) -> None:
    lines = shown(explanation.explain(EXPLAINED[case]), width=200)

    text = "\n".join(lines)
    golden("plugin_explain").check(case, text)


@pytest.mark.parametrize("number", [12, 100, 500])
@pytest.mark.parametrize("width", [40, 80, 120, 160])
def test_a_big_chain_is_explained_in_one_window(
    number: int, width: int, case: str, golden: Golden
) -> None:
    chain = make_shown_chain(big_chains.make_status(number))

    found = explanation.explain(chain)
    lines = shown(found, width=width - 1)

    golden("big_explanations").check(case, "\n".join(lines))
    assert sum(max(1, math.ceil(len(line) / (width - 1))) for line in lines) <= 40
    for _, stack in attention.by_need(chain.status.stacks):
        assert any(line.startswith(stack.id) for line in lines), stack.id


def test_many_stacks_with_one_reason_are_explained_together(golden: Golden) -> None:
    waiting = dataclasses.replace(WAITING.stacks[1], depends_on=())
    stacks = [dataclasses.replace(waiting, id=f"eks-{number:02}") for number in range(30)]
    status = make_shown_status(*stacks, ready=("Unknown", "AwaitingConfirmation", "Thirty."))

    lines = shown(explanation.explain(make_shown_chain(status)), width=99)

    text = "\n".join(lines)
    golden("big_explanations").check("thirty wait for a person", text)


def test_what_many_stages_wait_for_is_said_of_each() -> None:
    stacks = [
        make_stack_status(
            f"app-{stage}-{number}", reason="StagePending", message=f"Stage '{stage}' waits."
        )
        for stage in range(10)
        for number in range(3)
    ]
    status = make_shown_status(*stacks, ready=("Unknown", "AwaitingApproval", "Words."))

    lines = shown(explanation.explain(make_shown_chain(status)), width=99)

    text = [line.strip() for line in lines]
    advised = [line for line in text if line.startswith("What to do: See the message")]
    assert 5 < len(advised) <= len([line for line in text if line.startswith("Stage ")])
    assert len(lines) <= 40


@pytest.mark.parametrize("number", [3, 30])
def test_links_that_take_several_rows_count_as_several(number: int) -> None:
    waiting = dataclasses.replace(WAITING.stacks[1], depends_on=())
    stacks = [
        dataclasses.replace(waiting, id=f"eks-{place:02}", run_url=f"{LINK}{'x' * 900}{place}")
        for place in range(number)
    ]
    status = make_shown_status(*stacks, ready=("Unknown", "AwaitingConfirmation", "Some."))

    lines = shown(explanation.explain(make_shown_chain(status)), width=79)

    assert sum(max(1, math.ceil(len(line) / 79)) for line in lines) <= 40


@pytest.mark.parametrize("number", [12, 100, 500])
def test_no_text_says_nothing_below_one_that_says_what_to_do(number: int) -> None:
    found = explanation.explain(make_shown_chain(big_chains.make_status(number)))

    text = "\n".join(shown(found, width=200))

    assert "What to do: Nothing" not in text
    assert "What to do: Confirm or discard it" in text or number == 12


def test_what_is_held_up_is_all_that_comes_after_it_for_waits_and_failures_alike() -> None:
    upstream = {"waits": Phase.AWAITING_CONFIRMATION, "failed": Phase.FAILED}
    stacks = []
    for name, phase in upstream.items():
        stacks.append(make_stack_status(name, phase=phase))
        behind = {"reason": "UpstreamPending"}
        if phase is Phase.FAILED:
            behind = {"phase": Phase.SKIPPED, "reason": "UpstreamNotSucceeded", "blocked_by": name}
        stacks.append(make_stack_status(f"{name}-1", 1, name, **behind))
        stacks.append(make_stack_status(f"{name}-2", 2, f"{name}-1", **behind))

    found = explanation.explain(make_shown_chain(make_shown_status(*stacks)))

    assert {one.stack.id: one.holds for one in found.blocking} == {
        "failed": ("failed-1", "failed-2"),
        "waits": ("waits-1", "waits-2"),
    }


EXCLUDING = dataclasses.replace(
    WAITING,
    conditions=(
        *WAITING.conditions,
        make_condition(
            "GraphResolved",
            "True",
            "Resolved",
            "The order of 2 stacks is known. Excluded, but not in the graph: 'databas' (did you "
            "mean 'database'?). Correct `spec.graph.exclude.stackIds`.",
        ),
    ),
)
NOTES = {
    "an older spec": make_shown_chain(WAITING, generation=2),
    "a request that is not taken up yet": make_shown_chain(WAITING, retry="1"),
    "a request that waits": make_shown_chain(dataclasses.replace(WAITING, pending_run=pending)),
    "a schedule": make_shown_chain(dataclasses.replace(WAITING, schedule=SCHEDULE)),
    "runs of the roots": make_shown_chain(
        dataclasses.replace(WAITING, triggers=v1alpha1.TriggersStatus(digest="0" * 16))
    ),
    "roots that cannot be read": make_shown_chain(
        dataclasses.replace(
            WAITING, triggers=v1alpha1.TriggersStatus(digest="0" * 16, problem="It is gone.")
        )
    ),
    "an exclusion that is no stack": make_shown_chain(EXCLUDING),
    "being deleted": make_shown_chain(WAITING, is_deleting=True),
}


@pytest.mark.parametrize("case", NOTES)
def test_it_notes_what_else_affects_the_chain(case: str, golden: Golden) -> None:
    notes = explanation.explain(NOTES[case]).notes

    golden("plugin_explain").check(f"note: {case}", "\n".join(notes))


def test_programs_get_the_same() -> None:
    document = explanation.document(explanation.explain(make_shown_chain(WAITING)))

    assert document["chain"] == {"namespace": "team", "name": "prod"}
    assert document["ready"]["reason"] == "AwaitingConfirmation"
    assert [(one["id"], one["runUrl"], one["holds"]) for one in document["stacks"]] == [
        ("eks", LINK, ["app"])
    ]


@pytest.mark.parametrize("width", [40, 80, 120, 160])
def test_a_live_run_is_explained_with_its_stages(width: int, case: str, golden: Golden) -> None:
    chain = make_shown_chain(big_chains.with_stages(WAITING))

    lines = shown(explanation.explain(chain), width=width - 1)

    golden("stage_rows").check(f"explained, {case}", "\n".join(lines))
    assert all(len(line) < width or "https://" in line for line in lines)


def test_the_stages_of_a_run_that_is_over_explain_nothing() -> None:
    over = dataclasses.replace(FAILED, stacks=(make_stack_status("a", phase=Phase.FAILED),))

    lines = shown(explanation.explain(make_shown_chain(big_chains.with_stages(over))), width=99)

    assert not any("office-hours" in line for line in lines)
