"""Native stack dependencies: who is queued, who waits, who is skipped."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from devenv.simulator.model import run_actions, stack_actions
from devenv.simulator.model.errors import Refusal

MakeLab = Callable[..., Any]


def needs(stack: str, **spec: Any) -> dict[str, Any]:
    return {"stack": stack, "references": [{"output": "o", "input": f"TF_VAR_{stack}"}], **spec}


def test_all_transitive_dependents_are_queued_when_the_run_is_created(lab: MakeLab) -> None:
    account = lab(edges=["up -> a -> b -> c", "a -> c", "other -> x"])

    origin = account.trigger("a")

    assert account.states() == {"a": "QUEUED", "b": "QUEUED", "c": "QUEUED"}
    assert account.run_of("b").triggered_by == "a"
    assert account.run_of("c").triggered_by == "a"
    assert account.run_of("b").origin_id == origin.id
    assert all(account.run_of(s).id > origin.id for s in "bc")


def test_dependents_start_when_their_own_upstreams_of_the_wave_are_over(lab: MakeLab) -> None:
    account = lab(
        edges=["a -> b -> d", "a -> c -> d"],
        stacks={"c": {"durations": {"applying": 30}}},
    )
    account.trigger("a")

    account.until(account.run_of("b"), "FINISHED")
    assert account.states() == {
        "a": "FINISHED",
        "b": "FINISHED",
        "c": "APPLYING",
        "d": "QUEUED",
    }
    account.until(account.run_of("c"), "FINISHED")
    account.until(account.run_of("d"), "FINISHED")

    assert account.run_of("d").history[1].at >= account.run_of("c").history[-1].at


@pytest.mark.parametrize("run_type", ["PROPOSED", "DESTROY"])
def test_only_tracked_runs_fan_out(lab: MakeLab, run_type: str) -> None:
    account = lab(edges=["a -> b"])

    account.trigger("a", run_type)

    assert "b" not in account.states()


def test_a_task_does_not_fan_out(lab: MakeLab) -> None:
    account = lab(edges=["a -> b"])

    account.task("a")

    assert "b" not in account.states()


def test_a_retry_does_not_fan_out(lab: MakeLab) -> None:
    account = lab(edges=["a -> b"], stacks={"a": {"outcomes": ["fail", "changes"]}})
    run = account.trigger("a")
    account.advance(60)

    account.act("retry", run, username="x")
    account.advance(60)

    assert [len(account.account.runs_of(s)) for s in "ab"] == [2, 1]


@pytest.mark.parametrize("ending", ["SKIPPED", "CANCELED"])
def test_a_failed_upstream_ends_direct_dependents_but_a_skip_does_not_propagate(
    lab: MakeLab, ending: str
) -> None:
    """The trap of the support knowledge base: C runs although A failed."""
    account = lab(
        edges=["a -> b -> c"],
        stacks={"a": {"outcomes": ["fail"]}},
        behavior={"onUpstreamFailure": ending},
    )
    account.trigger("a")

    account.advance(60)

    last = "FINISHED" if ending == "SKIPPED" else "CANCELED"
    assert account.states() == {"a": "FAILED", "b": ending, "c": last}


def test_in_a_diamond_one_skipped_and_one_finished_upstream_let_the_dependent_run(
    lab: MakeLab,
) -> None:
    account = lab(
        stacks={
            "a": {"outcomes": ["no-op"], "outputs": {"o": "1"}},
            "b": {"dependsOn": [needs("a")]},
            "c": {"dependsOn": ["a"]},
            "d": {"dependsOn": ["b", "c"]},
        }
    )
    account.trigger("a")

    account.advance(60)

    assert account.states() == {
        "a": "FINISHED",
        "b": "SKIPPED",
        "c": "FINISHED",
        "d": "FINISHED",
    }


@pytest.mark.parametrize("operation", ["discard", "stop", "cancel"])
def test_an_upstream_that_was_ended_by_a_person_counts_as_failed(
    lab: MakeLab, operation: str
) -> None:
    account = lab(edges=["a -> b"], stacks={"a": {"autodeploy": False}})
    run = account.trigger("a")
    state = {"discard": "UNCONFIRMED", "stop": "PLANNING", "cancel": "READY"}[operation]
    account.until(run, state)

    account.act(operation, run, username="x")
    account.advance(60)

    assert account.run_of("b").state == "SKIPPED"


def test_an_unconfirmed_upstream_keeps_its_dependents_queued(lab: MakeLab) -> None:
    account = lab(edges=["a -> b"], stacks={"a": {"autodeploy": False}})
    account.trigger("a")

    account.advance(3600)

    assert account.states() == {"a": "UNCONFIRMED", "b": "QUEUED"}


# upstream's outcome, edge, output known before -> state of the dependent's run
REFERENCES = {
    "changed": ({"outputs": {"o": "2"}}, needs("a"), True, "FINISHED"),
    "same-value": ({"outputs": {"o": "1"}}, needs("a"), True, "SKIPPED"),
    "other-output": ({"outputs": {"p": "2"}}, needs("a"), True, "SKIPPED"),
    "no-op": ("no-op", needs("a"), True, "SKIPPED"),
    "no-op-edge-always": ("no-op", needs("a", triggerAlways=True), True, "FINISHED"),
    "no-op-no-references": ("no-op", "a", True, "FINISHED"),
    "new-reference": ({"outputs": {"o": "1"}}, needs("a"), False, "FINISHED"),
    "never-published": ("no-op", needs("a"), False, "FAILED"),
}


@pytest.mark.parametrize(("outcome", "edge", "known", "state"), REFERENCES.values(), ids=REFERENCES)
def test_references_decide_whether_a_dependent_runs(
    lab: MakeLab, outcome: Any, edge: Any, known: bool, state: str
) -> None:
    account = lab(
        stacks={
            "a": {"outcomes": [outcome], "outputs": {"o": "1"} if known else {}},
            "b": {"dependsOn": [edge]},
        }
    )
    account.trigger("a")

    account.advance(60)

    assert account.run_of("b").state == state


def test_a_reference_can_trigger_always(lab: MakeLab) -> None:
    edge = needs("a")
    edge["references"][0]["triggerAlways"] = True
    account = lab(
        stacks={
            "a": {"outcomes": ["no-op"], "outputs": {"o": "1"}},
            "b": {"dependsOn": [edge]},
        }
    )
    account.trigger("a")

    account.advance(60)

    assert account.run_of("b").state == "FINISHED"


def test_a_skip_names_the_unchanged_references(lab: MakeLab) -> None:
    account = lab(
        stacks={
            "a": {"outcomes": ["no-op"], "outputs": {"o": "1"}},
            "b": {"dependsOn": [needs("a")]},
        }
    )
    account.trigger("a")
    account.advance(60)

    note = account.run_of("b").history[-1].note

    assert note.startswith("This run has dependency references")
    assert note.endswith("which have not changed since the last run")


def test_missing_inputs_fail_the_job_assignment(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"name": "Vpc"}, "b": {"dependsOn": [needs("a")]}})
    run = account.trigger("b")

    account.advance(60)

    assert run.state == "FAILED"
    assert run.history[-1].note == (
        "job assignment failed: the following inputs are missing: Vpc.o => TF_VAR_a"
    )


def test_outputs_of_a_stack_whose_latest_run_failed_cannot_be_used(lab: MakeLab) -> None:
    account = lab(
        stacks={
            "a": {"outputs": {"o": "1"}, "outcomes": ["fail", "no-op"]},
            "b": {"dependsOn": [needs("a")]},
        }
    )
    account.trigger("a")
    account.advance(60)
    account.trigger("b")
    account.advance(60)
    assert account.run_of("b").state == "FAILED"

    account.trigger("a")
    account.advance(60)
    account.trigger("b")
    account.advance(60)

    assert account.run_of("b").state == "FINISHED"


def test_an_apply_changes_all_outputs_unless_its_script_says_which(lab: MakeLab) -> None:
    account = lab(
        stacks={
            "a": {"outcomes": [{}, {"outputs": {"p": "x"}}, "no-op"]},
            "b": {"dependsOn": [needs("a")]},
        }
    )
    for _ in range(3):
        account.trigger("a")
        account.advance(60)

    outputs = account.stack("a").outputs
    assert {name: out.value for name, out in outputs.items()} == {"o": "o-1", "p": "x"}
    assert [run.state for run in account.account.runs_of("b")] == [
        "FINISHED",
        "SKIPPED",
        "SKIPPED",
    ]


def test_fan_out_can_be_switched_off(lab: MakeLab) -> None:
    account = lab(edges=["a -> b"], behavior={"fanOut": False})

    account.trigger("a")

    assert "b" not in account.states()


@pytest.mark.parametrize("suppresses", [True, False])
def test_forced_single_apply_fans_out_unless_switched(lab: MakeLab, suppresses: bool) -> None:
    account = lab(edges=["a -> b"], behavior={"forceApplySingleSuppressesFanOut": suppresses})

    account.trigger("a", force_apply="SINGLE")

    assert ("b" in account.states()) is not suppresses


def test_a_disabled_dependent_gets_no_run_and_hides_what_is_behind_it(lab: MakeLab) -> None:
    account = lab(edges=["a -> b -> c", "a -> d"], stacks={"b": {"disabled": True}})

    account.trigger("a")

    assert account.states().keys() == {"a", "d"}


def test_a_push_to_several_stacks_is_one_wave(lab: MakeLab) -> None:
    account = lab(edges=["a -> b -> c"])
    commit = stack_actions.made_up_commit("new")

    stacks = [account.stack("b"), account.stack("a")]
    runs = stack_actions.push(account.engine, stacks, commit)
    account.advance(60)

    assert {run.stack_id: run.triggered_by for run in runs} == {"a": None, "b": None, "c": "b"}
    assert account.states() == {"a": "FINISHED", "b": "FINISHED", "c": "FINISHED"}
    assert account.run_of("b").history[1].at >= account.run_of("a").history[-1].at


def test_a_commit_pushed_twice_makes_one_run(lab: MakeLab) -> None:
    account = lab(stacks=["a"])
    commit = stack_actions.made_up_commit("new")
    stack_actions.push(account.engine, [account.stack("a")], commit)

    assert stack_actions.push(account.engine, [account.stack("a")], commit) == []


def test_canceling_a_queued_dependent_lets_the_next_one_be_skipped(lab: MakeLab) -> None:
    account = lab(edges=["a -> b -> c"])
    account.trigger("a")

    account.act("cancel", account.run_of("b"), username="x")

    assert account.run_of("c").state == "SKIPPED"


def test_an_edge_added_during_a_wave_counts_for_the_next_one(lab: MakeLab) -> None:
    account = lab(edges=["a -> b"], stacks=["c"])
    account.trigger("a")
    stack_actions.add_edge(
        account.engine, account.stack("c"), account.stack("b"), trigger_always=False
    )
    account.advance(60)
    assert "c" not in account.states()

    account.trigger("a")

    assert "c" in account.states()


def test_a_stack_deleted_during_a_wave_breaks_the_wave_there(lab: MakeLab) -> None:
    account = lab(edges=["a -> b -> c"])
    account.trigger("a")
    waiting = account.run_of("b")

    stack_actions.remove(account.engine, account.stack("b"))
    account.advance(60)

    assert waiting.state == "CANCELED"
    assert account.states() == {"a": "FINISHED", "c": "SKIPPED"}


def test_dependencies_stay_a_dag(lab: MakeLab) -> None:
    account = lab(edges=["a -> b -> c"])

    with pytest.raises(Refusal, match="cycle"):
        stack_actions.add_edge(
            account.engine, account.stack("a"), account.stack("c"), trigger_always=False
        )


def test_what_others_depend_on_is_not_deleted(lab: MakeLab) -> None:
    account = lab(edges=["a -> b"])

    with pytest.raises(Refusal, match="dependents"):
        stack_actions.delete(account.engine, account.stack("a"))


def test_a_wave_of_five_hundred_skips_ends(lab: MakeLab) -> None:
    """Each skip causes the next: that must not go through the call stack."""
    names = [f"s{number:03}" for number in range(500)]
    stacks: dict[str, Any] = {names[0]: {"outcomes": ["no-op"], "outputs": {"o": "1"}}}
    for upstream, name in itertools.pairwise(names):
        stacks[name] = {"dependsOn": [needs(upstream)], "outputs": {"o": "1"}}
    account = lab(stacks=stacks)

    account.trigger(names[0])
    account.advance(60)

    assert list(account.states().values()) == ["FINISHED", *["SKIPPED"] * 499]


def test_a_drift_check_is_answered_with_a_tracked_run(lab: MakeLab) -> None:
    account = lab(
        workerPools={"p": {}},
        stacks={"a": {"workerPool": "p", "state": "FINISHED", "driftReconcile": True}},
    )
    stack_actions.drift_check(account.engine, account.stack("a"))

    account.advance(60)

    runs = account.account.runs_of("a")
    assert [(run.type, run.drift_detection) for run in runs] == [
        ("PROPOSED", True),
        ("TRACKED", True),
    ]


def test_promotion_needs_to_be_enabled_and_makes_a_tracked_run(lab: MakeLab) -> None:
    account = lab(stacks={"a": {"allowPromotion": True}, "b": {}})
    commit = stack_actions.made_up_commit("pr")
    stacks = [account.stack("a"), account.stack("b")]
    stack_actions.push(account.engine, stacks, commit, is_proposed=True)
    account.advance(60)

    promoted = account.act("promote", account.run_of("a"), username="ann")

    assert (promoted.type, promoted.commit.hash) == ("TRACKED", commit.hash)
    assert run_actions.promote_blocker(account.engine, account.run_of("b")) is not None
