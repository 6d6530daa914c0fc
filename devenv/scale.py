"""`make size`: what a number of chains asks of Temporal, Spacelift and the workers, by a model.

The model is linear, and its coefficients are counts that `make bench` measured
(docs/benchmarks.md). `make bench ARGS=model` compares it with chains of other sizes. Nothing here
depends on how fast a machine is.
"""

import argparse
import dataclasses
import math
import sys
from collections.abc import Sequence

_DAYS_A_MONTH = 30
_SECONDS_AN_HOUR = 3600
_MILLION = 1_000_000
# The chart's defaults.
_WORKERS_AT_LEAST = 2
_CACHED_WORKFLOWS = 1000
_FOLLOWED_RUNS = 2000
# How many runs the client reads with one request: `controller.spacelift.documents.LARGEST_SIZE`.
_RUNS_A_REQUEST = 50


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What is asked of an installation."""

    chain_runs: float
    """A day."""
    stacks: float
    """Of each chain, all of which run."""
    run_hours: float
    """How long Spacelift works on each run."""
    waiting_hours: float = 0.0
    """How long runs of each chain run wait for a person, all together."""
    busy_hours: float = 8.0
    """The part of the day over which chain runs are spread."""
    poll_seconds: float = 10.0
    """SPACELIFT_POLL_SECONDS."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """What was measured of one of each."""

    actions_a_chain: float
    """Temporal actions, besides those of its stacks."""
    actions_a_stack: float
    actions_a_run_hour: float
    """Heartbeats of who follows a run that Spacelift works on."""
    actions_a_waiting_hour: float
    """The same for a run that waits for a person."""
    actions_a_busy_hour: float
    """Of an installation: while any chain run is in progress, the operator queries one of them
    each STACKCHAIN_RESYNC_SECONDS, to know that a worker answers."""
    requests_a_stack: float
    """Requests to Spacelift, besides those that read runs."""
    history_kilobytes_a_stack: float
    """In plain JSON, as Temporal keeps it without compression."""


MEASURED = Counts(
    actions_a_chain=9.4,
    actions_a_stack=8.6,
    actions_a_run_hour=144,
    actions_a_waiting_hour=29,
    actions_a_busy_hour=120,
    requests_a_stack=2.1,
    history_kilobytes_a_stack=18.6,
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """What a load comes to."""

    spacelift_runs: float
    """A day."""
    followed_runs: float
    """At the same time, on average over the busy hours."""
    starts_a_second: float
    workers: int
    actions: float
    """Of Temporal, a day."""
    actions_a_month: float
    history_megabytes: float
    """A day; times the days of retention is what Temporal keeps."""
    spacelift_requests_a_second: float
    """On average over the busy hours, without webhooks."""


def size_of(load: Load, counts: Counts = MEASURED) -> Size:
    """Return what a load comes to."""
    runs = load.chain_runs * load.stacks
    busy_seconds = load.busy_hours * _SECONDS_AN_HOUR
    per_chain = (
        counts.actions_a_chain
        + counts.actions_a_stack * load.stacks
        + counts.actions_a_run_hour * load.stacks * load.run_hours
        + counts.actions_a_waiting_hour * load.waiting_hours
    )
    followed = (
        load.chain_runs * (load.stacks * load.run_hours + load.waiting_hours) / load.busy_hours
    )
    actions = load.chain_runs * per_chain + counts.actions_a_busy_hour * load.busy_hours
    workers = _workers_for(followed)
    # Each worker reads the runs that it follows, as many at once as a request may hold.
    reads = workers * math.ceil(followed / workers / _RUNS_A_REQUEST) / load.poll_seconds
    return Size(
        spacelift_runs=runs,
        followed_runs=followed,
        starts_a_second=load.chain_runs / busy_seconds,
        workers=workers,
        actions=actions,
        actions_a_month=actions * _DAYS_A_MONTH,
        history_megabytes=runs * counts.history_kilobytes_a_stack / 1000,
        spacelift_requests_a_second=runs * counts.requests_a_stack / busy_seconds + reads,
    )


def _workers_for(followed: float) -> int:
    """Enough that no live workflow is replayed, and that one worker may be lost."""
    to_cache = math.ceil(followed / _CACHED_WORKFLOWS)
    to_follow = math.ceil(followed / _FOLLOWED_RUNS) + 1
    return max(_WORKERS_AT_LEAST, to_cache, to_follow)


def rows_of(size: Size) -> list[tuple[str, str]]:
    """Return each figure with its name, in as many digits as a model deserves."""
    return [
        ("Spacelift runs a day", rounded(size.spacelift_runs)),
        ("runs followed at the same time", rounded(size.followed_runs)),
        ("chain runs started per second", rounded(size.starts_a_second)),
        ("worker pods", str(size.workers)),
        ("Temporal actions a day", rounded(size.actions)),
        ("Temporal actions in 30 days", rounded(size.actions_a_month)),
        ("Temporal histories a day, in plain JSON", f"{rounded(size.history_megabytes)} MB"),
        (
            "requests to Spacelift per second, without webhooks",
            rounded(size.spacelift_requests_a_second),
        ),
    ]


def rounded(value: float) -> str:
    """Return a number with two digits that count: `45,000`, `4.5 million`, `0.35`."""
    if value == 0:
        return "0"
    value = float(f"{value:.1e}")
    digits = 1 - math.floor(math.log10(value))
    if value >= _MILLION:
        return f"{value / _MILLION:,.{max(0, digits + 6)}f} million"
    return f"{value:,.{max(0, digits)}f}"


def main(arguments: Sequence[str]) -> int:
    """Print what a load comes to."""
    parser = argparse.ArgumentParser(prog="make size", description=__doc__)
    parser.add_argument("--chains", type=_positive, required=True, help="chain runs a day")
    parser.add_argument("--stacks", type=_positive, required=True, help="stacks of each chain")
    parser.add_argument("--run-minutes", type=_positive, default=10, help="of each run (10)")
    parser.add_argument(
        "--waiting-minutes",
        type=_not_negative,
        default=0,
        help="for which the runs of a chain run wait for people (0)",
    )
    parser.add_argument(
        "--busy-hours", type=_positive, default=8, help="of a day in which chains run (8)"
    )
    parser.add_argument(
        "--poll-seconds", type=_positive, default=10, help="SPACELIFT_POLL_SECONDS (10)"
    )
    given = parser.parse_args(arguments)
    load = Load(
        chain_runs=given.chains,
        stacks=given.stacks,
        run_hours=given.run_minutes / 60,
        waiting_hours=given.waiting_minutes / 60,
        busy_hours=given.busy_hours,
        poll_seconds=given.poll_seconds,
    )
    rows = rows_of(size_of(load))
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"{name:{width}}  {text:>12}")
    return 0


def _positive(text: str) -> float:
    if (value := _not_negative(text)) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} must be more than 0")
    return value


def _not_negative(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of at least 0")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
