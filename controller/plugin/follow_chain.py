"""Follows a chain until it reaches an outcome: reads it once a second and shows what changed.

It polls instead of watching, so that the right to get one StackChain is all that it needs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from controller import clock
from controller.api.v1alpha1 import StackChain
from controller.display import styled_text
from controller.plugin import cluster
from controller.plugin.exit_codes import PROGRAM, CommandError, ExitCode
from controller.plugin.outcomes import CommandOutcome

POLL_SECONDS = 1.0
# A load balancer that restarts must not end an hour of waiting.
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowedChain:
    """The chain to follow, until which outcome, and what shows each reading."""

    chains: cluster.UserChains
    name: str
    find_outcome: Callable[[StackChain], CommandOutcome | None]
    show: Callable[[StackChain], None]
    timeout_seconds: float | None = None
    poll_seconds: float = POLL_SECONDS


async def follow(followed: FollowedChain) -> tuple[StackChain, CommandOutcome]:
    """Return the chain and how it ended, as soon as it has.

    Raises:
        CommandError: the time is over, the chain is gone, or the API server stays away.
    """
    started = clock.monotonic()
    uid = ""
    while True:
        chain = await _get(followed)
        if uid and chain.ref.uid != uid:
            raise CommandError(
                ExitCode.REFUSED,
                f"{followed.name} was deleted, and another StackChain has its name now.",
            )
        uid = chain.ref.uid
        followed.show(chain)
        outcome = followed.find_outcome(chain)
        if outcome is not None:
            return chain, outcome
        if _is_late(followed, started):
            after = styled_text.duration_of(followed.timeout_seconds or 0)
            raise CommandError(
                ExitCode.TIMED_OUT,
                f"{followed.name} is not done after {after}: "
                f"{_describe_ready(chain)} See `{PROGRAM} explain {followed.name}`, or set a "
                "longer --timeout.",
            )
        await asyncio.sleep(followed.poll_seconds)


def _is_late(followed: FollowedChain, started: float) -> bool:
    limit = followed.timeout_seconds
    return limit is not None and clock.monotonic() - started >= limit


async def _get(followed: FollowedChain) -> StackChain:
    since = clock.monotonic()
    while True:
        try:
            return await followed.chains.get(followed.name)
        except CommandError as failure:
            is_patient = clock.monotonic() - since < _PATIENCE_SECONDS
            if failure.code is not ExitCode.UNREACHABLE or not is_patient:
                raise
        await asyncio.sleep(followed.poll_seconds)


def _describe_ready(chain: StackChain) -> str:
    ready = chain.status.condition("Ready")
    if ready is None:
        return "no operator has handled it."
    message = " ".join(ready.message.split())
    return f"Ready={ready.status} {ready.reason}. {message}".rstrip()
