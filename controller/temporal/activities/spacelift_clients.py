"""Hands activities the Spacelift client of a connection and a slot, and guards which one it is."""

import asyncio
import contextlib
import dataclasses
import functools
import logging
from collections.abc import Callable, Collection, Iterator

import temporalio.exceptions

from controller.chain.run import holds, run_snapshots, run_states
from controller.config import connections
from controller.spacelift import (
    account_session,
    client,
    endpoints,
    errors,
    models,
    own_keys,
    request_budget,
)
from controller.temporal import messages, signing
from controller.temporal.activities import connection_slots, kept_answers, run_poller

logger = logging.getLogger(__name__)

# One connection may have nine tenths of the slots for waits. A wait holds its slot for as long as
# the run takes, however fast Spacelift answers, so half of them would halve what a worker follows.
_WAITS_PER_FREE = 9

Observer = Callable[[str, str, float], None]
NewSession = Callable[..., account_session.AccountSession]
"""Makes a session of an account, as the class does."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SpaceliftAccount:
    """The Spacelift account of a connection, with what reads and polls it."""

    endpoint: str
    client: client.SpaceliftClient
    poller: run_poller.RunPoller
    hold_poller: run_poller.HoldPoller
    connection: connections.Connection
    own_keys: own_keys.OwnKeys
    kept: kept_answers.KeptAnswers = dataclasses.field(default_factory=kept_answers.KeptAnswers)

    def owns(self, run: models.RunRecord, *, also: Collection[str] = ()) -> bool:
        """Whether the run was triggered with an API key of this connection, or one of those ids."""
        return self.own_keys.owns(run.triggered_by, also=also)

    def snapshot(self, run: models.RunRecord) -> run_snapshots.RunSnapshot:
        """Return the run as workflows see it."""
        return run_snapshots.RunSnapshot(
            run_id=run.run_id,
            state=run.state,
            finished=run.finished,
            needs_approval=run.needs_approval,
            note=run.note or "",
            run_url=endpoints.run_url(self.endpoint, run.stack_id, run.run_id),
            delta=run.delta,
            hold=self._hold_of(run),
        )

    def hold(self, stack_id: str, found: models.StackHold) -> holds.Hold:
        """Return what keeps us from creating a run; a lock of one of our keys does not."""
        owner, url = found.locked_by or "", endpoints.stack_url(self.endpoint, stack_id)
        if not owner or self.own_keys.owns(owner):
            return holds.Hold(is_disabled=found.is_disabled, stack_url=url)
        return holds.Hold(
            stack_url=url,
            is_disabled=found.is_disabled,
            locked_by=owner,
            locked_at=found.locked_at,
            lock_note=found.lock_note or "",
        )

    def _hold_of(self, run: models.RunRecord) -> holds.Hold | None:
        """Return what a queued run may wait for; proposed ones run next to the run that blocks."""
        if run.hold is None or run.state != run_states.RunState.QUEUED:
            return None
        hold, blocker_id = self.hold(run.stack_id, run.hold), run.hold.blocker_id
        if blocker_id is None or blocker_id == run.run_id or run.type == models.RunType.PROPOSED:
            return hold
        return dataclasses.replace(
            hold,
            blocker_id=blocker_id,
            blocker_state=run.hold.blocker_state or "",
            blocker_triggered_by=self._name_of(run.hold.blocker_triggered_by),
            blocker_url=endpoints.run_url(self.endpoint, run.stack_id, blocker_id),
        )

    def _name_of(self, login: str | None) -> str:
        return "this connection's API key" if self.own_keys.owns(login) else login or ""


@contextlib.contextmanager
def signature_failures() -> Iterator[None]:
    """Turn failures of checks by `signing` into those that Temporal understands, and log them."""
    try:
        yield
    except signing.FAILURES as error:
        logger.warning("Work refused that no operator signed", extra={"why": str(error)})
        raise temporalio.exceptions.ApplicationError(
            str(error),
            type=type(error).__name__,
            # A key, or a newer version of this worker, may be on its way.
            non_retryable=isinstance(error, signing.SignatureInvalid),
            # Logged here: the SDK would add a traceback.
            category=temporalio.exceptions.ApplicationErrorCategory.BENIGN,
        ) from error


class SpaceliftClients:
    """One client and one poller per connection; made when first needed."""

    def __init__(
        self,
        catalog: connections.ConnectionCatalog,
        *,
        poll_seconds: float,
        request_timeout_seconds: float,
        ca_file: str | None,
        observer: Observer,
        call_slots: int,
        wait_slots: int,
        on_refusal: Callable[[str], None],
        signing_keys: signing.SigningKeys | None = None,
        new_session: NewSession = account_session.AccountSession,
    ) -> None:
        """Take the connections, and what makes the sessions of their accounts.

        Args:
            catalog: the connections.
            poll_seconds: seconds between two readings of all that is followed.
            request_timeout_seconds: how long to wait for each part of an answer.
            ca_file: a PEM file of the only certificate authorities to trust.
            observer: called after each operation, for metrics.
            call_slots: how many short calls this worker makes at a time.
            wait_slots: how many waits it has at a time.
            on_refusal: called with `worker` for a call, or `follow` for a wait, without a slot.
            signing_keys: what the operator signs with.
            new_session: makes the session of an account.
        """
        self.signing_keys = signing_keys or signing.SigningKeys()
        self._catalog = catalog
        self._poll_seconds = poll_seconds
        self._request_timeout_seconds = request_timeout_seconds
        self._ca_file = ca_file
        self._observer = observer
        self._new_session = new_session
        self._call_slots = connection_slots.ConnectionSlots(
            call_slots,
            noun="calls",
            is_shared=self._has_several,
            on_refusal=functools.partial(on_refusal, "worker"),
        )
        self._wait_slots = connection_slots.ConnectionSlots(
            wait_slots,
            noun="waits",
            is_shared=self._has_several,
            on_refusal=functools.partial(on_refusal, "follow"),
            per_free=_WAITS_PER_FREE,
        )
        self._accounts: dict[str, SpaceliftAccount] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def for_call(self, wanted: messages.AccountRef) -> Iterator[SpaceliftAccount]:
        """Give the account of the connection to a short call, with one of its slots.

        Raises:
            ApplicationError: as `get`, or the connection has its share of the slots.
        """
        account = self.get(wanted)
        with self._call_slots.taken_by(wanted.name):
            yield account

    @contextlib.contextmanager
    def for_wait(self, wanted: messages.AccountRef) -> Iterator[SpaceliftAccount]:
        """Give the account of the connection to a long wait; raises as `for_call` does."""
        account = self.get(wanted)
        with self._wait_slots.taken_by(wanted.name):
            yield account

    def for_turn(self) -> contextlib.AbstractContextManager[None]:
        """Count a wait for a stack that another chain has, which needs no account.

        Raises:
            ApplicationError: such waits have their share of the slots.
        """
        return self._wait_slots.taken_by_turn()

    def _has_several(self) -> bool:
        return len(self._catalog.names()) > 1

    def get(self, wanted: messages.AccountRef) -> SpaceliftAccount:
        """Return the account of the connection.

        Raises:
            ApplicationError: this worker has no such connection, or one with another endpoint, or
                not the key that it was signed with; a retry may reach a worker that has it. Or no
                operator has signed it.
        """
        self._retire_changed()
        connection = self._catalog.get(wanted.name)
        if connection is None or connection.endpoint != wanted.endpoint:
            has = "has no such connection" if connection is None else f"has {connection.endpoint}"
            raise temporalio.exceptions.ApplicationError(
                f"The operator means {wanted.endpoint} by the connection '{wanted.name}' and "
                f"this worker {has}. Give the operator and the workers the same connections.",
                type="ConnectionMismatch",
            )
        with signature_failures():
            self.signing_keys.check(wanted)
        account = self._accounts.get(wanted.name)
        if account is None:
            account = self._accounts[wanted.name] = self._open(connection)
        elif account.connection != connection:
            # The file has changed: what it allows now counts, and the poller continues.
            account = dataclasses.replace(account, connection=connection)
            self._accounts[wanted.name] = account
        return account

    def _retire_changed(self) -> None:
        """Let go of the accounts that the connections file no longer has at their endpoint."""
        for name, account in list(self._accounts.items()):
            connection = self._catalog.get(name)
            if connection is None or connection.endpoint != account.endpoint:
                del self._accounts[name]
                task = asyncio.create_task(self._retire(account))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def _retire(self, account: SpaceliftAccount) -> None:
        """Close an account: what follows ends at once, what is on its way has its time."""
        logger.info("Connection has another endpoint or is gone", extra={"old": account.endpoint})
        error = errors.Unreachable(
            f"{account.endpoint}: the connection '{account.connection.name}' has another endpoint "
            "now, or was removed"
        )
        await account.poller.aclose(error)
        await account.hold_poller.aclose(error)
        try:
            await asyncio.sleep(self._request_timeout_seconds)
        finally:
            await account.client.aclose()

    def _open(self, connection: connections.Connection) -> SpaceliftAccount:
        read_api_key = functools.partial(self._catalog.read_api_key, connection.name)
        budget = request_budget.RequestBudget(
            connection.name, functools.partial(self._requests_per_minute, connection.name)
        )
        spacelift = client.SpaceliftClient(
            self._new_session(
                endpoint=connection.endpoint,
                read_api_key=read_api_key,
                request_timeout_seconds=self._request_timeout_seconds,
                ca_file=self._ca_file,
                observer=self._observer,
                before_request=budget.wait,
            )
        )
        return SpaceliftAccount(
            endpoint=connection.endpoint,
            client=spacelift,
            poller=run_poller.RunPoller(spacelift.get_runs, tick_seconds=self._poll_seconds),
            hold_poller=run_poller.HoldPoller(
                spacelift.get_stack_holds, tick_seconds=self._poll_seconds
            ),
            connection=connection,
            own_keys=own_keys.OwnKeys(read_api_key),
        )

    def _requests_per_minute(self, name: str) -> int | None:
        connection = self._catalog.get(name)
        return None if connection is None else connection.requests_per_minute

    @property
    def followed(self) -> int:
        """How many runs are followed."""
        return sum(account.poller.followed for account in self._accounts.values())

    @property
    def waits(self) -> int:
        """How many slots for waits are taken: by runs that are followed and by other waits."""
        return self._wait_slots.taken

    async def aclose(self) -> None:
        """Close all clients."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        for account in self._accounts.values():
            await account.poller.aclose()
            await account.hold_poller.aclose()
            await account.client.aclose()
