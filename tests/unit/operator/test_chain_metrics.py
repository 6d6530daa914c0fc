"""What the metrics say of all StackChains together."""

import dataclasses

import pytest
from prometheus_client import generate_latest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.observability import metrics
from controller.operator import chain_metrics, chain_troubles
from tests.support import builders, promql, situations
from tests.support.builders import make_stack

# 2026-03-01T10:00:00Z, when everything began in these statuses, and an hour later.
START = 1772359200.0
LATER = "2026-03-01T11:00:00Z"

RUNNING = situations.projected(situations.live(make_stack("a", Phase.RUNNING), make_stack("b")))
SUCCEEDED = situations.projected(situations.ended(situations.SUCCEEDED))


def of_a_wait(reason: str, condition: str | None = None) -> v1alpha1.Status:
    """Return a status whose run began at START and which has waited since LATER."""
    status = builders.make_shown_status(ready=("Unknown", reason, ""))
    waiting = builders.make_condition(condition or reason, "True", reason, "")
    waits = dataclasses.replace(waiting, last_transition_time=LATER)
    return dataclasses.replace(status, conditions=(*status.conditions, waits))


def test_a_run_in_progress_counts_with_its_reason_and_its_stacks() -> None:
    figures = chain_metrics.figures_of(RUNNING, is_settled=False)

    assert figures.reason == ChainReason.PROGRESSING
    assert sorted(phase for phase, _ in figures.stacks) == [Phase.PENDING, Phase.RUNNING]


def test_stacks_of_a_run_that_is_over_do_not_count_any_more() -> None:
    assert chain_metrics.figures_of(SUCCEEDED, is_settled=True).stacks == ()


def test_a_time_that_no_calendar_has_leaves_the_rest_of_the_figures() -> None:
    """A status may be edited, and the figures of all resources are made together."""
    status = of_a_wait("AwaitingConfirmation")
    edited = tuple(
        dataclasses.replace(item, last_transition_time="0000-01-01T00:00:00Z")
        for item in status.conditions
    )

    figures = chain_metrics.figures_of(
        dataclasses.replace(status, conditions=edited), is_settled=False
    )

    assert (figures.reason, figures.since) == ("AwaitingConfirmation", None)


def test_a_resource_that_no_operator_has_seen_counts_as_such() -> None:
    figures = chain_metrics.figures_of(v1alpha1.Status(), is_settled=False)

    assert (figures.reason, figures.since) == (chain_metrics.UNOBSERVED, None)


@pytest.mark.parametrize(
    ("status", "is_settled", "since"),
    [
        pytest.param(builders.make_shown_status(), False, START, id="run in progress: its start"),
        pytest.param(of_a_wait("AwaitingConfirmation"), False, START + 3600, id="person: the wait"),
        pytest.param(
            of_a_wait("AwaitingApproval", "AwaitingConfirmation"),
            False,
            START + 3600,
            id="a stage's approval: the wait",
        ),
        pytest.param(of_a_wait("Suspended"), False, START + 3600, id="suspended: the suspension"),
        pytest.param(
            builders.make_shown_status(
                ready=("False", "GraphCycle", ""), phase=Phase.FAILED, start_time=LATER
            ),
            False,
            START,
            id="run over, to be looked at again: since Ready is as it is",
        ),
        pytest.param(SUCCEEDED, True, None, id="settled: nothing is waited for"),
    ],
)
def test_since_when_something_is_waited_for(
    status: v1alpha1.Status, is_settled: bool, since: float | None
) -> None:
    assert chain_metrics.figures_of(status, is_settled=is_settled).since == since


@pytest.mark.parametrize(
    ("live", "status", "expected"),
    [
        pytest.param(
            "run-1",
            builders.make_shown_status(
                phase=Phase.FAILED, workflow_run_id="run-1", completion_time=LATER
            ),
            ("Failed", 3600.0),
            id="was live and is over",
        ),
        pytest.param(
            None,
            builders.make_shown_status(
                phase=Phase.FAILED, workflow_run_id="run-1", completion_time=LATER
            ),
            None,
            id="was over already, or was never seen",
        ),
        pytest.param(
            "run-0",
            builders.make_shown_status(
                phase=Phase.FAILED, workflow_run_id="run-1", completion_time=LATER
            ),
            None,
            id="another run was live",
        ),
        pytest.param(
            "run-1", builders.make_shown_status(workflow_run_id="run-1"), None, id="goes on"
        ),
    ],
)
def test_a_run_counts_once_when_it_is_seen_to_end(
    live: str | None, status: v1alpha1.Status, expected: tuple[str, float] | None
) -> None:
    assert chain_metrics.ended_run(live, status) == expected


def test_what_is_read_is_what_holds_at_that_moment() -> None:
    counters = metrics.Metrics()
    known = [
        chain_metrics.figures_of(RUNNING, is_settled=False),
        chain_metrics.figures_of(SUCCEEDED, is_settled=True),
    ]
    counters.before_reading.append(lambda: chain_metrics.set_gauges(known, counters))

    first = generate_latest(counters.registry).decode()
    known.pop(0)
    second = generate_latest(counters.registry).decode()

    assert 'stackchain_chains{reason="Progressing"} 1.0' in first
    assert 'stackchain_live_stacks{phase="Pending"' in first
    assert 'stackchain_chains_oldest_timestamp_seconds{reason="Progressing"}' in first
    assert 'stackchain_chains{reason="Progressing"} 0.0' in second
    assert 'stackchain_chains{reason="RunSucceeded"} 1.0' in second
    assert "stackchain_live_stacks{" not in second
    assert "stackchain_chains_oldest_timestamp_seconds{" not in second


LIVE_WITH_A_FAILURE = situations.projected(
    situations.live(make_stack("a", Phase.FAILED), make_stack("b", Phase.AWAITING_CONFIRMATION))
)


def named(name: str, status: v1alpha1.Status) -> chain_metrics.NamedFigures:
    figures = chain_metrics.figures_of(status, is_settled=False)
    return chain_metrics.NamedFigures(namespace="team", name=name, figures=figures)


def test_each_chain_has_its_reason_and_its_failed_stacks_by_name() -> None:
    counters = metrics.Metrics()

    chains = [named("fine", SUCCEEDED), named("prod", LIVE_WITH_A_FAILURE)]
    chain_metrics.set_chain_gauges(chains, counters, most=10)

    text = generate_latest(counters.registry).decode()
    info = (
        'stackchain_chain_info{chain="prod",chain_namespace="team",reason="AwaitingConfirmation"}'
    )
    assert f"{info} 1.0" in text
    assert 'stackchain_chain_failed_stacks{chain="prod",chain_namespace="team"} 1.0' in text
    assert 'chain_failed_stacks{chain="fine"' not in text


@pytest.mark.parametrize(
    ("most", "listed"),
    [(0, []), (1, ["prod"]), (2, ["prod", "runs"]), (9, ["prod", "runs", "a-fine"])],
)
def test_of_too_many_chains_those_in_trouble_are_listed_and_the_others_counted(
    most: int, listed: list[str]
) -> None:
    counters = metrics.Metrics()
    chains = [
        named("a-fine", SUCCEEDED),
        named("runs", RUNNING),
        named("prod", LIVE_WITH_A_FAILURE),
    ]

    chain_metrics.set_chain_gauges(chains, counters, most=most)

    text = generate_latest(counters.registry).decode()
    found = {name for name in ("a-fine", "runs", "prod") if f'info{{chain="{name}"' in text}
    assert found == set(listed)
    assert f"stackchain_chains_unlisted {3 - len(listed)}.0" in text
    assert ("stackchain_chain_failed_stacks{" in text) == bool(listed)


def with_drift(status: str = "True") -> v1alpha1.Status:
    """Return a status that is fine, except for what a condition says of drift since LATER."""
    condition = builders.make_condition("DriftDetected", status, "ChangesFound", "")
    since = dataclasses.replace(condition, last_transition_time=LATER)
    return dataclasses.replace(SUCCEEDED, conditions=(*SUCCEEDED.conditions, since))


@pytest.mark.parametrize(
    ("status", "since"),
    [("True", START + 3600), ("False", None), ("Unknown", None)],
)
def test_drift_counts_for_as_long_as_the_status_knows_of_it(
    status: str, since: float | None
) -> None:
    figures = chain_metrics.figures_of(with_drift(status), is_settled=True)

    assert figures.drifted_since == since


def test_each_trouble_of_a_chain_has_its_series_until_it_is_over() -> None:
    counters = metrics.Metrics()
    noted = {chain_troubles.Trouble.START_MISSED: START}
    in_trouble = dataclasses.replace(named("prod", with_drift()), noted=noted)

    chain_metrics.set_chain_gauges([named("a-fine", SUCCEEDED), in_trouble], counters, most=1)
    first = troubles_of(counters)
    chain_metrics.set_chain_gauges([named("prod", SUCCEEDED)], counters, most=1)
    second = troubles_of(counters)
    chain_metrics.set_chain_gauges([in_trouble], counters, most=0)

    assert first == {
        ("team", "prod", "DriftDetected"): START + 3600,
        ("team", "prod", "StartMissed"): START,
    }
    assert second == {}
    assert troubles_of(counters) == {}


def troubles_of(counters: metrics.Metrics) -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels[label] for label in ("chain_namespace", "chain", "trouble")): (
            sample.value
        )
        for family in counters.chain_trouble.collect()
        for sample in family.samples
    }


def test_a_chain_that_waits_for_another_is_not_in_trouble() -> None:
    counters = metrics.Metrics()
    waiting = builders.make_shown_status(ready=("Unknown", "WaitingForChain", ""))
    blocked = builders.make_shown_status(ready=("Unknown", "Blocked", ""))

    chains = [named("a-waiting", waiting), named("blocked", blocked)]
    chain_metrics.set_chain_gauges(chains, counters, most=1)

    assert 'stackchain_chain_info{chain="blocked"' in generate_latest(counters.registry).decode()


HELD = situations.projected(
    situations.live(
        make_stack("a", Phase.WAITING, reason=StackReason.STACK_LOCKED),
        make_stack("b", Phase.WAITING, reason=StackReason.STACK_LOCKED),
        make_stack("c", Phase.RUNNING),
    )
)


def test_each_chain_says_since_when_it_waits_and_which_of_its_stacks_are_held_up() -> None:
    counters = metrics.Metrics()
    settled = chain_metrics.NamedFigures(
        namespace="team",
        name="fine",
        figures=chain_metrics.figures_of(SUCCEEDED, is_settled=True),
    )

    chain_metrics.set_chain_gauges([settled, named("prod", HELD)], counters, most=2)

    text = generate_latest(counters.registry).decode()
    held = 'held_stacks{chain="prod",chain_namespace="team",reason="StackLocked"}'
    since = 'since_timestamp_seconds{chain="prod",chain_namespace="team",reason="Blocked"}'
    assert f"stackchain_chain_{held} 2.0" in text
    assert float(text.partition(f"stackchain_chain_{since} ")[2].split()[0]) == START
    assert 'held_stacks{chain="fine"' not in text
    assert 'since_timestamp_seconds{chain="fine"' not in text


def test_what_counts_as_held_up_is_what_the_alert_names() -> None:
    """Where chains do not have their own series, the alert goes by the reasons of all stacks."""
    (rule,) = [item for item in promql.alerts() if item["alert"] == "StackChainStacksBlocked"]

    matched = promql.Query(where="", text=rule["expr"]).selectors()["stackchain_live_stacks"]
    assert promql.alternatives([matched["reason"]]) == chain_metrics.HELD_UP
