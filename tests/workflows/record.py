"""Records the histories that `test_replay.py` replays: `python -m tests.workflows.record [NAME..]`.

From version 0.1.0 on a recorded history represents chains that are running while a release is
installed. So old ones are kept for as long as such chains may run: record new ones next to them
after a deliberate change.
`--release VERSION` keeps today's recordings as those of that version.
"""

import argparse
import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import temporalio.worker
from temporalio import activity
from temporalio.client import Client, WorkflowHandle, WorkflowHistory

from controller.api import v1alpha1
from controller.api.reasons import ChainReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import holds, progress
from controller.chain.run.progress import LiveRequest, LiveRequestKind
from controller.temporal import ids, notification_messages, start_messages, worker
from devenv import temporal_server
from tests.support.builders import make_notification
from tests.support.waiting import eventually
from tests.workflows import asking
from tests.workflows import harness as harnesses
from tests.workflows.executions import execution
from tests.workflows.harness import Harness
from tests.workflows.world import World, failure

FOLDER = Path(__file__).parent / "histories"
_OF_THE_MACHINE = ("identity", "stackTrace", "workerVersion", "binaryChecksum")


async def happy(chain: Harness) -> None:
    """A diamond with one run that waits for a person, adopted runs and triggered ones."""
    handle = await chain.start(parallelism=2)
    await chain.stack_shows(handle, "b", Phase.AWAITING_CONFIRMATION)
    await chain.world.move("b", "FINISHED")
    await handle.result()


async def staged(chain: Harness) -> None:
    """Two stages across a native dependency, with a soak time between them."""
    stages = [
        v1alpha1.Stage(name="dev", labels=("dev",)),
        v1alpha1.Stage(name="prod", labels=("prod",), soak_seconds=2),
    ]
    handle = await chain.start(stages=stages)
    await chain.stack_shows(handle, "a", Phase.SUCCEEDED)
    chain.world.held.clear()
    await handle.result()


async def windowed(chain: Harness) -> None:
    """The window of the chain is closed at first, and again once the second stack could start."""
    window = v1alpha1.Window(cron="@daily", duration_seconds=3600)
    stages = [v1alpha1.Stage(name="prod", labels=("prod",), window=window)]
    handle = await chain.start(stages=stages, window=window)
    await _shows(chain, handle, ChainReason.WINDOW_CLOSED)
    chain.world.open_windows()
    await chain.stack_shows(handle, "a", Phase.RUNNING)
    chain.world.close_windows()
    await chain.world.move("a", "FINISHED")
    await _shows(chain, handle, ChainReason.WINDOW_CLOSED)
    chain.world.open_windows()
    await handle.result()


async def asked(chain: Harness) -> None:
    """One stack is retried, one bypassed, one request comes too early, and a stage is approved."""
    required = v1alpha1.StageApproval.REQUIRED
    stages = [
        v1alpha1.Stage(name="dev", labels=("dev",)),
        v1alpha1.Stage(name="prod", labels=("prod",), approval=required),
    ]
    handle = await chain.start(stages=stages)
    for stack_id in "ab":
        await chain.stack_shows(handle, stack_id, Phase.FAILED)
    requests = [
        (LiveRequestKind.APPROVE, "prod"),
        (LiveRequestKind.RETRY, "a"),
        (LiveRequestKind.BYPASS, "b"),
    ]
    for place, (kind, name) in enumerate(requests):
        await _ask(handle, kind, name, token=str(place))
    await _shows(chain, handle, ChainReason.AWAITING_APPROVAL)
    await _ask(handle, LiveRequestKind.APPROVE, "prod", token="approved")
    await chain.stack_shows(handle, "p", Phase.SUCCEEDED)
    await chain.world.move("x", "FINISHED")
    await handle.result()


async def _ask(
    handle: harnesses.ChainHandle, kind: LiveRequestKind, name: str, *, token: str
) -> None:
    request = LiveRequest(kind=kind, token=token, number=1, names=[name])
    await handle.signal(ids.REQUEST_SIGNAL, request)


async def _shows(chain: Harness, handle: harnesses.ChainHandle, reason: ChainReason) -> None:
    async def shows() -> bool:
        return (await chain.known(handle)).reason == reason

    await eventually(shows, what=f"the run shows {reason}")


async def failed(chain: Harness) -> None:
    """A stack fails: its dependents are skipped, what Spacelift queued on them is stopped."""
    await chain.run()


async def canceled(chain: Harness) -> None:
    """Canceled while two runs continue."""
    handle = await chain.start()
    for stack_id in "ab":
        await chain.stack_shows(handle, stack_id, Phase.RUNNING)
    await handle.cancel()
    await handle.result()


async def adopted(chain: Harness) -> None:
    """One native run is used, one does not come, and two waves meet in a stack."""
    await chain.run()


async def busy(chain: Harness) -> None:
    """Another chain has the stack, which then shows problems with Spacelift."""
    first = await chain.start("first")
    await chain.stack_shows(first, "a", Phase.RUNNING)
    second = await chain.start("second")
    await chain.stack_shows(second, "a", Phase.WAITING, "StackBusy")
    await chain.called("await_turn", chain.execution("a").id, times=2)
    chain.world.failures["trigger_stack_run", "a"] = [failure("AmbiguousOutcome")] * 3
    await chain.world.move("a", "FINISHED")
    await chain.stack_shows(second, "a", Phase.RUNNING)
    await chain.world.move("a", "FINISHED")
    await second.result()


async def retried(chain: Harness) -> None:
    """A run fails, another one follows after a pause."""
    policy = v1alpha1.Retry(limit=1, backoff_seconds=1)
    async with execution(chain, retry=policy) as stack:
        await stack.ends(Phase.SUCCEEDED, "RunFinished")


async def confirmed(chain: Harness) -> None:
    """The chain confirms: refused at first, then at a wake accepted."""
    async with execution(chain, confirmation_policy="Auto") as stack:
        await stack.shows("RunInProgress")
        await chain.world.move("a", "UNCONFIRMED")
        await stack.shows("NeedsConfirmation")
        await stack.wake()
        await stack.ends(Phase.SUCCEEDED, "RunFinished")


async def limited(chain: Harness) -> None:
    """A plan is beyond the limits; another one is within them, and is confirmed."""
    limits = v1alpha1.ConfirmationLimits(max_deleted=0)
    async with execution(chain, confirmation_policy="Auto", confirmation_limits=limits) as stack:
        await stack.shows("LimitsExceeded")
        chain.world.excesses.clear()
        await chain.world.change("a", delta=v1alpha1.Delta(added=1, changed=0, deleted=0))
        await stack.ends(Phase.SUCCEEDED, "RunFinished")


async def unanswered(chain: Harness) -> None:
    """No one confirms in time, under a deadline of the stack that does not pass."""
    deadlines = {"confirmation_deadline_seconds": 2, "stack_deadline_seconds": 600}
    async with execution(chain, **deadlines) as stack:
        await stack.shows("NeedsConfirmation")
        await stack.ends(Phase.TIMED_OUT, "ConfirmationDeadlineExceeded")


async def locked(chain: Harness) -> None:
    """Between two runs the stack is locked, is locked by another person, and is unlocked."""
    policy = v1alpha1.Retry(limit=1, backoff_seconds=1)
    async with execution(chain, retry=policy) as stack:
        await stack.shows("RunInProgress")
        await chain.world.hold_stack("a", holds.Hold(locked_by="jane"))
        chain.world.held.clear()
        await chain.world.move("a", "FAILED")
        await stack.shows("StackLocked")
        await chain.world.hold_stack("a", holds.Hold(locked_by="joe"))
        await stack.shows("StackLocked", times=2)
        await chain.world.hold_stack("a", None)
        await stack.ends(Phase.SUCCEEDED, "RunFinished")


async def notified(chain: Harness) -> None:
    """One sink takes the notification at the second try; the other never does."""
    tries: dict[str, int] = {}

    @activity.defn(name="deliver_notification")
    async def deliver(argument: notification_messages.DeliverNotificationInput) -> None:
        tries[argument.sink] = tries.get(argument.sink, 0) + 1
        if argument.sink == "refuses":
            raise failure("GivenUp", final=True)
        if tries[argument.sink] == 1:
            raise failure("SinkUnavailable")

    queue = ids.notify_queue(chain.task_queue)
    async with temporalio.worker.Worker(
        chain.client,
        task_queue=queue,
        workflows=list(worker.NOTIFY_WORKFLOWS),
        workflow_runner=harnesses.sandbox_runner(),
        activities=[deliver],
        max_cached_workflows=0,
    ):
        told = make_notification()
        handle: WorkflowHandle[Any, notification_messages.NotificationResult]
        handle = await chain.client.start_workflow(
            ids.NOTIFICATION_WORKFLOW,
            notification_messages.NotificationInput(notification=told, sinks=["ops", "refuses"]),
            id=ids.notification_workflow_id(told.id),
            task_queue=queue,
            result_type=notification_messages.NotificationResult,
        )
        await handle.result()
        chain.executions.append(handle)


async def below(chain: Harness) -> None:
    """Started by the finished run of a root: what that queued is used, or stopped."""
    run = chain.world.create("a")
    root = progress.FinishedRoot(stack_id="a", run_id=run.id, run_url="https://x")
    await chain.run(finished_roots=[root], cause="RootRunFinished")


async def requested(chain: Harness) -> None:
    """A schedule says that it is time."""
    await asking.request(chain)


async def swept(chain: Harness) -> None:
    """The roots are looked at, and the operator knows at once."""
    await asking.sweep(chain)


async def held(chain: Harness) -> None:
    """A stack is locked, by two people in turn, and leaves its slot to another meanwhile."""
    handle = await chain.start(parallelism=1)
    await chain.stack_shows(handle, "b", Phase.RUNNING)
    await chain.world.hold_stack("a", holds.Hold(locked_by="joe"))
    await chain.stack_shows(handle, "a", Phase.PENDING)
    await chain.world.move("b", "FINISHED")
    await chain.called("await_stack_release", "a", times=2)
    await chain.stack_shows(handle, "a", Phase.WAITING, "StackLocked")
    await chain.world.hold_stack("a", None)
    await handle.result()


def worlds() -> dict[Callable[[Harness], Awaitable[None]], World]:
    diamond = World("a>b", "a>c", "b>d", "c>d")
    diamond.held, diamond.holds_in["b"] = {"b"}, "UNCONFIRMED"
    broken = World("a>b", "b>c", "c~d", "a~e")
    broken.ends["b"], broken.held, broken.holds_in["c"] = "FAILED", {"c"}, "QUEUED"
    two = World("a>c", "b~d", roots=("a", "b"))
    two.held, two.holds_in["c"] = {"a", "b", "c"}, "QUEUED"
    waves = World("a>c", "b>c", "a>d", "a>e", roots=("a", "b"))
    waves.without_native, waves.ends["d"] = {"e"}, "SKIPPED"
    shared = World()
    shared.held = {"a"}
    taken = World("a~c", roots=("a", "b"))
    taken.stack_holds["a"], taken.held = holds.Hold(locked_by="jane"), {"b"}
    across = World("a>p", "p>r")
    across.stage_of = {"a": "dev", "p": "prod", "r": "prod"}
    across.held, across.holds_in = {"p", "r"}, {"p": "QUEUED", "r": "QUEUED"}
    chains = {happy: diamond, failed: broken, canceled: two, adopted: waves, busy: shared}
    closing = World("a~p")
    closing.stage_of, closing.held = {"p": "prod"}, {"a"}
    failing = World(roots=("a", "b", "p", "x"))
    failing.stage_of = {"a": "dev", "b": "dev", "p": "prod"}
    failing.first_ends, failing.ends, failing.held = {"a": ["FAILED"]}, {"b": "FAILED"}, {"x"}
    chains |= {staged: across, windowed: closing, asked: failing}
    return chains | {held: taken} | _worlds_of_executions() | _worlds_of_starts()


def _worlds_of_starts() -> dict[Callable[[Harness], Awaitable[None]], World]:
    rooted = World("a>b", "b>c", "a>d", "b~d")
    watched = World()
    watched.root_runs = [
        start_messages.RootRuns(
            stack_id="a",
            newest_run_id="2",
            finished=[start_messages.FinishedRun(run_id="1", is_own=False, triggered_by="jane")],
        )
    ]
    return {below: rooted, requested: World(), swept: watched}


def _worlds_of_executions() -> dict[Callable[[Harness], Awaitable[None]], World]:
    failing = World()
    failing.first_ends["a"] = ["FAILED"]
    refusing = World()
    refusing.held = {"a"}
    refusing.failures["confirm_stack_run", "a"] = [failure("SpaceliftRefused", final=True)]
    silent = World()
    silent.held, silent.holds_in["a"] = {"a"}, "UNCONFIRMED"
    large = World()
    large.held, large.holds_in["a"] = {"a"}, "UNCONFIRMED"
    large.excesses["a"] = "would delete 2, limit 0"
    reserved = World()
    reserved.held = {"a"}
    return {
        **{retried: failing, confirmed: refusing, unanswered: silent, locked: reserved},
        **{limited: large, notified: World()},
    }


async def record(folder: Path, names: Collection[str]) -> list[Path]:
    """Run scenarios on a new server and write the histories of all their workflows.

    Args:
        folder: where to write.
        names: the scenarios; none: all.
    """
    written: list[Path] = []
    with tempfile.TemporaryDirectory() as logs:
        options = temporal_server.TemporalOptions(
            log_file=Path(logs) / "temporal.log", has_ui=False
        )
        async with temporal_server.TemporalServer(options) as server:
            client = await Client.connect(server.address, identity="recorder")
            chosen = {key: world for key, world in worlds().items() if _is_chosen(key, names)}
            for scenario, world in chosen.items():
                chain = harnesses.new_harness(client, world)
                async with harnesses.workers(chain):
                    await scenario(chain)
                    histories = await chain.histories()
                written += _write(folder, scenario.__name__, histories)  # type: ignore[attr-defined]  # they are functions
    return written


def keep(folder: Path, version: str) -> list[Path]:
    """Copy the recordings into the folder of a release, which never changes from then on.

    Raises:
        FileExistsError: the release has its folder already.
    """
    kept = folder / version
    kept.mkdir()
    return [Path(shutil.copy2(path, kept)) for path in sorted(folder.glob("*.json"))]


def unkept_releases(changelog: str, folder: Path) -> list[str]:
    """Return the versions that the changelog calls released and that have no recordings."""
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)
    return [version for version in released if not any(folder.glob(f"{version}/*.json"))]


def _is_chosen(scenario: Callable[..., Any], names: Collection[str]) -> bool:
    return not names or scenario.__name__ in names


def _write(folder: Path, name: str, histories: list[WorkflowHistory]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    written: list[Path] = []
    for number, history in enumerate(histories):
        path = folder / f"{name}-{number}.json"
        # The id is part of the history: children's ids are derived from nothing else.
        document = {"workflow_id": history.workflow_id, "history": _clean(history.to_json_dict())}
        path.write_text(json.dumps(document, separators=(",", ":")) + "\n")
        written.append(path)
    return written


def _clean(value: Any) -> Any:
    """Leave out what describes the machine that recorded, and what a replay does not look at."""
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items() if key not in _OF_THE_MACHINE}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _main() -> None:
    parser = argparse.ArgumentParser(prog="make record")
    parser.add_argument("names", nargs="*", help="scenarios; all by default")
    parser.add_argument("--release", metavar="VERSION", help="keep the recordings of this version")
    options = parser.parse_args()
    written = (
        keep(FOLDER, options.release)
        if options.release
        else asyncio.run(record(FOLDER, options.names))
    )
    for file in written:
        print(file)


if __name__ == "__main__":
    _main()
