"""The edge between the API server's objects and ours: reading, writing, and what does not fit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase, Source
from tests.support.builders import UID, handled, make_body, make_run, make_status

SPEC = {"roots": {"stackIds": ["vpc"]}}


# Reading a resource


def test_a_resource_is_read_with_its_identity_and_its_asks() -> None:
    body = make_body(
        {
            "connectionName": "prod",
            "roots": {"stackIds": ["vpc", "dns"]},
            "graph": {"sources": ["Labels"]},
            "parallelism": 3,
        },
        annotations={"stackchain.dev/run": "t", "other": "x"},
        generation=5,
    )

    chain = v1alpha1.parse(body)

    assert chain.ref == v1alpha1.Ref(namespace="team", name="chain", uid=UID, generation=5)
    assert (chain.resource_version, chain.run_token, chain.is_deleting) == ("7", "t", False)
    assert chain.spec.connection_name == "prod"
    assert chain.spec.roots.stack_ids == ("vpc", "dns")
    assert chain.spec.graph.sources == (Source.LABELS,)
    assert chain.spec.parallelism == 3
    assert chain.status == v1alpha1.Status()


def test_what_is_left_out_has_the_defaults_of_the_definition() -> None:
    spec = v1alpha1.parse(make_body(SPEC)).spec

    assert spec.connection_name == "default"
    assert spec.graph.sources == (Source.DEPENDENCIES, Source.LABELS)
    assert spec.parallelism == 10


def test_a_resource_without_annotations_has_no_token() -> None:
    assert v1alpha1.parse(make_body(SPEC)).run_token is None
    assert v1alpha1.parse(make_body(SPEC, annotations=None)).run_token is None


def test_a_resource_that_is_being_deleted_says_so() -> None:
    assert v1alpha1.parse(make_body(SPEC, deletionTimestamp="2026-01-01T00:00:00Z")).is_deleting


def test_a_field_of_a_later_release_is_passed_over() -> None:
    assert v1alpha1.parse(make_body({**SPEC, "suspend": True})).spec.parallelism == 10


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param({}, "`spec.roots`: Field required", id="no roots"),
        pytest.param({"roots": {}}, "`spec.roots.stackIds`: Field required", id="no ids"),
        pytest.param(
            {"roots": {"stackIds": []}}, "`spec.roots.stackIds`: Tuple should have", id="empty ids"
        ),
        pytest.param(
            {**SPEC, "graph": {"sources": ["Terraform"]}},
            "`spec.graph.sources.0`: Input should be 'Dependencies' or 'Labels'",
            id="a source of a later release",
        ),
        pytest.param(
            {**SPEC, "parallelism": "many"}, "`spec.parallelism`: Input should be", id="type"
        ),
        pytest.param(["vpc"], "`spec`: Input should be", id="no object"),
    ],
)
def test_what_does_not_fit_is_named(spec: Any, message: str) -> None:
    with pytest.raises(v1alpha1.InvalidResource) as caught:
        v1alpha1.parse(make_body(spec))

    assert str(caught.value).startswith(message)


def test_a_handle_can_be_read_whatever_the_spec_holds() -> None:
    assert v1alpha1.read_ref(make_body({"roots": 7})).uid == UID


# The status


def full_status() -> v1alpha1.Status:
    """Return a status with every field set."""
    return v1alpha1.Status(
        observed_generation=3,
        conditions=(
            v1alpha1.Condition(
                type="Ready",
                status="False",
                reason="StackFailed",
                message="1 of 2 stacks failed.",
                observed_generation=3,
                last_transition_time="2026-03-01T10:00:00Z",
            ),
        ),
        graph=v1alpha1.GraphStatus(
            stacks=2, edges=1, levels=2, resolved_time="2026-03-01T10:00:00Z"
        ),
        latest_run=make_run(2, phase=Phase.FAILED, url="https://temporal", progress="1/2"),
        pending_run=v1alpha1.PendingRun(trigger="Spec", message="Waits."),
        last_handled=handled(run="token"),
        stacks=(
            v1alpha1.StackStatus(
                id="a",
                level=1,
                phase=Phase.FAILED,
                name="A",
                depends_on=("b", "c"),
                reason="RunFailed",
                message="The run failed.",
                blocked_by="b",
                run_id="01",
                run_state="FAILED",
                url="https://spacelift",
                start_time="2026-03-01T10:00:00Z",
                completion_time="2026-03-01T10:00:00Z",
                delta=v1alpha1.Delta(added=0, changed=1, deleted=2),
            ),
        ),
    )


def test_a_status_is_written_as_kubernetes_spells_it() -> None:
    written = v1alpha1.status_to_dict(full_status())

    assert written["observedGeneration"] == 3
    assert written["conditions"][0]["lastTransitionTime"] == "2026-03-01T10:00:00Z"
    assert written["latestRun"]["workflowRunId"] == "execution-2-1"
    assert written["latestRun"]["summary"]["awaitingConfirmation"] == 0
    assert written["lastHandled"]["run"] == "token"
    assert written["stacks"][0]["dependsOn"] == ["b", "c"]
    assert written["stacks"][0]["delta"] == {"added": 0, "changed": 1, "deleted": 2}


def test_enumerations_are_written_as_plain_text() -> None:
    written = v1alpha1.status_to_dict(full_status())

    assert type(written["latestRun"]["phase"]) is str
    assert type(written["stacks"][0]["phase"]) is str


def test_what_is_empty_is_left_out() -> None:
    written = v1alpha1.status_to_dict(make_status(make_run(1, url=None)))

    assert "stacks" not in written
    assert "pendingRun" not in written
    assert "url" not in written["latestRun"]


def test_a_written_status_reads_back_equal() -> None:
    assert v1alpha1.read_status(v1alpha1.status_to_dict(full_status())) == full_status()
    assert v1alpha1.read_status({}) == v1alpha1.Status()


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        pytest.param({"stacks": [{"id": "a", "level": 0, "phase": "TimedOut"}]}, True, id="phase"),
        pytest.param({"stacks": "many"}, True, id="type"),
        pytest.param({"graph": {"stacks": 1}}, True, id="half a part"),
        pytest.param({"observedGeneration": "x"}, True, id="number"),
        pytest.param({"latestRun": {"number": 1, "phase": "Sleeping"}}, False, id="the run itself"),
    ],
)
def test_a_part_that_does_not_fit_costs_no_other_part(broken: dict[str, Any], kept: bool) -> None:
    """A newer release may have written it; numbers and handled asks must not be lost with it."""
    raw = v1alpha1.status_to_dict(full_status()) | broken

    found = v1alpha1.read_status(raw)

    assert found.last_handled == full_status().last_handled
    assert (found.latest_run == full_status().latest_run) is kept


def test_a_condition_is_found_by_its_type() -> None:
    ready = full_status().condition("Ready")

    assert ready is not None
    assert ready.reason == "StackFailed"
    assert full_status().condition("Stalled") is None


@pytest.mark.parametrize("phase", list(Phase))
def test_a_phase_is_over_if_nothing_more_happens_in_it(phase: Phase) -> None:
    ends = {Phase.SUCCEEDED, Phase.FAILED, Phase.SKIPPED, Phase.CANCELED}

    assert phase.is_over is (phase in ends)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
names = st.sampled_from(
    ["observedGeneration", "conditions", "graph", "latestRun", "lastHandled", "stacks", "x"]
)


@given(st.dictionaries(names, json_values))
def test_no_stored_status_makes_reading_fail(raw: dict[str, Any]) -> None:
    assert isinstance(v1alpha1.read_status(raw), v1alpha1.Status)
