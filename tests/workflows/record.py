"""Records the histories that `test_replay.py` replays: `python -m tests.workflows.record`.

A recorded history stands for chains that are running while a release is installed, so old ones are
kept for as long as such chains may run: record new ones beside them after a deliberate change.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory

from controller.api.v1alpha1 import Phase
from controller.dev import temporal_server
from tests.workflows import harness as harnesses
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


async def failed(chain: Harness) -> None:
    """A stack fails: its dependents are skipped, what Spacelift queued on them is stopped."""
    await chain.run()


async def canceled(chain: Harness) -> None:
    """Canceled while two runs go on."""
    handle = await chain.start()
    for stack_id in "ab":
        await chain.stack_shows(handle, stack_id, Phase.RUNNING)
    await handle.cancel()
    await handle.result()


async def adopted(chain: Harness) -> None:
    """One native run is used, one does not come; two waves meet in a stack."""
    await chain.run()


async def busy(chain: Harness) -> None:
    """Another chain has the stack, which then shows problems with Spacelift."""
    first = await chain.start("first")
    await chain.stack_shows(first, "a", Phase.RUNNING)
    second = await chain.start("second")
    await chain.stack_shows(second, "a", Phase.WAITING, "StackBusy")
    chain.world.failures["trigger_stack_run", "a"] = [failure("AmbiguousOutcome")] * 3
    await chain.world.move("a", "FINISHED")
    await chain.stack_shows(second, "a", Phase.RUNNING)
    await chain.world.move("a", "FINISHED")
    await second.result()


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
    return {happy: diamond, failed: broken, canceled: two, adopted: waves, busy: shared}


async def record(folder: Path) -> list[Path]:
    """Run each scenario on a server of its own and write the histories of all its workflows."""
    written: list[Path] = []
    with tempfile.TemporaryDirectory() as logs:
        options = temporal_server.TemporalOptions(
            log_file=Path(logs) / "temporal.log", has_ui=False
        )
        async with temporal_server.TemporalServer(options) as server:
            client = await Client.connect(server.address, identity="recorder")
            for scenario, world in worlds().items():
                chain = harnesses.new_harness(client, world)
                async with harnesses.workers(chain):
                    await scenario(chain)
                    histories = await chain.histories()
                written += _write(folder, scenario.__name__, histories)  # type: ignore[attr-defined] - they are functions
    return written


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
    """Leave out what tells of the machine that recorded, and what a replay does not look at."""
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items() if key not in _OF_THE_MACHINE}
    return [_clean(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    for file in asyncio.run(record(FOLDER)):
        print(file)
