"""What kopf calls, by plain calls: what each handler asks, and what kopf learns of failures."""

import time
from typing import Any

import kopf
import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.kube import client as kube_client
from controller.kube import errors as kube_errors
from controller.operator import asks_digest, errors, handlers, kopf_settings, reconciler
from controller.temporal import client as temporal_client
from controller.temporal.activities import chain_status
from tests.support.builders import make_stack
from tests.unit.operator.fakes import NAME, NAMESPACE, Bench

KUBECONFIG, ACCOUNT = (
    kopf.ConnectionInfo(server="kubeconfig"),
    kopf.ConnectionInfo(server="account"),
)


class Handlers:
    """The handlers of a registry, by their names."""

    def __init__(self, bench: Bench) -> None:
        registry = handlers.build_registry(
            bench.reconciler, bench.known, bench.dependencies, bench.watches, login=self._login
        )
        self._bench = bench
        self.changing = list(registry._changing.get_all_handlers())
        self.watching = list(registry._watching.get_all_handlers())

    async def _login(self, **_: Any) -> kopf.ConnectionInfo:
        raise NotImplementedError

    async def call(self, name: str, **fields: Any) -> None:
        found = next(i for i in [*self.changing, *self.watching] if i.fn.__name__ == name)
        body = kopf.Body(self._bench.body) if self._bench.api.objects else kopf.Body({})
        given = {
            "namespace": NAMESPACE,
            "name": NAME,
            "uid": "uid-1",
            "body": body,
            "retry": 0,
            "reason": kopf.Reason.UPDATE,
            **fields,
        }
        await found.fn(**given)


@pytest.fixture
def called(bench: Bench) -> Handlers:
    return Handlers(bench)


async def test_a_change_is_reconciled(bench: Bench, called: Handlers) -> None:
    bench.apply()

    await called.call("on_change")

    assert bench.workflows.started == ["spec"]


async def test_at_a_restart_what_is_settled_costs_no_request(
    bench: Bench, called: Handlers
) -> None:
    bench.apply()
    await called.call("on_change", reason=kopf.Reason.RESUME)
    bench.workflows.end()
    await called.call("on_change", reason=kopf.Reason.RESUME)
    bench.api.requests.clear()

    await called.call("on_change", reason=kopf.Reason.RESUME)

    assert bench.workflows.started == ["spec"]
    assert sum(bench.api.requests.values()) == 0


async def test_a_deletion_is_called_again_until_the_runs_have_stopped(
    bench: Bench, called: Handlers
) -> None:
    bench.apply()
    await bench.reconcile()
    bench.workflows.run(make_stack("a", Phase.RUNNING))
    bench.delete()

    with pytest.raises(kopf.TemporaryError) as waits:
        await called.call("on_delete")
    bench.workflows.end()
    await called.call("on_delete")

    assert waits.value.delay == 1.0


@pytest.mark.parametrize(("looks", "pause"), [(0, 1), (4, 1), (5, 2), (19, 4), (20, 5), (4000, 5)])
def test_a_deletion_that_lasts_is_looked_at_less_often(looks: int, pause: int) -> None:
    assert handlers.release_pause(looks) == pause


async def test_each_event_of_the_watch_is_taken_in(bench: Bench, called: Handlers) -> None:
    bench.apply()

    await called.call("on_event", event={"type": "ADDED"})

    assert list(bench.known.by_uid) == ["uid-1"]


def test_the_handlers_are_for_stack_chains_and_known_by_lasting_ids(called: Handlers) -> None:
    """The ids are in annotations of resources: a new one would call all handlers again."""
    assert sorted({str(item.id) for item in called.changing}) == ["reconcile", "release"]
    everything = [*called.changing, *called.watching]
    assert all(v1alpha1.PLURAL in repr(item.selector) for item in everything)


@pytest.mark.parametrize(
    ("error", "raised", "delay"),
    [
        (kube_errors.Throttled("later", retry_after_seconds=7), kopf.TemporaryError, 7),
        (kube_errors.ApiUnreachable("away"), kopf.TemporaryError, errors.RETRY_SECONDS),
        (kube_errors.Conflict("again"), kopf.TemporaryError, errors.RETRY_SECONDS),
        (
            temporal_client.TemporalUnreachable("away"),
            kopf.TemporaryError,
            errors.RETRY_SECONDS,
        ),
        (reconciler.InvalidSpec("no"), kopf.PermanentError, None),
    ],
    ids=["throttled", "API server away", "conflict", "Temporal away", "invalid spec"],
)
def test_kopf_is_told_whether_to_try_again(
    error: Exception, raised: type[Exception], delay: float | None
) -> None:
    with pytest.raises(raised) as told, errors.as_kopf():
        raise error

    assert getattr(told.value, "delay", None) == delay
    assert str(error) in str(told.value)


def test_what_is_gone_is_done() -> None:
    with errors.as_kopf():
        raise chain_status.ResourceGone("gone")


def test_what_no_one_foresaw_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), errors.as_kopf():
        raise ZeroDivisionError


# Settings


def body(spec: dict[str, Any], **annotations: str) -> kopf.Body:
    named = {f"{v1alpha1.GROUP}/{key}": value for key, value in annotations.items()}
    return kopf.Body({"metadata": {"annotations": named}, "spec": spec})


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        pytest.param(body({"a": 1, "b": 2}, run="1"), True, id="the same"),
        pytest.param(body({"b": 2, "a": 1}, run="1"), True, id="in another order"),
        pytest.param(body({"a": 1, "b": 2}, run="1", other="x"), True, id="another annotation"),
        pytest.param(body({"a": 1, "b": 2}, run="2"), False, id="another run token"),
        pytest.param(body({"a": 1, "b": 2}), False, id="no run token"),
        pytest.param(body({"a": 1, "b": 2}, run="1", retry="1"), False, id="a retry token"),
        pytest.param(body({"a": 1, "b": 2}, run="1", cancel="1"), False, id="a cancel token"),
        pytest.param(body({"a": 1, "b": 3}, run="1"), False, id="another spec"),
    ],
)
def test_a_change_is_one_of_the_spec_or_of_a_token(other: kopf.Body, is_same: bool) -> None:
    before = asks_digest.digest_of(body({"a": 1, "b": 2}, run="1"))

    assert (before == asks_digest.digest_of(other)) is is_same


def test_what_is_stored_stays_small() -> None:
    assert len(asks_digest.digest_of(body({"roots": ["x" * 1000] * 1000}))) == 64


ROOM = 256 * 1024


def annotated(size: int, **labels: str) -> kopf.Body:
    """Return an object whose annotations take so many bytes together."""
    metadata = {"annotations": {"a/b": "x" * (size - 3)}, "labels": labels}
    return kopf.Body({"metadata": metadata, "spec": {}})


@pytest.mark.parametrize(("size", "is_kept"), [(100, True), (ROOM - 100, False), (ROOM, False)])
def test_where_annotations_leave_no_room_kopf_adds_none(size: int, is_kept: bool) -> None:
    """One too many, and the API server refuses the removal of the finalizer that comes with it."""
    settings = kopf.OperatorSettings()
    kopf_settings.configure(settings, is_ours=lambda _: True)
    body, patch = annotated(size), kopf.Patch()

    settings.persistence.progress_storage.store(
        key=kopf.HandlerId("release"),
        record=kopf.ProgressRecord(started="2026-01-01T00:00:00Z", retries=1),
        body=body,
        patch=patch,
    )

    assert bool(patch.get("metadata", {}).get("annotations")) is is_kept
    assert "labels" not in patch.get("metadata", {})


def test_where_annotations_leave_no_room_a_label_wakes_kopf_up() -> None:
    settings = kopf.OperatorSettings()
    kopf_settings.configure(settings, is_ours=lambda _: True)
    storage = settings.persistence.progress_storage
    set_one, taken, roomy = kopf.Patch(), kopf.Patch(), kopf.Patch()
    label = "kopf.stackchain.dev/touch"

    storage.touch(body=annotated(ROOM), patch=set_one, value="2026-11-28T22:27:28.462+00:00")
    storage.touch(body=annotated(ROOM, **{label: "1"}), patch=taken, value=None)
    storage.touch(body=annotated(100), patch=roomy, value="2026-11-28T22:27:28.462+00:00")

    assert set_one == {"metadata": {"labels": {label: "20261128T2227284620000"}}}
    assert taken["metadata"]["labels"] == {label: None}
    assert "labels" not in roomy["metadata"]


def test_kopf_writes_no_events_and_watches_nothing_else() -> None:
    settings = kopf.OperatorSettings()

    kopf_settings.configure(settings, is_ours=lambda _: True)

    assert not settings.posting.enabled
    assert settings.scanning.disabled
    assert settings.peering.standalone
    assert settings.persistence.finalizer == "stackchain.dev/stop-runs"


def restored(uid: str) -> kopf.Body:
    return kopf.Body({"metadata": {"uid": uid}, "spec": {"a": 1}})


def test_a_restored_resource_is_another_one_whatever_its_status_says() -> None:
    assert asks_digest.digest_of(restored("u1")) != asks_digest.digest_of(restored("u2"))


@pytest.mark.parametrize("junk", ["{", "no JSON", "7"])
def test_an_annotation_that_others_broke_counts_as_none(junk: str) -> None:
    settings = kopf.OperatorSettings()
    kopf_settings.configure(settings, is_ours=lambda _: True)
    name = f"kopf.{v1alpha1.GROUP}/{kopf_settings.RECONCILE}"
    broken = kopf.Body({"metadata": {"annotations": {name: junk}}})

    storage = settings.persistence.progress_storage
    assert storage.fetch(key=kopf_settings.RECONCILE, body=broken) is None


ACCESS = kube_client.Access(
    server="https://10.96.0.1:443",
    ca_file="/ca.crt",
    is_verified=True,
    authorization="bearer a-token",
    username=None,
    password=None,
    certificate_file=None,
    key_file=None,
    proxy=None,
)


async def test_kopf_reaches_the_api_server_as_our_own_client_does() -> None:
    async def read_access() -> kube_client.Access:
        return ACCESS

    given = await kopf_settings.login(read_access)()

    assert given.server == ACCESS.server
    assert given.ca_path == ACCESS.ca_file
    assert given.as_http_headers() == {"Authorization": "bearer a-token"}
    assert not given.insecure


async def test_credentials_that_were_refused_are_tried_again_after_a_pause() -> None:
    async def read_access() -> kube_client.Access:
        return ACCESS

    login = kopf_settings.login(read_access, pause_seconds=0.05)
    first = await login()
    asked_at = time.monotonic()
    second = await login()

    # kopf leaves out what equals credentials that were refused.
    assert first != second
    assert time.monotonic() - asked_at >= 0.05


async def test_credentials_that_are_missing_for_a_while_are_waited_for() -> None:
    async def read_access() -> kube_client.Access:
        raise kube_errors.Denied("no token")

    with pytest.raises(kopf.TemporaryError):
        await kopf_settings.login(read_access)()
