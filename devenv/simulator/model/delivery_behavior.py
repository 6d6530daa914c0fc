"""What happens to deliveries on the way from the account to a webhook's endpoint.

Spacelift guarantees neither order nor exactly-once (API facts, 6.4), so a receiver has to be tried
with each of these. Chance depends on `seed` and the number of the delivery.
"""

import math
import random
from dataclasses import dataclass
from typing import Literal

import pydantic

from devenv.simulator.model.behavior import StrictModel

Rate = float
_PROBABILITY = pydantic.Field(default=0, ge=0, le=1)

# What the documented notification policy sends: key of the payload, and where in the policy's
# input its value is. `count(...)` is the length of a list.
DOCUMENTED_PAYLOAD = {
    "account": "account.name",
    "stack_id": "run_updated.stack.id",
    "stack_labels": "run_updated.stack.labels",
    "run_id": "run_updated.run.id",
    "type": "run_updated.run.type",
    "state": "run_updated.run.state",
    "ordinal": "count(run_updated.run.states_history)",
    "updated_at_ns": "run_updated.run.updated_at",
    "metadata": "run_updated.run.user_provided_metadata",
    "triggered_by": "run_updated.run.triggered_by",
}


class DeliveryBehavior(StrictModel):
    """Each setting with its default; all seconds but `timeout` are those of the account's clock."""

    seed: int = 0
    """Chance: the same seed gives the n-th delivery the same plan."""

    delay: float = pydantic.Field(default=0, ge=0)
    """Seconds between an event and its delivery (the mean, if they scatter)."""

    spread: Literal["fixed", "normal", "heavy-tail"] = "fixed"
    """How delays scatter around `delay`."""

    drop: Rate = _PROBABILITY
    """How many deliveries are lost, from 0 to 1."""

    duplicate: Rate = _PROBABILITY
    """How many deliveries are sent twice."""

    reorder: Rate = _PROBABILITY
    """How many deliveries are held back, so that later ones overtake them."""

    reorder_seconds: float = pydantic.Field(default=1, ge=0)
    """How long those are held back at most."""

    replay: Rate = _PROBABILITY
    """How many deliveries are sent once more, long after."""

    replay_seconds: float = pydantic.Field(default=3600, ge=0)
    """How long after."""

    burst_every: float = pydantic.Field(default=0, ge=0)
    """Deliveries are kept and leave all at once, at each multiple of so many seconds; 0 = not."""

    noise: Rate = _PROBABILITY
    """How many events come with an internal error or an event of a module."""

    stale_versions: Rate = _PROBABILITY
    """How many runs end with the `stateVersion` of the state before; clients have seen this."""

    signature: Literal["both", "sha256-only", "wrong-secret", "none"] = "both"
    """Signature headers; FedRAMP accounts have only the second one."""

    empty_secret: Literal["unsigned", "empty-key"] = "unsigned"  # noqa: S105 - a mode's name
    """A webhook without a secret: no headers, or the signature with an empty key."""

    concurrency: int = pydantic.Field(default=1, ge=1, le=64)
    """Requests to one webhook at a time; with one they keep their order where nothing else does."""

    timeout: float = pydantic.Field(default=10, gt=0)
    """Seconds of the wall clock that an endpoint has to answer."""

    retry_delay: float = pydantic.Field(default=1, ge=0)
    """Seconds to the first retry; each further one waits twice as long."""

    disable_after: int = pydantic.Field(default=10, ge=1)
    """So many failed deliveries in a row disable a webhook."""

    policy_payload: dict[str, str] = pydantic.Field(default=dict(DOCUMENTED_PAYLOAD))
    """What a policy with its own `payload` sends of a run."""

    policy_skips: list[str] = pydantic.Field(default=[])
    """Run states that such a policy is silent about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlan:
    """What happens to one delivery on its way."""

    is_dropped: bool
    is_doubled: bool
    is_replayed: bool
    seconds: float
    has_noise: bool


def plan(behavior: DeliveryBehavior, number: int) -> DeliveryPlan:
    """Return what happens to the `number`-th delivery of an account."""
    # Each delivery has its own generator: what one draws cannot shift what the next one gets.
    rng = random.Random(f"{behavior.seed}/{number}")  # noqa: S311 - repeatable on purpose
    rates = (behavior.drop, behavior.duplicate, behavior.reorder, behavior.noise, behavior.replay)
    is_dropped, is_doubled, is_held, has_noise, is_replayed = (
        rng.random() < rate for rate in rates
    )
    seconds = _delay(behavior, rng)
    if is_held:
        seconds += behavior.reorder_seconds * rng.uniform(0.5, 1)
    return DeliveryPlan(
        is_dropped=is_dropped,
        is_replayed=is_replayed,
        is_doubled=is_doubled,
        seconds=seconds,
        has_noise=has_noise,
    )


def is_stale(behavior: DeliveryBehavior, number: int) -> bool:
    """Return whether an end that the `number`-th delivery reports has a stale version."""
    if not behavior.stale_versions:
        return False
    rng = random.Random(f"{behavior.seed}/{number}/version")  # noqa: S311 - repeatable on purpose
    return rng.random() < behavior.stale_versions


def due(behavior: DeliveryBehavior, at: float, seconds: float) -> float:
    """Return when a delivery leaves that an event of the instant `at` caused."""
    if not behavior.burst_every:
        return at + seconds
    return math.ceil((at + seconds) / behavior.burst_every) * behavior.burst_every


def _delay(behavior: DeliveryBehavior, rng: random.Random) -> float:
    match behavior.spread:
        case "fixed":
            return behavior.delay
        case "normal":
            return max(0.0, rng.gauss(behavior.delay, behavior.delay / 4))
        case "heavy-tail":
            # A Pareto law with shape 2: its mean is twice its scale.
            return behavior.delay / 2 * rng.paretovariate(2)
