"""The edge between the API server's objects and ours: reading, writing, and what does not fit."""

import dataclasses
import enum
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api import json_fields, v1alpha1
from controller.api.v1alpha1 import Phase, Source
from tests.support import definition
from tests.support.builders import UID, handled, make_body, make_run, make_status
from tests.support.golden import Golden
from tests.support.spec_values import full_spec, manifest_of

SPEC = {"roots": {"stackIds": ["vpc"]}}
FULL_SPEC = full_spec(without=("roots.stackIds",), operation="Destroy")


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
    assert (chain.run_token, chain.is_deleting) == ("t", False)
    assert chain.spec.connection_name == "prod"
    assert chain.spec.roots.stack_ids == ("vpc", "dns")
    assert chain.spec.graph.sources == (Source.LABELS,)
    assert chain.spec.policies.parallelism == 3
    assert chain.status == v1alpha1.Status()


def test_what_is_left_out_has_the_defaults_of_the_definition() -> None:
    least = {**SPEC, "schedule": {"cron": "@daily"}}
    spec = v1alpha1.parse(make_body(least)).spec

    written = manifest_of(spec)
    defaults = definition.spec_fields()
    for path, field in defaults.items():
        value: Any = {"spec": written}
        for name in path.split("."):
            # A list without items has no fields to look at.
            value = value[name] if isinstance(value, dict) else []
        if field["type"] != "object" and path not in ("spec.roots.stackIds", "spec.schedule.cron"):
            assert value in (field.get("default"), [])
    assert v1alpha1.parse(make_body(SPEC)).spec == v1alpha1.StackChainSpec(
        roots=v1alpha1.Roots(stack_ids=("vpc",))
    )


def test_the_model_has_the_fields_of_the_definition() -> None:
    """One that it lacks would be an option that is ignored."""
    assert {path for path, _ in model_fields()} == set(definition.spec_fields())


def test_the_words_of_the_model_are_those_of_the_definition() -> None:
    words = {
        path: [str(word) for word in found]
        for path, annotation in model_fields()
        for found in (annotation, *get_args(annotation))
        if isinstance(found, enum.EnumType)
    }
    allowed = {
        path: field.get("items", field)["enum"]
        for path, field in definition.spec_fields().items()
        if "enum" in field.get("items", field)
    }

    assert words == allowed


def model_fields() -> Iterator[tuple[str, Any]]:
    """Return the fields of the model of a spec by path, with their types."""

    def below(model: Any, path: str) -> Iterator[tuple[str, Any]]:
        if not dataclasses.is_dataclass(model):
            return
        types = get_type_hints(model)
        for field in dataclasses.fields(model):
            if field.name == "policies":  # fields of the spec itself in the manifest
                yield from below(types[field.name], path)
                continue
            place = f"{path}.{json_fields.name_of(field)}"
            yield place, types[field.name]
            for part in (types[field.name], *get_args(types[field.name])):
                yield from below(part, place)

    return below(v1alpha1.StackChainSpec, "spec")


def test_every_field_is_read_as_it_is_written() -> None:
    spec = v1alpha1.parse(make_body(FULL_SPEC)).spec

    assert spec.roots == v1alpha1.Roots(labels=("layer:other",))
    assert spec.graph == v1alpha1.Graph(
        direction=v1alpha1.Direction.UPSTREAM,
        sources=(Source.LABELS,),
        include_roots=False,
        max_depth=3,
        max_stacks=60,
        exclude=v1alpha1.Exclude(stack_ids=("x",), labels=("x",)),
    )
    assert (spec.operation, spec.destroy_confirmation) == ("Destroy", "chain")
    assert spec.commit_sha == "abcdef1"
    assert spec.runtime_environment == (v1alpha1.EnvironmentVariable(name="a", value="1"),)
    assert spec.policies.retry == v1alpha1.Retry(limit=3, backoff_seconds=5, max_backoff_seconds=60)
    deadlines = (
        spec.policies.confirmation_deadline_seconds,
        spec.policies.stack_deadline_seconds,
        spec.policies.active_deadline_seconds,
    )
    assert deadlines == (70, 80, 90)
    assert (spec.suspend, spec.history_limit) == (True, 3)
    written = manifest_of(spec)
    assert {**written, "roots": {"labels": written["roots"]["labels"]}} == FULL_SPEC


def test_an_empty_commit_is_none() -> None:
    """Templates leave an empty string if nothing was chosen, and that must not start a run."""
    assert v1alpha1.parse(make_body({**SPEC, "commitSHA": ""})).spec.commit_sha is None


@pytest.mark.parametrize("metadata", [{}, {"annotations": None}, {"annotations": {"x": "1"}}])
def test_a_resource_without_annotations_has_no_token(metadata: dict[str, Any]) -> None:
    read = v1alpha1.parse(make_body(SPEC, **metadata))

    assert (read.run_token, read.retry_token, read.cancel_token) == (None, None, None)


def test_each_token_is_read_from_its_own_annotation() -> None:
    annotations = {f"stackchain.dev/{name}": name for name in ("run", "retry", "cancel")}

    read = v1alpha1.parse(make_body(SPEC, annotations=annotations))

    assert (read.run_token, read.retry_token, read.cancel_token) == ("run", "retry", "cancel")


def test_a_resource_that_is_being_deleted_says_so() -> None:
    assert v1alpha1.parse(make_body(SPEC, deletionTimestamp="2026-01-01T00:00:00Z")).is_deleting


def test_a_field_of_a_later_release_is_passed_over() -> None:
    assert v1alpha1.parse(make_body({**SPEC, "windows": {}})).spec.policies.parallelism == 10


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="no roots"),
        pytest.param({"roots": {}}, id="no ids"),
        pytest.param({"roots": {"stackIds": []}}, id="empty ids"),
        pytest.param({"roots": {"stackIds": ["a"], "labels": ["b"]}}, id="ids and labels"),
        pytest.param({**SPEC, "operation": "Refresh"}, id="an operation of a later release"),
        pytest.param(
            {**SPEC, "runtimeEnvironment": [{"value": "1"}]}, id="a variable without a name"
        ),
        pytest.param(
            {**SPEC, "graph": {"sources": ["Terraform"]}}, id="a source of a later release"
        ),
        pytest.param({**SPEC, "parallelism": "many"}, id="type"),
        pytest.param(["vpc"], id="no object"),
    ],
)
def test_what_does_not_fit_is_named(spec: Any, case: str, golden: Golden) -> None:
    with pytest.raises(v1alpha1.InvalidResource) as caught:
        v1alpha1.parse(make_body(spec))

    golden("invalid_specs").check(case, str(caught.value))


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
        latest_run=make_run(2, phase=Phase.FAILED, workflow_url="https://temporal", progress="1/2"),
        pending_run=v1alpha1.PendingRun(cause="Spec", message="Waits."),
        last_handled=dataclasses.replace(handled(run="token"), retry="1", cancel="2"),
        history=(make_run(1, phase=Phase.TIMED_OUT, operation="Plan"),),
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
                run_url="https://spacelift",
                attempts=2,
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
    assert written["latestRun"]["summary"]["timedOut"] == 0
    assert written["lastHandled"]["run"] == "token"
    assert (written["lastHandled"]["retry"], written["lastHandled"]["cancel"]) == ("1", "2")
    assert [run["phase"] for run in written["history"]] == ["TimedOut"]
    assert written["stacks"][0]["attempts"] == 2
    assert written["stacks"][0]["dependsOn"] == ["b", "c"]
    assert written["stacks"][0]["delta"] == {"added": 0, "changed": 1, "deleted": 2}


def test_enumerations_are_written_as_plain_text() -> None:
    written = v1alpha1.status_to_dict(full_status())

    assert type(written["latestRun"]["phase"]) is str
    assert type(written["stacks"][0]["phase"]) is str


def test_what_is_empty_is_left_out() -> None:
    written = v1alpha1.status_to_dict(make_status(make_run(1, workflow_url=None)))

    assert "stacks" not in written
    assert "pendingRun" not in written
    assert "url" not in written["latestRun"]


def test_a_written_status_reads_back_equal() -> None:
    assert v1alpha1.read_status(v1alpha1.status_to_dict(full_status())) == full_status()
    assert v1alpha1.read_status({}) == v1alpha1.Status()


@pytest.mark.parametrize(
    ("broken", "kept"),
    [
        pytest.param({"stacks": [{"id": "a", "level": 0, "phase": "Sleeps"}]}, True, id="phase"),
        pytest.param({"history": [{"phase": "Failed"}]}, True, id="a run without its number"),
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
    ends = {Phase.SUCCEEDED, Phase.FAILED, Phase.SKIPPED, Phase.CANCELED, Phase.TIMED_OUT}

    assert phase.is_over is (phase in ends)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "observedGeneration",
        "conditions",
        "graph",
        "latestRun",
        "lastHandled",
        "stacks",
        "history",
        "x",
    ]
)


@given(st.dictionaries(names, json_values))
def test_no_stored_status_makes_reading_fail(raw: dict[str, Any]) -> None:
    assert isinstance(v1alpha1.read_status(raw), v1alpha1.Status)


@pytest.mark.parametrize("name", v1alpha1.TOKENS)
def test_of_a_token_that_is_too_long_a_digest_is_kept(name: str) -> None:
    def read(text: str) -> list[str | None]:
        body = {
            "metadata": {"namespace": "n", "name": "c", "uid": "u", "annotations": {name: text}},
            "spec": {"connectionName": "default", "roots": {"stackIds": ["a"]}},
        }
        chain = v1alpha1.parse(body)
        return [
            chain.run_token,
            chain.retry_token,
            chain.cancel_token,
            chain.bypass_token,
            chain.approve_token,
        ]

    position, most = v1alpha1.TOKENS.index(name), v1alpha1.longest_token(name)
    longest, too_long, other = (
        read("x" * most)[position],
        read("x" * (most + 1))[position],
        read("y" * 250_000)[position],
    )

    assert longest == "x" * most
    assert too_long is not None
    assert other is not None
    assert not v1alpha1.is_too_long(longest)
    assert v1alpha1.is_too_long(too_long)
    assert too_long != other
    assert len(other) < 100
