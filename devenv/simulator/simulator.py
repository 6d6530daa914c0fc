"""The simulator as one object: the account, what drives it, and what can go wrong with it.

Embeddable: `async with serve(Simulator(scenario)) as server:` gives a running server in this
process, with the model at hand (`server.simulator.account`). `serve` is in `web.server`, the
command line is `cli`. See ADR 0012.
"""

import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from devenv.simulator import faults, journal, scenario, seeding, storage, tokens
from devenv.simulator.gql.documents import Documents
from devenv.simulator.model.account import Account
from devenv.simulator.model.clock import Clock, RealClock, VirtualClock
from devenv.simulator.model.dispatch import Dispatch
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.errors import Refusal
from devenv.simulator.model.outbox import Outbox
from devenv.simulator.model.policies import PolicyEngine
from devenv.simulator.model.run_entities import Run, Transition
from devenv.simulator.model.state_machine import StateMachine

TransitionListener = Callable[[Run, Transition], None]


class Simulator:
    """One simulated account; all access is from one thread, so nothing here is locked."""

    def __init__(
        self,
        document: scenario.Scenario | Mapping[str, Any] | None = None,
        *,
        state_file: Path | None = None,
        seed: int | None = None,
        clock: Clock | None = None,
        policy_engine: PolicyEngine | None = None,
    ) -> None:
        """Build the account from a scenario, or take it up from its state file.

        Args:
            document: The scenario.
            state_file: Where the account is kept over restarts.
            seed: Makes ids repeatable.
            clock: Where all time comes from; default: the scenario says, and tokens live by the
                wall clock.
            policy_engine: Runs notification policies; without one their text is looked at.

        Raises:
            ScenarioError: the scenario cannot be used.
        """
        if not isinstance(document, scenario.Scenario):
            document = scenario.parse(dict(document or {}))
        self.scenario = document
        self.rng = random.Random(seed)  # noqa: S311 - made-up ids, nothing to guess
        self._given_clock = clock
        self.clock: Clock = clock or _clock(document)
        self.documents = Documents()
        self.faults = faults.Faults(rng=self.rng, now=clock.now if clock else time.monotonic)
        self.journal = journal.Journal()
        self.transition_listeners: list[TransitionListener] = []
        self._policy_engine = policy_engine
        self.store = storage.Store(state_file) if state_file else None
        self._add_faults()
        kept = self.store.load() if self.store else None
        if kept is not None:
            self.restore(kept)
        else:
            self._adopt(self._build())

    @property
    def account(self) -> Account:
        """The records."""
        return self.engine.account

    def advance(self, seconds: float | None = None) -> None:
        """Bring the account up to the clock; if asked to, put the clock forward first."""
        if seconds is not None:
            self.clock.move(seconds)
        self.engine.advance(self.clock.now())
        self.outbox.advance(self.clock.now())
        self.save()

    def next_due(self) -> float | None:
        """Return when something is due next, in the account or on the way out of it."""
        dues = [due for due in (self.engine.next_due(), self.outbox.next_due()) if due is not None]
        return min(dues, default=None)

    def save(self) -> None:
        """Write what has changed to the state file, before anyone can learn of it."""
        if self.store is not None:
            self.store.append(self.account)

    def snapshot(self) -> dict[str, Any]:
        """Return the whole account as plain JSON."""
        return storage.dump(self.account)

    def restore(self, document: dict[str, Any]) -> None:
        """Replace the present account with one from `snapshot`."""
        account = storage.load(document)
        engine = StateMachine(account, now=self.clock.now(), rng=self.rng)
        engine.resume()
        self._adopt(engine)
        self.advance()

    def reset(self, document: scenario.Scenario | None = None) -> None:
        """Start over from a scenario: the given one, or the one from the start."""
        self.scenario = document or self.scenario
        self.clock = self._given_clock or _clock(self.scenario)
        self.faults.clear()
        self.journal.clear()
        self._adopt(self._build())
        self._add_faults()
        self.advance()

    def _add_faults(self) -> None:
        for spec in self.scenario.faults:
            self.faults.add(spec)

    def _build(self) -> Engine:
        try:
            return seeding.build(self.scenario, now=self.clock.now(), rng=self.rng)
        except Refusal as refusal:
            raise scenario.ScenarioError(f"document: {refusal}; correct this") from refusal

    def _adopt(self, engine: Engine) -> None:
        self.engine = engine
        self.outbox = Outbox(engine.account)
        self.dispatch = Dispatch(
            engine=engine, outbox=self.outbox, policy_engine=self._policy_engine
        )
        given = self._given_clock
        self.tokens = tokens.Tokens(engine.account, now=given.now if given else time.time)
        engine.listeners += [self.dispatch.run_changed, self._announce]
        if self.store is not None:
            self.store.rewrite(engine.account)

    def _announce(self, run: Run, transition: Transition) -> None:
        for listener in self.transition_listeners:
            listener(run, transition)


def _clock(document: scenario.Scenario) -> Clock:
    real = RealClock()
    if document.clock == "real":
        return real
    return VirtualClock(document.start if document.start is not None else real.now())
