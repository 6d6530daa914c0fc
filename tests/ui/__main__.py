"""`python -m tests.ui [PORT]`: the page with chains in all situations, to look at."""

import asyncio
import datetime
import sys

from tests.ui import page, samples


async def main() -> None:
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=240)
    bodies = [*samples.all_kinds(start), samples.hostile()]

    async def events(_namespace: str, _uid: str) -> list[dict[str, object]]:
        return [
            {
                "time": samples.at(240 - 9 * place, start=start),
                "type": kind,
                "reason": reason,
                "message": message,
                "count": 1,
            }
            for place, (kind, reason, message) in enumerate(
                [
                    ("Normal", "AwaitingConfirmation", "The run of 'database' waits for a person."),
                    ("Warning", "StackFailed", "The run of 'monitoring' failed (no token)."),
                    (
                        "Warning",
                        "StackRetrying",
                        "The run of 'monitoring' failed; another follows.",
                    ),
                    ("Normal", "StackSucceeded", "The run of 'cluster' finished: +4 ~0 -0."),
                    ("Normal", "StackStarted", "The run of 'monitoring' is in progress."),
                    ("Normal", "GraphResolved", "12 stacks in 4 levels."),
                    ("Normal", "RunStarted", "Run 7 was started (Schedule)."),
                ]
            )
        ]

    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    async with page.serving(page.FakeWatch(bodies), events, port) as server:
        print(server.address(), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
