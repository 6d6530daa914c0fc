"""The decision about the Lease as a table, and what is told; the rest is in tests/e2e."""

import asyncio
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
        poll_seconds=0.0,
    )

    await leader.acquire()

    assert await leader.check() is None
    await leader.release()
    warned = [vars(record)["error"] for record in caplog.records if record.levelname == "WARNING"]
    assert warned == ["nobody answers", "forbidden"]


async def test_who_cannot_reach_the_api_server_is_not_ready() -> None:
    leader = lease.LeaderLease(
        AwayApi(*[errors.ApiUnreachable("nobody answers")] * 20),
        namespace="default",
        identity=ME,
        poll_seconds=0.01,
    )
    assert await leader.check() is None

    acquiring = asyncio.create_task(leader.acquire())

    assert await eventually(leader.check) == "nobody answers"
    await acquiring
    assert await leader.check() is None
    await leader.release()
