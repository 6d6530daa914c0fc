"""What a chain waits for, told from its status and the documented reasons."""

import dataclasses

import pytest

from controller.api import reasons, v1alpha1
from controller.api.v1alpha1 import Phase, StackChain, StackStatus
from controller.display import styled_text
from controller.plugin import explanation
from tests.support.statuses import make_chain, make_stack, make_status

LINK = "https://example.app.spacelift.io/stack/eks/run/01J"
WAITING = make_status(
    make_stack("vpc", phase=Phase.SUCCEEDED),
    make_stack(
        "eks",
        1,
        "vpc",
        phase=Phase.AWAITING_CONFIRMATION,
        reason="NeedsConfirmation",
        message="The run has planned changes.",
        url=LINK,
    ),
    make_stack("app", 2, "eks", reason="UpstreamPending", message="Waits for 'eks'."),
    ready=("Unknown", "AwaitingConfirmation", "'eks' waits for a person."),
)


def told(chain: StackChain, *, width: int = 200) -> list[str]:
    found = explanation.explain(chain)
    return [styled_text.plain_text(line) for line in explanation.render(found, width=width)]


def test_it_says_what_is_waited_for_and_what_to_do() -> None:
    assert told(make_chain(WAITING)) == [
        "prod  Ready=Unknown AwaitingConfirmation",
        "At least one Spacelift run waits for a person.",
        "'eks' waits for a person.",
        "",
        "eks  AwaitingConfirmation NeedsConfirmation",
        "  The run has planned changes.",
        "  What to do: Confirm or discard it at the link.",
        "  Held up by it: app.",
        f"  {LINK}",
        "",
        "What to do: Open the link in the message; confirm, discard or approve the run in "
        "Spacelift.",
    ]


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
def test_the_next_command_is_told_where_there_is_one(
    ready: tuple[str, str], command: str | None
) -> None:
    found = explanation.explain(make_chain(make_status(ready=(*ready, "Words."))))

    assert found.command == command


@pytest.mark.parametrize("reason", list(reasons.ChainReason))
def test_every_documented_reason_is_blocking(reason: reasons.ChainReason) -> None:
    found = explanation.explain(make_chain(make_status(ready=("False", reason, "Words."))))

    meaning = reasons.CHAIN_MEANINGS[reason]
    assert (found.means, found.do) == (meaning.means, meaning.do)


CAUSES: dict[str, tuple[list[StackStatus], dict[str, tuple[str, ...]]]] = {
    "a failed stack holds those that were skipped because of it": (
        [
            make_stack("a", phase=Phase.FAILED, reason="RunFailed"),
            make_stack("b", phase=Phase.SKIPPED, reason="UpstreamNotSucceeded", blocked_by="a"),
            make_stack("c", phase=Phase.SKIPPED, reason="FailFast", blocked_by="a"),
        ],
        {"a": ("b", "c")},
    ),
    "what ended well is no cause": (
        [
            make_stack("a", phase=Phase.SUCCEEDED, reason="RunFinished"),
            make_stack("b", phase=Phase.SKIPPED, reason="OutputUnchanged"),
        ],
        {},
    ),
    "a stack without an unfinished upstream waits for itself": (
        [make_stack("a", reason="SlotPending"), make_stack("b", phase=Phase.RUNNING)],
        {"a": (), "b": ()},
    ),
    "a reason of a newer operator": ([make_stack("a", reason="MoonPhase")], {"a": ()}),
}


@pytest.mark.parametrize(("stacks", "expected"), CAUSES.values(), ids=CAUSES.keys())
def test_causes_are_told_apart_from_what_follows_from_them(
    stacks: list[StackStatus], expected: dict[str, tuple[str, ...]]
) -> None:
    found = explanation.explain(make_chain(make_status(*stacks)))

    assert {one.stack.id: one.holds for one in found.blocking} == expected


pending = v1alpha1.PendingRun(cause="RunToken", message="Waits for run 1 to end.")
SCHEDULE = v1alpha1.ScheduleStatus(
    digest="0" * 16,
    checked_time="2026-03-01T06:00:00Z",
    next_time="2026-03-02T06:00:00Z",
    missed=2,
    last_missed_time="2026-03-01T06:00:00Z",
)
NOTES = {
    "nobody has seen it": (
        make_chain(),
        "What to do: Wait a moment; if it stays so, see whether `stackchain operator` runs and "
        "watches this namespace.",
    ),
    "an older spec": (
        make_chain(WAITING, generation=2),
        "The operator has not looked at the newest change of the spec yet.",
    ),
    "an unhandled token": (
        make_chain(WAITING, retry="1"),
        "`stackchain.dev/retry: 1` has not been taken up yet.",
    ),
    "a request that waits": (
        make_chain(dataclasses.replace(WAITING, pending_run=pending)),
        "Another request (RunToken): Waits for run 1 to end.",
    ),
    "when the schedule starts it": (
        make_chain(dataclasses.replace(WAITING, schedule=SCHEDULE)),
        "The schedule asks for the next run at 2026-03-02T06:00:00Z.",
    ),
    "what the schedule has missed": (
        make_chain(dataclasses.replace(WAITING, schedule=SCHEDULE)),
        "The schedule has missed 2, the newest at 2026-03-01T06:00:00Z.",
    ),
    "that a root starts it": (
        make_chain(dataclasses.replace(WAITING, triggers=v1alpha1.TriggersStatus(digest="0" * 16))),
        "A finished run of a root that no chain has started starts it.",
    ),
    "that a root cannot be looked at": (
        make_chain(
            dataclasses.replace(
                WAITING, triggers=v1alpha1.TriggersStatus(digest="0" * 16, problem="It is gone.")
            )
        ),
        "The roots could not all be looked at: It is gone.",
    ),
    "being deleted": (make_chain(WAITING, is_deleting=True), "It is being deleted."),
}


@pytest.mark.parametrize(("chain", "expected"), NOTES.values(), ids=NOTES.keys())
def test_what_else_is_going_on_is_told(chain: StackChain, expected: str) -> None:
    assert expected in told(chain)


def test_programs_get_the_same() -> None:
    document = explanation.document(explanation.explain(make_chain(WAITING)))

    assert document["chain"] == {"namespace": "team", "name": "prod"}
    assert document["ready"]["reason"] == "AwaitingConfirmation"
    assert [(one["id"], one["url"], one["holds"]) for one in document["stacks"]] == [
        ("eks", LINK, ["app"])
    ]
