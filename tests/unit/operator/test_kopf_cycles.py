"""Our handlers under kopf's own reaction to events: how often each is called, and what is written.

Given: the resource as a watch or a listing shows it. Asserted: passes, requests, and kopf's writes,
until nothing more happens.
"""

import asyncio
import copy
import functools
import json
from typing import Any, cast

import kopf
import pytest
from kopf._cogs.clients import patching
from kopf._cogs.structs import bodies, ephemera, patches, references
from kopf._core.actions import lifecycles
from kopf._core.engines import indexing
from kopf._core.reactor import inventory, processing

from controller.api import v1alpha1
from controller.operator import asks_digest, handlers, kopf_settings, ownership
from tests.unit.operator import fakes

_RESOURCE = references.Resource(
    v1alpha1.GROUP, v1alpha1.VERSION, v1alpha1.PLURAL, namespaced=True, preferred=True
)


class Kopf:
    """kopf as one process has it, with its writes going to the bench's API server."""

    def __init__(self, bench: fakes.Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes: list[patches.Patch] = []
        self._bench = bench
        self._settings = kopf.OperatorSettings()
        owning = ownership.Ownership(fakes.INSTALLATION, bench.stack_chains)
        kopf_settings.configure(self._settings, is_ours=owning.is_ours)
        monkeypatch.setattr(patching, "patch_obj", self._patch)
        self.restart()

    def restart(self) -> None:
        """Forget what only the process knows."""
        registry = handlers.build_registry(
            self._bench.reconciler,
            self._bench.known,
            self._bench.dependencies,
            self._bench.watches,
            login=self._login,
        )
        self.memories = inventory.ResourceMemories()
        self._process = functools.partial(
            processing.process_resource_event,
            lifecycle=lifecycles.get_default_lifecycle(),
            indexers=indexing.OperatorIndexers(),
            registry=registry,
            settings=self._settings,
            memories=self.memories,
            memobase=ephemera.Memo(),
            resource=_RESOURCE,
            event_queue=asyncio.Queue(),
        )

    async def show(self, event_type: str | None) -> None:
        """Let kopf see the resource, and then what becomes of it, until nothing more does."""
        version = ""
        while version != (version := self._bench.body["metadata"]["resourceVersion"]):
            await self.show_once(event_type)
            event_type = "MODIFIED"

    async def show_once(self, event_type: str | None) -> None:
        """Let kopf see the resource as it is."""
        body = copy.deepcopy(self._bench.body)
        await self._process(raw_event={"type": event_type, "object": body})  # type: ignore[typeddict-item]

    def end_pause(self) -> None:
        """Let the time pass after which kopf calls a handler again that failed."""
        name = f"kopf.{v1alpha1.GROUP}/{kopf_settings.RECONCILE}"
        record = json.loads(self._bench.body["metadata"]["annotations"][name])
        past = {name: json.dumps(record | {"delayed": record["started"]})}
        self._bench.api.put(fakes.merged(self._bench.body, {"metadata": {"annotations": past}}))

    async def _patch(
        self, *, patch: patches.Patch, **_: Any
    ) -> tuple[bodies.RawBody, patches.Patch | None]:
        self.writes.append(patch)
        written = fakes.merged(self._bench.body, dict(patch))
        for change in patch.fns:
            change(written)
        self._bench.api.put(written)
        return cast(bodies.RawBody, copy.deepcopy(written)), None

    async def _login(self, **_: Any) -> kopf.ConnectionInfo:
        raise NotImplementedError


@pytest.fixture
async def kopf_of(bench: fakes.Bench, monkeypatch: pytest.MonkeyPatch) -> Kopf:
    """Return kopf with a resource that it has handled, and whose run is over."""
    of_bench = Kopf(bench, monkeypatch)
    bench.apply()
    await of_bench.show("ADDED")
    bench.workflows.end()
    await bench.reconcile()
    await of_bench.show("MODIFIED")
    of_bench.writes.clear()
    bench.api.requests.clear()
    bench.workflows.described = 0
    return of_bench


async def fail(bench: fakes.Bench, kopf_of: Kopf) -> None:
    """Let kopf call the handler of an edit while Temporal is away."""
    bench.edit(parallelism=11)
    bench.workflows.is_away = True
    await kopf_of.show_once("MODIFIED")


async def test_what_is_at_rest_costs_a_restart_neither_a_request_nor_a_write(
    bench: fakes.Bench, kopf_of: Kopf
) -> None:
    kopf_of.restart()
    await kopf_of.show(None)

    assert bench.api.requests.total() == bench.workflows.described == 0
    assert kopf_of.writes == []


async def test_what_is_at_rest_is_taken_in_without_kopf(bench: fakes.Bench, kopf_of: Kopf) -> None:
    bench.restart()
    take_at_rest = handlers.taking_at_rest(bench.known, bench.dependencies)

    assert take_at_rest(bench.body)
    assert [item.is_settled for item in bench.known.by_uid.values()] == [True]


@pytest.mark.parametrize(
    ("change", "is_at_rest"),
    [
        pytest.param({"metadata": {"labels": {"team": "a"}}}, True, id="a label of someone's"),
        pytest.param({"spec": {"parallelism": 11}}, False, id="edited"),
        pytest.param({"spec": {"roots": "odd"}}, False, id="a spec that cannot be read"),
        pytest.param({"metadata": {"annotations": {"stackchain.dev/run": "1"}}}, False, id="asked"),
        pytest.param({"metadata": {"finalizers": []}}, False, id="not held"),
        pytest.param({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, False, id="gone"),
        pytest.param({"metadata": {"uid": "uid-2"}}, False, id="restored from a backup"),
        pytest.param({"status": {"observedDigest": None}}, False, id="nothing noted"),
        pytest.param({"status": {"observedDigest": "0"}}, False, id="other asks noted"),
        pytest.param(
            {"metadata": {"annotations": {"kopf.stackchain.dev/reconcile": "{}"}}},
            False,
            id="a handler under way",
        ),
        pytest.param(
            {"metadata": {"labels": {"kopf.stackchain.dev/touch": "1"}}}, False, id="touched"
        ),
        pytest.param({"status": {"observedGeneration": 0}}, False, id="an old status"),
        pytest.param({"status": None}, False, id="no status"),
    ],
)
async def test_only_what_no_handler_has_anything_to_do_for_is_kept_from_kopf(
    bench: fakes.Bench, kopf_of: Kopf, change: dict[str, Any], is_at_rest: bool
) -> None:
    body = fakes.merged(bench.body, change)
    bench.restart()
    take_at_rest = handlers.taking_at_rest(bench.known, bench.dependencies)

    assert take_at_rest(body) is is_at_rest


async def test_a_change_of_what_kopf_has_not_seen_is_reconciled_once(
    bench: fakes.Bench, kopf_of: Kopf
) -> None:
    kopf_of.restart()
    bench.edit(parallelism=11)
    await kopf_of.show("MODIFIED")

    assert bench.api.requests == {"GET": 1, "PATCH": 1}
    assert bench.status.observed_generation == 2


async def test_what_was_edited_while_no_operator_ran_is_reconciled_once(
    bench: fakes.Bench, kopf_of: Kopf
) -> None:
    bench.edit(parallelism=11)
    kopf_of.restart()
    await kopf_of.show(None)

    assert bench.api.requests == {"GET": 1, "PATCH": 1}
    assert bench.workflows.described == 1
    assert kopf_of.writes == []
    assert bench.status.observed_generation == 2


async def test_what_was_created_while_no_operator_ran_is_reconciled_once(
    bench: fakes.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_bench = Kopf(bench, monkeypatch)
    bench.apply()
    await of_bench.show(None)

    assert bench.workflows.started == ["spec"]
    assert (
        bench.counters.registry.get_sample_value("stackchain_reconciles_total", {"result": "ok"})
        == 1
    )
    assert of_bench.writes == []


async def test_what_runs_is_looked_at_once_at_a_restart(
    bench: fakes.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_bench = Kopf(bench, monkeypatch)
    bench.apply()
    await of_bench.show("ADDED")
    bench.workflows.described = 0

    of_bench.restart()
    await of_bench.show(None)

    assert bench.workflows.described == 1


async def test_a_status_that_someone_has_removed_is_written_again(
    bench: fakes.Bench, kopf_of: Kopf
) -> None:
    bench.api.put({**bench.body, "status": {}})
    await kopf_of.show("MODIFIED")

    assert bench.api.requests["PATCH"] == 1
    assert kopf_settings.is_done(bench.body)


async def test_a_handler_that_failed_is_called_again_though_another_pass_has_done_its_work(
    bench: fakes.Bench, kopf_of: Kopf
) -> None:
    """Otherwise what kopf has noted about it would stay with the resource for good."""
    await fail(bench, kopf_of)
    assert bench.body["status"]["observedDigest"] != asks_digest.digest_of(bench.body)

    bench.workflows.is_away = False
    await bench.reconcile()
    assert bench.body["status"]["observedDigest"] == asks_digest.digest_of(bench.body)
    assert not kopf_settings.is_done(bench.body)
    kopf_of.end_pause()
    await kopf_of.show("MODIFIED")

    assert kopf_settings.is_done(bench.body)


async def test_a_handler_that_failed_is_noted_once(bench: fakes.Bench, kopf_of: Kopf) -> None:
    await fail(bench, kopf_of)
    (noted,) = kopf_of.writes
    bench.workflows.is_away = False
    kopf_of.end_pause()
    await kopf_of.show("MODIFIED")

    assert "update" in str(noted)
    assert len(kopf_of.writes) == 2


async def test_a_mark_that_has_woken_kopf_up_is_taken_off_with_the_next_change(
    bench: fakes.Bench, kopf_of: Kopf
) -> None:
    labels = {"kopf.stackchain.dev/touch": "1"}
    bench.api.put(fakes.merged(bench.body, {"metadata": {"labels": labels}}))
    bench.edit(parallelism=11)
    await kopf_of.show("MODIFIED")

    assert kopf_settings.is_done(bench.body)


async def test_a_resource_of_another_installation_is_left_with_what_its_kopf_has_noted(
    bench: fakes.Bench, kopf_of: Kopf
) -> None:
    await fail(bench, kopf_of)
    noted = bench.body["metadata"]["annotations"]
    kopf_of.writes.clear()
    bench.api.requests.clear()

    bench.api.put(fakes.merged(bench.body, {"status": {"installation": "another"}}))
    await kopf_of.show("MODIFIED")

    assert bench.body["metadata"]["annotations"] == noted
    assert bench.api.requests.total() == 0
    assert kopf_of.writes == []
