"""A plain script: the standard library's order and threads, and polling.

`python -m tests.benchmarks.peers.script FILE`
"""

import concurrent.futures
import graphlib
import sys
from pathlib import Path

from tests.benchmarks.peers import account


def main(path: Path) -> None:
    rollout = account.Rollout.read(path)
    spacelift = account.Account(rollout)
    order = graphlib.TopologicalSorter(rollout.upstreams)
    order.prepare()
    with concurrent.futures.ThreadPoolExecutor(rollout.parallelism) as pool:
        running: dict[concurrent.futures.Future[None], str] = {}
        while order.is_active():
            running |= {pool.submit(spacelift.run, stack): stack for stack in order.get_ready()}
            ended, _ = concurrent.futures.wait(
                running, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in ended:
                future.result()
                order.done(running.pop(future))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
