"""Leader election on a Lease: only its holder reconciles, so that no two operators act at once.

As in client-go, no clock of another machine is trusted: a holder counts as dead when its record has
not changed for the Lease's duration as measured here. A holder that cannot renew gives up after two
thirds of the duration, while every other process still waits for the rest of it.

Why not `kubernetes.aio.leaderelection` (37.0): it catches only `ApiException`, so a connection that
breaks while it renews ends its `run` with the leading task still at work, and `onstopped_leading`
never called. It looks at its deadline only between requests, by the wall clock, and bounds no
request: one that hangs for 8 s keeps a process leading for 9 s on a Lease of 3 s. It never gives
the Lease back, so each hand-over takes the whole duration; it cannot poll more often than once a
second; and it leaves `leaseTransitions` alone.
"""

import asyncio
import datetime
import enum
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from controller import times
from controller.kube import client, errors

logger = logging.getLogger(__name__)

LEASE_NAME = "stackchain-operator"
POLL_SECONDS = 0.5
RELEASE_TIMEOUT_SECONDS = 2.0

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaseRecord:
    """What the Lease says, the times as they are written there."""

    holder: str
    duration_seconds: float
    renewed_at: str
    transitions: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """A record and the local time at which it was first seen like this."""

    record: LeaseRecord
    since: float


class LeaseStep(enum.Enum):
    """What to do about the Lease."""

    CREATE = "create"
    RENEW = "renew"
    TAKE = "take"
    WAIT = "wait"


def observe(record: LeaseRecord, now: float, observed: Observation | None) -> Observation:
    """Return the observation of a record: the old one as long as the record has not changed."""
    if observed is not None and observed.record == record:
        return observed
    return Observation(record=record, since=now)


def next_step(
    record: LeaseRecord | None, now: float, identity: str, observed: Observation | None
) -> LeaseStep:
    """Return what a process of this identity has to do.

    Args:
        record: the Lease as read now; None: there is none.
        now: local monotonic time.
        identity: who asks.
        observed: since when the record is unchanged.
    """
    if record is None:
        return LeaseStep.CREATE
    if record.holder == identity:
        # Also after a restart within the pod: the process that held it before is gone.
        return LeaseStep.RENEW
    if not record.holder:
        return LeaseStep.TAKE
    if observed is None or observed.record != record:
        return LeaseStep.WAIT
    expired = now - observed.since >= record.duration_seconds
    return LeaseStep.TAKE if expired else LeaseStep.WAIT


class LeaderLease:
    """Held from `acquire` on until `release`, or until `lost` is set."""

    def __init__(
        self,
        kube_client: client.KubeRequests,
        *,
        namespace: str,
        identity: str,
        duration_seconds: int = 15,
        poll_seconds: float = POLL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lost = asyncio.Event()
        self._client = kube_client
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._identity = identity
        self._duration = duration_seconds
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._lease: Json = {}
        self._renewed_at = 0.0
        self._renewing: asyncio.Task[None] | None = None
        self._problem = ""

    @property
    def is_held(self) -> bool:
        """Whether this process may act as the leader."""
        return self._renewing is not None and not self.lost.is_set()

    async def check(self) -> str | None:
        """Return why the Lease cannot be read or written, for readiness; waiting for it is fine."""
        return self._problem or None

    async def acquire(self) -> None:
        """Wait until the Lease is ours, however long, and keep renewing it from then on."""
        observed: Observation | None = None
        holder = ""
        while True:
            try:
                observed = await self._try_acquire(observed)
            except errors.Conflict:
                continue  # Somebody was faster; see who.
            except errors.KubeError as error:
                self._log_once(str(error))
            else:
                self._problem = ""
                if observed is None:
                    break
                if observed.record.holder != holder:
                    holder = observed.record.holder
                    logger.info("Waiting for the Lease", extra={"holder": holder})
            await asyncio.sleep(self._poll_seconds)
        logger.info("Lease acquired", extra={"holder": self._identity})
        self.lost.clear()
        self._renewing = asyncio.create_task(self._keep())
        self._renewing.add_done_callback(self._ended)

    async def release(self) -> None:
        """Stop renewing and let a standby take over at once. Best effort."""
        if self._renewing is None:
            return
        self._renewing.cancel()
        await asyncio.wait([self._renewing])
        self._renewing = None
        if self.lost.is_set():
            return
        try:
            async with asyncio.timeout(RELEASE_TIMEOUT_SECONDS):
                await self._write({"holderIdentity": ""})
        except (errors.KubeError, TimeoutError) as error:
            logger.warning(
                "Lease was not released, a standby takes over when it expires",
                extra={"error": str(error)},
            )

    def _log_once(self, problem: str) -> None:
        # Once for each problem: an API server may be away for hours.
        if problem != self._problem:
            logger.warning("Lease cannot be read or written, trying on", extra={"error": problem})
        self._problem = problem

    async def _try_acquire(self, observed: Observation | None) -> Observation | None:
        """Return None if the Lease is ours now, else what was observed."""
        sent_at = self._clock()
        lease = await self._read()
        record = None if lease is None else _record(lease)
        now = self._clock()
        if record is not None:
            observed = observe(record, now, observed)
        step = next_step(record, now, self._identity, observed)
        if step is LeaseStep.WAIT:
            return observed
        self._lease = lease or {}
        spec: Json = {"holderIdentity": self._identity}
        if step is not LeaseStep.RENEW:
            transitions = 0 if record is None else record.transitions + 1
            spec |= {"acquireTime": _timestamp(), "leaseTransitions": transitions}
        await self._write(spec)
        self._renewed_at = sent_at
        return None

    async def _keep(self) -> None:
        """Renew until that is no longer possible."""
        patience = self._duration * 2 / 3
        while (remaining := self._renewed_at + patience - self._clock()) > 0:
            # At most a third of the duration apart; sooner after a failure.
            await asyncio.sleep(min(remaining, self._pause()))
            remaining = self._renewed_at + patience - self._clock()
            try:
                async with asyncio.timeout(max(0.0, remaining)):
                    if not await self._renew():
                        break
            except (errors.KubeError, TimeoutError) as error:
                logger.warning("Lease was not renewed", extra={"error": str(error)})

    def _ended(self, renewing: asyncio.Task[None]) -> None:
        # For whatever reason renewing ends, a bug included: no one may continue as the leader.
        if renewing.cancelled():
            return
        logger.error("Lease lost", extra={"holder": self._identity}, exc_info=renewing.exception())
        self.lost.set()

    def _pause(self) -> float:
        due = self._renewed_at + self._duration / 3 - self._clock()
        return due if due > 0 else min(self._poll_seconds, self._duration / 10)

    async def _renew(self) -> bool:
        """Return whether the Lease is still ours."""
        # Counted from before the request: the server may have written long before it answered.
        sent_at = self._clock()
        try:
            await self._write({"holderIdentity": self._identity})
        except errors.Conflict:
            lease = await self._read()
            if lease is None or _record(lease).holder != self._identity:
                return False
            self._lease = lease
            await self._write({"holderIdentity": self._identity})
        except errors.ObjectNotFound:
            return False
        self._renewed_at = sent_at
        return True

    async def _read(self) -> Json | None:
        try:
            return await self._client.request("GET", f"{self._path}/{LEASE_NAME}")
        except errors.ObjectNotFound:
            return None

    async def _write(self, changes: Json) -> None:
        """Write the Lease over the version that was read or written last."""
        spec = {
            **self._lease.get("spec", {}),
            "leaseDurationSeconds": self._duration,
            "renewTime": _timestamp(),
            **changes,
        }
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": self._lease.get("metadata", {"name": LEASE_NAME}),
            "spec": spec,
        }
        if self._lease:
            answer = await self._client.request("PUT", f"{self._path}/{LEASE_NAME}", body=body)
        else:
            answer = await self._client.request("POST", self._path, body=body)
        self._lease = answer


def _record(lease: Json) -> LeaseRecord:
    spec = lease.get("spec") or {}
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        duration_seconds=float(spec.get("leaseDurationSeconds") or 0),
        renewed_at=spec.get("renewTime") or "",
        transitions=int(spec.get("leaseTransitions") or 0),
    )


def _timestamp() -> str:
    return times.rfc3339(datetime.datetime.now(datetime.UTC), timespec="microseconds")
