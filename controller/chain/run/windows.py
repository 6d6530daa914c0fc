"""Whether windows are open, and when that changes. Pure.

Outside of its windows a chain triggers nothing and confirms nothing; what runs continues (ADR
0055). A stack is held by the window of its chain and by that of its stage: both have to be open.
"""

import dataclasses
import datetime
import functools
from collections.abc import Sequence

from controller import cron_times, times, window_times
from controller.api import v1alpha1

# The search for a time when windows are open together starts here. It is the same day for all, so
# that an accepted spec stays accepted.
_FIRST_DAY = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
# A cron may have its next time in a century.
_LOOK_AGAIN = datetime.timedelta(days=366)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class WindowState:
    """`until`, an RFC 3339 time: when to check it again, since it closes or opens then."""

    is_open: bool
    until: str


def state_of(windows: Sequence[v1alpha1.Window], *, now: datetime.datetime) -> WindowState:
    """Return whether all of the windows are open; there has to be at least one."""
    closes_at = window_times.next_closing(windows, now)
    if closes_at is not None:
        return WindowState(is_open=True, until=times.rfc3339(closes_at))
    opens_at, _ = window_times.next_opening(windows, now)
    return WindowState(is_open=False, until=times.rfc3339(opens_at or now + _LOOK_AGAIN))


def check(spec: v1alpha1.StackChainSpec) -> None:
    """Check whether the windows of a spec ever open.

    The operator checks this, and not the parser of a spec: a program without time zones may still
    show the spec.

    Raises:
        InvalidResource: one does not; the message names the field, and says what to do.
    """
    whole = () if spec.window is None else (spec.window,)
    if why := _why_never_open(whole):
        raise v1alpha1.InvalidResource(f"`spec.window`: {why}")
    for place, stage in enumerate(spec.stages):
        own = () if stage.window is None else (stage.window,)
        if why := _why_never_open(own) or _why_never_open((*whole, *own)):
            raise v1alpha1.InvalidResource(f"`spec.stages.{place}.window`: {why}")


@functools.lru_cache(maxsize=1024)
def _why_never_open(windows: tuple[v1alpha1.Window, ...]) -> str:
    """Return why windows are never open at the same time, and what to do; "" if they are.

    A spec is checked in each pass, and what this finds out is always the same.
    """
    try:
        opens_at, is_known = window_times.next_opening(windows, _FIRST_DAY)
    except cron_times.BadCron as error:
        return f"{error}; correct `cron` or `timeZone`"
    if opens_at is not None and is_known:
        return ""
    return "it is never open at the same time as `spec.window`; change one of the two"


def closed_message(until: str) -> str:
    """Return the message for what waits for its window."""
    return f"Waits for its window (`window`), {closed_text(until)}."


def closed_text(until: str) -> str:
    """Return, as the end of a sentence, until when a window is closed."""
    return f"which is closed until {until}"
