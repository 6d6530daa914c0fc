"""Faults: which request goes wrong, and how. Decides only; `web.endpoint` carries it out.

A fault hits before commit (nothing took effect) or after it (it did, but the client does not learn
so). A client that must not trigger twice is tested on whether it can distinguish the two.
"""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import pydantic

from devenv.simulator.gql.documents import Operation
from devenv.simulator.model.behavior import RateLimit, StrictModel


class FaultSpec(StrictModel):
    """A rule: requests that match it, which of them are hit, and what happens to those."""

    field: str | None = None
    """GraphQL root field; any by default."""

    kind: Literal["query", "mutation"] | None = None
    """Kind of operation; any by default."""

    stack: str | None = None
    """Stack that a root field names; any by default."""

    key: str | None = None
    """API key id of the caller; any by default."""

    nth: int = pydantic.Field(default=1, ge=1)
    """The first matching request that is hit, from 1."""

    count: int = pydantic.Field(default=1, ge=0)
    """How many matching requests in a row are hit; 0 = all from then on."""

    when: Literal["before", "after"] = "before"
    """Whether the request takes effect first."""

    action: Literal["reset", "timeout", "status", "malformed", "partial", "error", "latency"]
    """What the client gets instead of its answer."""

    status: int = pydantic.Field(default=503, ge=400, le=599)
    """For `status`: the HTTP status."""

    retry_after: float | None = pydantic.Field(default=None, ge=0)
    """For `status`: the header `Retry-After`; absent by default."""

    seconds: float = pydantic.Field(default=30, ge=0)
    """For `timeout`: how long the connection hangs. For `latency`: the (mean) delay."""

    spread: Literal["fixed", "normal", "heavy-tail"] = "fixed"
    """For `latency`: how delays scatter around `seconds`."""

    message: str = "internal server error"
    """For `error` and `partial`: the text of the GraphQL error."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """A rule in force, with its counters."""

    id: int
    spec: FaultSpec
    matched: int = 0
    hits: int = 0

    def is_turn(self) -> bool:
        """Count a matching request, and return whether to hit it."""
        self.matched += 1
        place = self.matched - self.spec.nth
        is_hit = place >= 0 and (self.spec.count == 0 or place < self.spec.count)
        self.hits += is_hit
        return is_hit


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultDecision:
    """What is to happen to one request."""

    fault: FaultSpec | None = None
    fault_id: int | None = None
    aliases: tuple[str, ...] = ()
    delay: float = 0


@dataclass(slots=True, kw_only=True)
class Bucket:
    """A token bucket."""

    tokens: float
    at: float


@dataclass(slots=True, kw_only=True)
class Faults:
    """All rules of a simulator, its outage and its rate limiter."""

    rng: random.Random
    now: Callable[[], float] = time.monotonic
    rules: dict[int, Fault] = field(default_factory=dict)
    outage: str = "off"
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _last_id: int = 0

    def add(self, spec: FaultSpec) -> Fault:
        """Put a rule in force."""
        self._last_id += 1
        fault = Fault(id=self._last_id, spec=spec)
        self.rules[fault.id] = fault
        return fault

    def decide(
        self, operation: Operation | None, variables: dict[str, Any], *, key_id: str | None
    ) -> FaultDecision:
        """Decide about one request; the first rule whose turn it is wins, delays add up."""
        if operation is None or not self.rules:
            return FaultDecision()
        delay = 0.0
        for rule in self.rules.values():
            aliases = _matching(rule.spec, operation, variables, key_id=key_id)
            if not aliases or not rule.is_turn():
                continue
            if rule.spec.action != "latency":
                return FaultDecision(
                    fault=rule.spec, fault_id=rule.id, aliases=aliases, delay=delay
                )
            delay += self._delay(rule.spec)
        return FaultDecision(delay=delay)

    def seconds_to_wait(self, limit: RateLimit | None, key_id: str) -> float:
        """Take a token from a key's bucket; if there is none, say when there will be one."""
        if limit is None:
            return 0
        now = self.now()
        bucket = self._buckets.setdefault(key_id, Bucket(tokens=limit.burst, at=now))
        gained = (now - bucket.at) * limit.per_second
        bucket.tokens = min(limit.burst, bucket.tokens + gained)
        bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return (1 - bucket.tokens) / limit.per_second

    def clear(self) -> None:
        """End all faults."""
        self.rules.clear()
        self._buckets.clear()
        self.outage = "off"

    def _delay(self, spec: FaultSpec) -> float:
        match spec.spread:
            case "fixed":
                return spec.seconds
            case "normal":
                return max(0.0, self.rng.gauss(spec.seconds, spec.seconds / 4))
            case "heavy-tail":
                # A Pareto law with shape 2: its mean is twice its scale.
                return spec.seconds / 2 * self.rng.paretovariate(2)


def _matching(
    spec: FaultSpec, operation: Operation, variables: dict[str, Any], *, key_id: str | None
) -> tuple[str, ...]:
    """Return the aliases of the root fields that a rule is about."""
    if spec.key is not None and spec.key != key_id:
        return ()
    if spec.kind is not None and (spec.kind == "mutation") is not operation.is_mutation:
        return ()
    return tuple(
        root.alias
        for root in operation.fields
        if spec.field in (None, root.name)
        and (spec.stack is None or spec.stack in stacks_of(root.arguments(variables)))
    )


def stacks_of(arguments: dict[str, Any]) -> Iterable[str]:
    """Return the stacks that the arguments of a root field name."""
    inner = arguments.get("input")
    for source in (arguments, inner if isinstance(inner, dict) else {}):
        for name in ("stack", "id", "stackId"):
            if isinstance(source.get(name), str):
                yield source[name]
        for item in source.get("stacks") or ():
            yield item["stack"]
