"""Statuses on a real API server: nothing of what the operator writes is dropped or refused.

Given: statuses as `chain.status` projects them, the largest included. Asserted: what the server
keeps, and how large the stored object is.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.status import projection, status_size
from tests.support import definition
from tests.support import kube as kube_support
from tests.support.builders import (
    RUN_URL,
    T0,
    T3,
    make_execution,
    make_facts,
    make_progress,
    make_ref,
    make_run,
    make_stack,
)
from tests.support.kubectl import Kubectl

Body = dict[str, Any]

SPEC: Body = {"roots": {"stackIds": ["vpc"]}}


def full_status() -> v1alpha1.Status:
    """Return a status in which every field of every part has a value."""
    known = make_progress(
        make_stack(
            "a", Phase.SUCCEEDED, name="A", delta=v1alpha1.Delta(added=1, changed=2, deleted=3)
        ),
        make_stack("b", Phase.FAILED, depends_on="a", run_state="FAILED"),
        make_stack(
            "c",
            Phase.SKIPPED,
            depends_on="b",
            reason=StackReason.UPSTREAM_NOT_SUCCEEDED,
            message="Not run because 'b' failed.",
            blocked_by="b",
        ),
        make_stack("d", Phase.TIMED_OUT),
    )
    facts = make_facts(make_execution(), known, workflow_url="https://temporal.example.com/run")
    found = projection.project(make_ref(), v1alpha1.Status(), facts, now=T3)
    root_runs = (v1alpha1.RootRun(stack_id="a", run_id="01ARZ3NDEKTSV4RRFFQ69G5FAV"),)
    pending = v1alpha1.PendingRun(
        cause="RunToken",
        message="Waits for run 1 to end.",
        scheduled_time=T3,
        root_runs=root_runs,
    )
    asks = v1alpha1.Handled(
        spec="0" * 16,
        run="token",
        run_token="t",
        retry="1",
        bypass="1: a",
        cancel="2",
        approve="1: prod",
        schedule=T0,
        root_runs=root_runs,
    )
    schedule = v1alpha1.ScheduleStatus(
        digest="0" * 16,
        checked_time=T3,
        next_time=T3,
        last_time=T0,
        missed=1,
        last_missed_time=T0,
        problem="It is so.",
    )
    before = make_run(
        1,
        phase=Phase.CANCELED,
        workflow_url="https://temporal.example.com/run-1",
        changes=v1alpha1.Changes(stacks=1, added=1, changed=2, deleted=3, text="+1 ~2 -3"),
    )
    unused = v1alpha1.UnusedRun(
        run_id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
        stack_id="outside",
        run_state="FINISHED",
        run_url="https://acme.app.spacelift.io/stack/outside/run/01ARZ3NDEKTSV4RRFFQ69G5FAV",
        other_run_url="https://acme.app.spacelift.io/stack/a/run/01ARZ3NDEKTSV4RRFFQ69G5FAW",
    )
    held_by = v1alpha1.Holder(needs_person=True, url="https://acme.app.spacelift.io/stack/a")
    stage = v1alpha1.StageStatus(
        name="prod",
        phase=Phase.WAITING,
        progress="0/4",
        waits_for="Soak",
        message="It waits.",
        since=T0,
        until=T3,
        approved_time=T3,
    )
    stacks = tuple(
        dataclasses.replace(
            stack, attempts=2, run_source="Adopted", unused_runs=(unused,), held_by=held_by
        )
        for stack in found.stacks
    )
    if found.latest_run is None:
        raise AssertionError("there is a run")
    return dataclasses.replace(
        found,
        observed_digest="0" * 64,
        latest_run=dataclasses.replace(
            found.latest_run, estimated_completion_time=T3, root_runs=root_runs, stages=(stage,)
        ),
        pending_run=pending,
        schedule=schedule,
        triggers=v1alpha1.TriggersStatus(digest="0" * 16, problem="It is so."),
        last_handled=asks,
        stacks=stacks,
        history=(before,),
        durations=(
            v1alpha1.StackDurations(
                stack_id="a", apply_seconds=60, plan_seconds=30, destroy_seconds=90
            ),
        ),
    )


async def write_status(
    stackchains: kube_support.StackChains, name: str, new: v1alpha1.Status
) -> Body:
    """Write a status as the operator does, and return what the server keeps of it."""
    await stackchains.create(name, SPEC)
    written = await stackchains.kube.patch(
        f"{stackchains.path(name)}/status", {"status": v1alpha1.status_to_dict(new)}
    )
    kept: Body = written["status"]
    return kept


async def test_no_field_of_a_status_is_dropped(stackchains: kube_support.StackChains) -> None:
    kept = await write_status(stackchains, "full", full_status())

    assert kept == v1alpha1.status_to_dict(full_status())
    assert v1alpha1.read_status(kept) == full_status()


def test_the_full_status_is_full() -> None:
    """Every field that the code has, and every one that the definition has, is in it."""

    def paths(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield f"{path}.{name}"
                yield from paths(inner, f"{path}.{name}")
        elif isinstance(value, list):
            for inner in value:
                yield from paths(inner, path)

    assert set(paths(v1alpha1.status_to_dict(full_status()), "status")) == set(
        definition.status_fields()
    )


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.PENDING])
async def test_every_phase_of_a_stack_can_be_stored(
    stackchains: kube_support.StackChains, phase: Phase
) -> None:
    facts = make_facts(make_execution(), make_progress(make_stack("a", phase)))
    found = projection.project(make_ref(), v1alpha1.Status(), facts, now=T0)

    kept = await write_status(stackchains, "phase", found)

    assert v1alpha1.read_status(kept) == found


@pytest.mark.parametrize("reason", list(ChainReason))
async def test_every_reason_can_be_stored(
    stackchains: kube_support.StackChains, reason: ChainReason
) -> None:
    problem = projection.Problem(reason=reason, message="It is so.", is_retrying=True)
    facts = make_facts(None, problem=problem)
    found = projection.project(make_ref(), v1alpha1.Status(), facts, now=T0)

    kept = await write_status(stackchains, "reason", found)

    assert v1alpha1.read_status(kept) == found


async def test_a_chain_of_500_stacks_fits_into_its_status(
    stackchains: kube_support.StackChains,
) -> None:
    names = [f"platform-prod-eu-central-1-service-{number:03}" for number in range(500)]
    stacks = [
        make_stack(
            name,
            Phase.FAILED if place % 2 else Phase.SUCCEEDED,
            depends_on=names[max(0, place - 10) : place],
            name=f"Platform prod eu-central-1 service {place:03}",
            message="m" * 200,
            run_state="FINISHED",
            delta=v1alpha1.Delta(added=100, changed=100, deleted=100),
        )
        for place, name in enumerate(names)
    ]
    for stack in stacks:
        stack.run_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
        stack.run_source = v1alpha1.RunSource.TRIGGERED
        stack.run_url = RUN_URL.format(stack=stack.id, run=stack.run_id)
    facts = make_facts(make_execution(), make_progress(*stacks))
    found = projection.project(make_ref(), v1alpha1.Status(), facts, now=T0)

    kept = await write_status(stackchains, "large", found)

    assert v1alpha1.read_status(kept) == found


def longest_history(message: str) -> tuple[v1alpha1.RunStatus, ...]:
    """Return as many runs as `historyLimit` allows, each with texts as long as they may be."""
    url = "https://temporal.example.com/namespaces/prod/workflows/".ljust(2048, "x")
    return tuple(
        make_run(
            number, phase=Phase.FAILED, message=message[:1024], workflow_url=url, progress="499/500"
        )
        for number in range(50, 0, -1)
    )


@pytest.mark.parametrize("text", ["m", "ü", "<"])
async def test_the_densest_graph_with_the_longest_texts_still_fits(
    kube: kube_support.KubeApi, stackchains: kube_support.StackChains, text: str
) -> None:
    """A status that the server refuses would hide the whole chain."""
    names = [f"{place:03}{'x' * 125}" for place in range(500)]
    stacks = [
        make_stack(name, Phase.FAILED, depends_on=names[:place], message=text * 512)
        for place, name in enumerate(names)
    ]
    facts = make_facts(make_execution(51), make_progress(*stacks, number=51))
    projected = projection.project(make_ref(), v1alpha1.Status(), facts, now=T0)
    found = status_size.fitted(dataclasses.replace(projected, history=longest_history(text * 1024)))

    kept = await write_status(stackchains, "dense", found)

    assert v1alpha1.read_status(kept) == found
    assert (len(kept["stacks"]), len(kept["history"])) == (500, 50)
    stored = (await kube.request("GET", stackchains.path("dense"))).content
    assert len(stored) < 1_100_000


async def test_the_largest_spec_and_annotations_leave_room_for_the_largest_status(
    stackchains: kube_support.StackChains,
) -> None:
    variables = [{"name": f"v{place:02}", "value": "x" * 125} for place in range(64)]
    names = [f"{place:03}{'x' * 125}" for place in range(500)]
    stacks = [
        make_stack(name, Phase.FAILED, depends_on=names[:place], message="ü" * 512)
        for place, name in enumerate(names)
    ]
    facts = make_facts(make_execution(), make_progress(*stacks))
    asks = v1alpha1.Handled(spec="0" * 16, run="r" * 200_000)
    found = projection.project(
        make_ref(), v1alpha1.Status(), dataclasses.replace(facts, handled=asks), now=T0
    )

    await stackchains.create("all", {**SPEC, "runtimeEnvironment": variables}, run="r" * 250_000)
    written = await stackchains.kube.patch(
        f"{stackchains.path('all')}/status", {"status": v1alpha1.status_to_dict(found)}
    )

    assert v1alpha1.read_status(written["status"]) == found


async def test_a_dependent_with_a_longer_id_than_a_root_may_have_can_be_stored(
    stackchains: kube_support.StackChains,
) -> None:
    long = "x" * 400
    stacks = [make_stack("a", Phase.SUCCEEDED), make_stack(long, Phase.FAILED, depends_on="a")]
    facts = make_facts(make_execution(), make_progress(*stacks))
    found = projection.project(make_ref(), v1alpha1.Status(), facts, now=T0)

    kept = await write_status(stackchains, "long", found)

    assert v1alpha1.read_status(kept) == found


async def test_writing_the_spec_does_not_touch_the_status_nor_the_other_way_round(
    stackchains: kube_support.StackChains,
) -> None:
    kept = await write_status(stackchains, "apart", full_status())

    await stackchains.kube.patch(
        stackchains.path("apart"), {"spec": {"parallelism": 3}, "status": {"stacks": None}}
    )
    await stackchains.kube.patch(
        f"{stackchains.path('apart')}/status", {"spec": {"parallelism": 4}}
    )

    found = await stackchains.get("apart")
    assert found["spec"]["parallelism"] == 3
    assert found["status"] == kept


async def test_kubectl_prints_and_edits_whatever_a_run_says(
    stackchains: kube_support.StackChains,
    kubectl: Kubectl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One control character in a stored object makes kubectl fail at all of its list."""
    said = "a\x07\x1b[31m\x7f\x85\u200b\u202e\u2028\ufeff\ufffe\ud800\U000e0041\r\nz"
    stack = make_stack("a", Phase.FAILED, name=said, message=said)
    known = make_progress(stack)
    known.message = said
    facts = make_facts(make_execution(), known)
    found = projection.project(make_ref(), v1alpha1.Status(), facts, now=T3)
    await write_status(stackchains, "said", found)
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/parallelism: 10/parallelism: 3/' \"$1\"\n")
    editor.chmod(0o755)
    monkeypatch.setenv("KUBE_EDITOR", str(editor))

    code, listed = await kubectl("get", "schain", "-o", "yaml")
    edited = await kubectl("edit", "schain", "said")

    assert code == 0, listed
    shown = yaml.safe_load(listed)["items"][0]["status"]["stacks"][0]
    assert shown["message"] == "a [31m \ufffd\ufffd z"
    assert edited[0] == 0, edited
    assert (await stackchains.get("said"))["spec"]["parallelism"] == 3
