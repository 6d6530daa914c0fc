"""Follows a chain until something holds: reads it again and again, and shows what changed.

It polls in place of watching, so that the right to get one StackChain is all that it needs.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from controller.api.v1alpha1 import StackChain
from controller.plugin import access
from controller.plugin.failures import PROGRAM, Exit, Failure
from controller.plugin.verdicts import Verdict

LOOK_SECONDS = 1.0
# A load balancer that restarts must not end an hour of following.
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Following:
    """What is followed, until when, and who is shown it."""

    chains: access.Chains
    name: str
    judge: Callable[[StackChain], Verdict | None]
    show: Callable[[StackChain], None]
    timeout_seconds: float | None = None
    look_seconds: float = LOOK_SECONDS


async def follow(following: Following) -> tuple[StackChain, Verdict]:
    """Return the chain and how it ended, as soon as it has.

    Raises:
        Failure: the time is over, the chain is gone, or the API server stays away.
    """
    started = time.monotonic()
    uid = ""
    while True:
        chain = await _get(following)
        if uid and chain.ref.uid != uid:
            raise Failure(
                Exit.REFUSED, f"{following.name} was deleted, and another one has its name now."
            )
        uid = chain.ref.uid
        following.show(chain)
        verdict = following.judge(chain)
        if verdict is not None:
            return chain, verdict
        if _is_late(following, started):
            raise Failure(
                Exit.TIMED_OUT,
                f"--timeout is over, and {following.name} is not done: {_says(chain)} "
                f"See `{PROGRAM} explain {following.name}`.",
            )
        await asyncio.sleep(following.look_seconds)


def _is_late(following: Following, started: float) -> bool:
    limit = following.timeout_seconds
    return limit is not None and time.monotonic() - started >= limit


async def _get(following: Following) -> StackChain:
    since = time.monotonic()
    while True:
        try:
            return await following.chains.get(following.name)
        except Failure as failure:
            is_patient = time.monotonic() - since < _PATIENCE_SECONDS
            if failure.code is not Exit.UNREACHABLE or not is_patient:
                raise
        await asyncio.sleep(following.look_seconds)


def _says(chain: StackChain) -> str:
    ready = chain.status.condition("Ready")
    if ready is None:
        return "no operator has looked at it."
    message = " ".join(ready.message.split())
    return f"Ready={ready.status} {ready.reason}. {message}".rstrip()
