"""A Prefect flow: a task for each stack, which waits for those of its upstream stacks.

`python -m tests.benchmarks.peers.prefect_flow FILE`, in the environment of `make peers`. Results
are kept, so that a flow that is started again does not repeat what had succeeded.
"""

import graphlib
import sys
from pathlib import Path
from typing import Any

import prefect
import prefect.futures
import prefect.task_runners

from tests.benchmarks.peers import account

_FILE = Path(sys.argv[1])
_ROLLOUT = account.Rollout.read(_FILE)
_ACCOUNT = account.Account(_ROLLOUT)
_RUNNER = prefect.task_runners.ThreadPoolTaskRunner(max_workers=_ROLLOUT.parallelism)


def _key(_: Any, parameters: dict[str, Any]) -> str:
    return f"stack-{parameters['stack']}"


@prefect.task(task_run_name="{stack}", persist_result=True, cache_key_fn=_key)
def run_stack(stack: str) -> bool:
    _ACCOUNT.run(stack)
    return True


@prefect.flow(task_runner=_RUNNER)
def roll() -> None:
    tasks: dict[str, prefect.futures.PrefectFuture[bool]] = {}
    for stack in graphlib.TopologicalSorter(_ROLLOUT.upstreams).static_order():
        above = [tasks[upstream] for upstream in _ROLLOUT.upstreams[stack]]
        tasks[stack] = run_stack.submit(stack, wait_for=above)
    for task in tasks.values():
        task.result()


if __name__ == "__main__":
    roll()
