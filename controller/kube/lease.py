"""Leader election on a Lease: only its holder reconciles, so that no two operators act at once.

As in client-go, no clock of another machine is trusted: a holder counts as dead when its record has
not changed for the Lease's duration as measured here. A holder that cannot renew gives up after two
thirds of the duration, while every other process still waits for the rest of it.

Renewing has its own thread, event loop and connection, so that the load of the operator does not
delay it. An attempt is short at first, since its connection may have died unnoticed. Later ones are
longer, since the API server may be slow. Each attempt without an answer drops its connection. An
operator whose own event loop hangs must not lead: then nothing is renewed.

Why not `kubernetes.aio.leaderelection` (37.0): it catches only `ApiException`, so a connection that
breaks while it renews ends its `run` with the leading task still at work, and `onstopped_leading`
never called. It looks at its deadline only between requests, by the wall clock, and sets no limit
for a request: one that hangs for 8 s keeps a process leading for 9 s on a Lease of 3 s. It never
gives the Lease back, so each hand-over takes the whole duration; it cannot poll more often than
once a second; and it leaves `leaseTransitions` alone.
"""

import asyncio
import concurrent.futures
import contextlib
import enum
import logging
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from controller import clock, times
from controller.kube import api_requests, errors

logger = logging.getLogger(__name__)

LEASE_NAME = "stackchain-operator"
POLL_SECONDS = 0.5
RELEASE_TIMEOUT_SECONDS = 2.0
HUNG_SECONDS = 60.0
"""An event loop that has not turned for this long hangs; liveness probes give up at about then."""
# What aiohttp recommends for connections with TLS, which it closes after a handshake.
_CLOSING_SECONDS = 0.25
# Of these seconds: so often an event loop shows that it turns.
_TICK_PART = 1 / 12
# As in client-go by its defaults: renewed every 2 of 15 seconds, given up after 10.
_RENEW_PART = 2 / 15
_PATIENCE_PART = 2 / 3
# Of the duration: for a connection that is dead, and for an API server that is slow.
_ATTEMPT_PARTS = (1 / 12, 7 / 20)

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


class LeaseClient(api_requests.KubeRequests, Protocol):
    """A connection that can be given up."""

    async def close(self) -> None:
        """Close all connections."""


class RenewalThread:
    """An event loop in its own thread, for what the load of this one must not delay."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lease", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, None]) -> concurrent.futures.Future[None]:
        """Run something there."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def close(self) -> None:
        """Stop the loop; what ran in it has ended.

        A request that was interrupted has left a TLS connection, which closes a moment later.
        """
        await asyncio.wrap_future(self.run(asyncio.sleep(_CLOSING_SECONDS)))
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()


class LeaderLease:
    """Held from `acquire` on until `release`, or until `lost` is set."""

    def __init__(
        self,
        kube_client: api_requests.KubeRequests,
        *,
        namespace: str,
        identity: str,
        new_client: Callable[[], LeaseClient],
        new_thread: Callable[[], RenewalThread] = RenewalThread,
        duration_seconds: int = 30,
        poll_seconds: float = POLL_SECONDS,
        hung_seconds: float = HUNG_SECONDS,
        clock: Callable[[], float] = clock.monotonic,
    ) -> None:
        """Take the client for acquiring and releasing; `new_client` makes those for renewing."""
        self.lost = asyncio.Event()
        self._client = kube_client
        self._new_client = new_client
        self._new_thread = new_thread
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._identity = identity
        self._duration = duration_seconds
        self._poll_seconds = poll_seconds
        self._hung_seconds = hung_seconds
        self._clock = clock
        self._lease: Json = {}
        self._renewed_at = 0.0
        # When each time was sent that was written into the Lease, perhaps without an answer.
        self._sent: dict[str, float] = {}
        self._ticked_at = 0.0
        self._thread: RenewalThread | None = None
        self._renewing: asyncio.Future[None] | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._problem = "The Lease has not been read yet."

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
                continue  # Another process was faster; see which one.
            except errors.KubeError as error:
                self._log_once(errors.text_of(error))
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
        self._stopping = asyncio.Event()
        self._sent.clear()
        self._ticked_at = self._clock()
        self._ticking = asyncio.create_task(self._tick())
        self._thread = self._new_thread()
        self._renewing = asyncio.wrap_future(self._thread.run(self._renew_until_stopped()))
        self._renewing.add_done_callback(self._ended)

    async def release(self) -> None:
        """Stop renewing and let a standby take over at once. Best effort."""
        if self._thread is None or self._renewing is None or self._ticking is None:
            return
        self._ticking.cancel()
        await asyncio.wrap_future(self._thread.run(self._stop()))
        await asyncio.wait([self._renewing])
        thread, self._thread, self._renewing = self._thread, None, None
        try:
            if not self.lost.is_set():
                await self._give_up()
        finally:
            await thread.close()

    async def _give_up(self) -> None:
        try:
            async with asyncio.timeout(RELEASE_TIMEOUT_SECONDS):
                await self._write(self._client, {"holderIdentity": ""})
        except (errors.KubeError, TimeoutError) as error:
            logger.warning(
                "Lease was not released, a standby takes over when it expires",
                extra={"error": errors.text_of(error)},
            )

    def _log_once(self, problem: str) -> None:
        # Once for each problem: an API server may be away for hours.
        if problem != self._problem:
            logger.warning(
                "Lease cannot be read or written, still trying", extra={"error": problem}
            )
        self._problem = problem

    async def _try_acquire(self, observed: Observation | None) -> Observation | None:
        """Return None if the Lease is ours now, otherwise what was observed."""
        sent_at = self._clock()
        lease = await self._read(self._client)
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
        await self._write(self._client, spec)
        self._renewed_at = sent_at
        return None

    async def _tick(self) -> None:
        """Show the thread that this event loop turns."""
        while True:
            self._ticked_at = self._clock()
            await asyncio.sleep(self._hung_seconds * _TICK_PART)

    def _ended(self, renewing: asyncio.Future[None]) -> None:
        # Whatever ended the renewing, even a bug, no one may continue as the leader.
        if self._stopping.is_set():
            return
        logger.error("Lease lost", extra={"holder": self._identity}, exc_info=renewing.exception())
        self.lost.set()

    # In the thread, from here

    async def _renew_until_stopped(self) -> None:
        keeping = asyncio.create_task(self._keep())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([keeping, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in (keeping, stopping):
            task.cancel()
        await asyncio.wait([keeping, stopping])
        if not keeping.cancelled():
            keeping.result()

    async def _stop(self) -> None:
        self._stopping.set()

    async def _keep(self) -> None:
        """Renew until that is no longer possible."""
        connected = self._new_client()
        failures = 0
        # Who was answered late is given time at once.
        is_slow = False
        try:
            while (remaining := self._remaining()) > 0:
                await asyncio.sleep(min(remaining, self._pause(failures)))
                if self._clock() - self._ticked_at > self._hung_seconds:
                    logger.error("The operator hangs, the Lease is no longer renewed")
                    return
                asked_at = self._clock()
                try:
                    async with asyncio.timeout(self._attempt_seconds(failures or int(is_slow))):
                        if not await self._renew(connected):
                            return
                    failures = 0
                    is_slow = self._clock() - asked_at > self._duration * _ATTEMPT_PARTS[0] / 2
                except (errors.KubeError, TimeoutError) as error:
                    failures += 1
                    why = errors.text_of(error)
                    if isinstance(error, TimeoutError):
                        why = "The API server did not answer in time"
                    logger.warning("Lease was not renewed", extra={"error": why})
                    await _close(connected)
                    connected = self._new_client()
        finally:
            await _close(connected)

    def _remaining(self) -> float:
        return self._renewed_at + self._duration * _PATIENCE_PART - self._clock()

    def _pause(self, failures: int) -> float:
        due = self._renewed_at + self._duration * _RENEW_PART - self._clock()
        return min(self._poll_seconds, self._duration / 30) if failures else max(0.0, due)

    def _attempt_seconds(self, failures: int) -> float:
        part = _ATTEMPT_PARTS[min(failures, len(_ATTEMPT_PARTS) - 1)]
        return max(0.0, min(self._remaining(), self._duration * part))

    async def _renew(self, connected: api_requests.KubeRequests) -> bool:
        """Return whether the Lease is still ours."""
        # Counted from before the request: the server may have written long before it answered.
        sent_at = self._clock()
        try:
            await self._write(connected, {"holderIdentity": self._identity})
        except errors.Conflict:
            lease = await self._read(connected)
            if lease is None or _record(lease).holder != self._identity:
                return False
            self._lease = lease
            if (written_at := self._sent.get(_record(lease).renewed_at)) is not None:
                # An attempt that got no answer was written all the same.
                self._renewed_at = max(self._renewed_at, written_at)
                return True
            await self._write(connected, {"holderIdentity": self._identity})
        except errors.ObjectNotFound:
            return False
        self._renewed_at = sent_at
        self._sent.clear()
        return True

    async def _read(self, connected: api_requests.KubeRequests) -> Json | None:
        try:
            return await connected.request("GET", f"{self._path}/{LEASE_NAME}")
        except errors.ObjectNotFound:
            return None

    async def _write(self, connected: api_requests.KubeRequests, changes: Json) -> None:
        """Write the Lease over the version that was read or written last."""
        now = _timestamp()
        self._sent[now] = self._clock()
        spec = {
            **self._lease.get("spec", {}),
            "leaseDurationSeconds": self._duration,
            "renewTime": now,
            **changes,
        }
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": self._lease.get("metadata", {"name": LEASE_NAME}),
            "spec": spec,
        }
        if self._lease:
            answer = await connected.request("PUT", f"{self._path}/{LEASE_NAME}", body=body)
        else:
            answer = await connected.request("POST", self._path, body=body)
        self._lease = answer


async def _close(connected: LeaseClient) -> None:
    # It does not matter how a dead connection closes: a new one is needed now.
    with contextlib.suppress(Exception):
        await connected.close()


def _record(lease: Json) -> LeaseRecord:
    spec = lease.get("spec") or {}
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        duration_seconds=float(spec.get("leaseDurationSeconds") or 0),
        renewed_at=spec.get("renewTime") or "",
        transitions=int(spec.get("leaseTransitions") or 0),
    )


def _timestamp() -> str:
    return times.rfc3339(clock.now(), timespec="microseconds")
