"""`python -m tests.ui [PORT]`: the page with chains in all situations, to look at.

What is typed changes what is shown: `away` and `back` for the API server, `view` and `change` for
what the viewer may do, `large` for an update of the chain of 500 stacks, `run` for a run of the
chain `live` from its start to its end, one step for each line, `many` for
5,000 more chains, and `delete NAME`. Each line is answered with `done` once it counts.
"""

import asyncio
import datetime
import itertools
import sys
from typing import Any

from controller.kube import errors
from tests.ui import page, samples

_EVENTS = (
    ("Normal", "AwaitingConfirmation", "The run of 'database' waits for a person."),
    ("Warning", "StackFailed", "The run of 'monitoring' failed (no token)."),
    ("Warning", "StackRetrying", "The run of 'monitoring' failed; another follows."),
    ("Normal", "StackSucceeded", "The run of 'cluster' finished: +4 ~0 -0."),
    ("Normal", "StackStarted", "The run of 'monitoring' is in progress."),
    ("Normal", "GraphResolved", "12 stacks in 4 levels."),
    ("Normal", "RunStarted", "Run 7 was started (Schedule)."),
)


class Stage:
    """What is shown, and how lines change it."""

    def __init__(self) -> None:
        self.start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=240)
        bodies = [
            *samples.all_kinds(self.start),
            samples.hostile(),
            samples.destroying(start=self.start),
            samples.staged(start=self.start),
            self._live(0),
        ]
        self.watch = page.FakeWatch(bodies)
        self.kube = page.FakeApiServer(self.watch)
        self._versions = itertools.count(2)
        self._step = 0

    async def list_events(self, _namespace: str, _uid: str) -> list[dict[str, Any]]:
        return [
            {
                "time": samples.at(240 - 9 * place, start=self.start),
                "type": kind,
                "reason": reason,
                "message": message,
                "count": 1,
            }
            for place, (kind, reason, message) in enumerate(_EVENTS)
        ]

    def obey(self, line: str) -> None:
        match line.split():
            case ["away"]:
                self.watch.fail(errors.ApiUnreachable("Connection refused"))
            case ["back"]:
                self.watch.failure = None
            case ["view" | "change" as right]:
                self.kube.may_change = right == "change"
            case ["large"]:
                version = next(self._versions)
                body = samples.large(500, start=self.start, version=version)
                for place, stack in enumerate(body["status"]["stacks"]):
                    if place % 97 == version % 97:
                        stack["phase"] = "Running"
                self.watch.put(body)
            case ["run"]:
                self._step += 1
                self.watch.put(self._live(self._step))
            case ["many"]:
                stack = [samples.stack("a", "Succeeded")]
                ready = ("True", "RunSucceeded", "Done.")
                for place in range(5000):
                    name = f"chain-{place:04}"
                    self.watch.put(
                        samples.chain(name, stack, ready=ready, namespace="many", phase="Succeeded")
                    )
            case ["delete", name]:
                for body in list(self.watch.bodies.values()):
                    if body["metadata"]["name"] == name:
                        self.watch.remove(body)
            case other:
                print(f"unknown: {other}", flush=True)

    def _live(self, step: int) -> dict[str, Any]:
        """Return the chain of the examples, level by level: running, then succeeded."""
        level, is_over = divmod(step, 2)
        names = samples.PLATFORM
        phases = {
            name: "Succeeded"
            if samples.level_of(name) < level
            else ("Running" if samples.level_of(name) == level and is_over else "Pending")
            for name in names
        }
        done = all(phase == "Succeeded" for phase in phases.values())
        ready = (
            ("True", "RunSucceeded", "All 12 stacks succeeded.")
            if done
            else ("Unknown", "Progressing", f"Step {step}.")
        )
        return samples.platform(
            phases,
            start=self.start,
            version=1000 + step,
            ready=ready,
            phase="Succeeded" if done else "Running",
            name="live",
        )


async def main() -> None:
    stage = Stage()
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    async with page.serving(stage.watch, stage.list_events, port, kube=stage.kube) as server:
        print(server.address(), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            stage.obey(line)
            print("done", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
