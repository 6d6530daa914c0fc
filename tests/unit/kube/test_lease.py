"""The decision about the Lease as a table, and what is logged; the rest is in tests/e2e."""

import asyncio
import copy
import time
from typing import Any

import pytest

from controller.kube import errors, lease
from tests.support.waiting import eventually

ME = "pod-a"
DURATION = 15.0


def record(holder: str, *, renewed_at: str = "t1") -> lease.LeaseRecord:
    return lease.LeaseRecord(
        holder=holder, duration_seconds=DURATION, renewed_at=renewed_at, transitions=1
    )


def seen(found: lease.LeaseRecord, since: float) -> lease.Observation:
    return lease.Observation(record=found, since=since)


OTHERS = record("pod-b")


@pytest.mark.parametrize(
    ("found", "now", "observed", "step"),
    [
        pytest.param(None, 0.0, None, lease.LeaseStep.CREATE, id="no Lease yet"),
        pytest.param(record(ME), 0.0, None, lease.LeaseStep.RENEW, id="ours before a restart"),
        pytest.param(record(""), 0.0, None, lease.LeaseStep.TAKE, id="released"),
        pytest.param(OTHERS, 0.0, None, lease.LeaseStep.WAIT, id="held, never seen before"),
        pytest.param(OTHERS, 14.9, seen(OTHERS, 0.0), lease.LeaseStep.WAIT, id="not yet expired"),
        pytest.param(OTHERS, 15.0, seen(OTHERS, 0.0), lease.LeaseStep.TAKE, id="expired"),
        pytest.param(
            record("pod-b", renewed_at="t2"),
            99.0,
            seen(OTHERS, 0.0),
            lease.LeaseStep.WAIT,
            id="renewed since it was seen",
        ),
        pytest.param(
            record("pod-b", renewed_at="1970-01-01T00:00:00.000000Z"),
            0.0,
            None,
            lease.LeaseStep.WAIT,
            id="holder whose clock is decades behind",
        ),
    ],
)
def test_next_step(
    found: lease.LeaseRecord | None,
    now: float,
    observed: lease.Observation | None,
    step: lease.LeaseStep,
) -> None:
    assert lease.next_step(found, now, ME, observed) is step


def test_a_record_counts_from_when_it_was_first_seen() -> None:
    first = lease.observe(OTHERS, 1.0, None)

    assert lease.observe(record("pod-b"), 9.0, first) is first


def test_a_changed_record_counts_anew() -> None:
    renewed = record("pod-b", renewed_at="t2")

    assert lease.observe(renewed, 9.0, seen(OTHERS, 1.0)) == seen(renewed, 9.0)


class LeaseServer:
    """Keeps one Lease, with versions; used by two threads, as the operator does."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] = {}
        self.version = 0
        self.writes = 0
        self.delay = 0.0

    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        metadata = body["metadata"]
        if self.lease and metadata.get("resourceVersion") != str(self.version):
            raise errors.Conflict("changed")
        self.version += 1
        self.writes += 1
        self.lease = {**body, "metadata": {**metadata, "resourceVersion": str(self.version)}}
        return copy.deepcopy(self.lease)


class Connection:
    """One connection to it, which may die without saying so."""

    def __init__(self, server: LeaseServer, *, dies_after: int | None = None) -> None:
        self.server = server
        self.left = dies_after
        self.unanswered = 0
        self.is_closed = False

    async def request(
        self, method: str, path: str, *, body: dict[str, Any] | None = None, **_: Any
    ) -> dict[str, Any]:
        if self.left == 0:
            self.unanswered += 1
            await asyncio.Event().wait()
        self.left = None if self.left is None else self.left - 1
        if method == "GET":
            await asyncio.sleep(self.server.delay)
            if not self.server.lease:
                raise errors.ObjectNotFound(path)
            return copy.deepcopy(self.server.lease)
        # Written before the answer comes, as by a server that is slow.
        written = self.server.put(copy.deepcopy(body or {}))
        await asyncio.sleep(self.server.delay)
        return written

    async def close(self) -> None:
        self.is_closed = True


class AwayApi:
    """Cannot be reached at first, refuses then, and serves in the end."""

    def __init__(self, *failures: errors.KubeError) -> None:
        self.failures = list(failures)

    async def request(self, method: str, path: str, **_: Any) -> dict[str, Any]:
        if self.failures:
            raise self.failures.pop(0)
        if method == "GET":
            raise errors.ObjectNotFound(path)
        return {"metadata": {"name": lease.LEASE_NAME}, "spec": {}}


async def test_an_api_server_that_is_away_is_told_once_and_not_at_each_try(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = [errors.ApiUnreachable("nobody answers") for _ in range(3)]
    leader = lease.LeaderLease(
        AwayApi(*away, errors.Denied("forbidden"), errors.Denied("forbidden")),
        namespace="default",
        identity=ME,
        new_client=lambda: Connection(LeaseServer()),
        poll_seconds=0.0,
    )

    await leader.acquire()

    assert await leader.check() is None
    await leader.release()
    warned = [vars(record)["error"] for record in caplog.records if record.levelname == "WARNING"]
    assert warned == ["nobody answers", "forbidden"]


async def test_who_cannot_reach_the_api_server_is_not_ready() -> None:
    leader = lease.LeaderLease(
        AwayApi(*[errors.ApiUnreachable("nobody answers")] * 60),
        namespace="default",
        identity=ME,
        new_client=lambda: Connection(LeaseServer()),
        poll_seconds=0.01,
    )
    assert "has not been read yet" in (await leader.check() or "")

    acquiring = asyncio.create_task(leader.acquire())

    async def nobody_answers() -> bool:
        return await leader.check() == "nobody answers"

    await eventually(nobody_answers)
    await acquiring
    assert await leader.check() is None
    await leader.release()


# Renewing. The durations are a tenth of those of a release, and so is what happens.

DURATION_SECONDS = 3


def leader_of(
    server: LeaseServer,
    *connections: Connection,
    duration_seconds: int = DURATION_SECONDS,
    **options: Any,
) -> lease.LeaderLease:
    """Return one that renews over these connections, and then over ones that work."""
    waiting = list(connections)
    return lease.LeaderLease(
        Connection(server),
        namespace="default",
        identity=ME,
        new_client=lambda: waiting.pop(0) if waiting else Connection(server),
        duration_seconds=duration_seconds,
        **options,
    )


async def test_a_stale_connection_costs_one_attempt(caplog: pytest.LogCaptureFixture) -> None:
    server = LeaseServer()
    stale = Connection(server, dies_after=1)
    leader = leader_of(server, stale)
    await leader.acquire()

    await eventually(lambda: stale.is_closed, what="the stale connection is given up")
    written = server.writes
    await eventually(lambda: server.writes > written + 2, what="it is renewed on a new one")

    assert leader.is_held
    await leader.release()
    assert server.lease["spec"]["holderIdentity"] == ""
    warned = [vars(item)["error"] for item in caplog.records if item.levelname == "WARNING"]
    # On a busy machine an answer of the new one may be late, too.
    assert set(warned) == {"The API server did not answer in time"}
    assert stale.unanswered == 1


async def test_an_api_server_that_is_slow_all_the_time_does_not_lose_the_lease() -> None:
    """What is written without an answer counts once it is seen."""
    server = LeaseServer()
    leader = leader_of(server)
    await leader.acquire()
    server.delay = 0.6

    await asyncio.sleep(1.5 * DURATION_SECONDS)

    assert leader.is_held
    server.delay = 0.0
    await leader.release()


async def test_an_api_server_that_does_not_answer_loses_it_before_anyone_else_may_lead() -> None:
    server = LeaseServer()
    # A third of it is left to notice the loss in, on a busy machine too.
    duration = 3 * DURATION_SECONDS
    leader = leader_of(
        server,
        *[Connection(server, dies_after=0) for _ in range(9)],
        duration_seconds=duration,
    )
    await leader.acquire()
    acquired_at = time.monotonic()

    await asyncio.wait_for(leader.lost.wait(), duration)

    assert time.monotonic() - acquired_at < duration
    assert not leader.is_held
    await leader.release()


async def test_a_busy_event_loop_does_not_lose_the_lease() -> None:
    server = LeaseServer()
    leader = leader_of(server)
    await leader.acquire()
    written = server.writes

    time.sleep(1.5 * DURATION_SECONDS)  # noqa: ASYNC251 - the load

    assert server.writes > written + 2
    assert leader.is_held
    await leader.release()


async def test_an_event_loop_that_hangs_gives_the_lease_up() -> None:
    server = LeaseServer()
    leader = leader_of(server, hung_seconds=0.5)
    await leader.acquire()

    time.sleep(DURATION_SECONDS / 2)  # noqa: ASYNC251 - it hangs
    written = server.writes
    await asyncio.wait_for(leader.lost.wait(), 60)

    assert server.writes == written
    await leader.release()


async def test_who_is_replaced_has_lost_it() -> None:
    server = LeaseServer()
    leader = leader_of(server)
    await leader.acquire()

    server.put({**server.lease, "spec": {**server.lease["spec"], "holderIdentity": "pod-b"}})

    await asyncio.wait_for(leader.lost.wait(), 60)
    await leader.release()
    assert server.lease["spec"]["holderIdentity"] == "pod-b"
