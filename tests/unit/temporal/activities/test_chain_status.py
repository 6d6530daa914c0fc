"""Publishing keeps a chain's writes apart, and says which failures end the chain."""

import asyncio
from typing import Any

import pytest
import temporalio.exceptions
from temporalio.testing import ActivityEnvironment

from controller.api import v1alpha1
from controller.temporal import messages
from controller.temporal.activities import chain_status


class Publisher:
    """Notes what it was asked to write."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.executions: list[str] = []
        self.error: Exception | None = None

    async def publish(self, argument: messages.PublishChainStatusInput) -> int:
        if self.error is not None:
            raise self.error
        self.written.append(argument.ref.uid)
        self.executions.append(argument.workflow_run_id)
        return len(self.written)


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def publish(
    status: chain_status.ChainStatus,
    *,
    uid: str = "uid",
    is_final: bool = False,
    interval_milliseconds: int = 60_000,
) -> "asyncio.Task[Any]":
    argument = messages.PublishChainStatusInput(
        ref=v1alpha1.Ref(namespace="team", name="demo", uid=uid, generation=1),
        workflow_id="w",
        workflow_run_id="r",
        interval_milliseconds=interval_milliseconds,
        is_final=is_final,
    )
    return asyncio.ensure_future(ActivityEnvironment().run(status.publish_chain_status, argument))


async def test_the_first_and_the_last_publish_do_not_wait() -> None:
    publisher = Publisher()
    status = chain_status.ChainStatus(publisher)

    first = await publish(status)
    last = await asyncio.wait_for(publish(status, is_final=True), 50)
    again = await asyncio.wait_for(publish(status), 50)

    assert [result.sequence for result in (first, last, again)] == [1, 2, 3]


async def test_a_call_that_a_reset_carried_over_is_of_the_execution_that_has_it_now() -> None:
    publisher = Publisher()

    await publish(chain_status.ChainStatus(publisher))

    assert publisher.executions == [ActivityEnvironment().info.workflow_run_id]


async def test_a_publish_waits_for_its_interval() -> None:
    publisher, clock = Publisher(), Clock()
    status = chain_status.ChainStatus(publisher, clock=clock)
    await publish(status)

    waiting = publish(status)
    other = await publish(status, uid="other")
    clock.now += 59.99
    nearly = await asyncio.wait_for(publish(status, interval_milliseconds=60_000), 50)

    assert not waiting.done()
    assert publisher.written == ["uid", "other", "uid"]
    assert (other.sequence, nearly.sequence) == (2, 3)
    waiting.cancel()


@pytest.mark.parametrize("kind", [chain_status.ResourceGone, chain_status.Superseded])
async def test_a_resource_that_is_not_the_chains_ends_the_chain(kind: type[Exception]) -> None:
    publisher = Publisher()
    publisher.error = kind("it is gone")

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await publish(chain_status.ChainStatus(publisher))

    assert (caught.value.type, caught.value.non_retryable) == (kind.__name__, True)
    assert caught.value.message == "it is gone"


async def test_any_other_failure_is_tried_again_without_waiting() -> None:
    publisher = Publisher()
    status = chain_status.ChainStatus(publisher)
    publisher.error = ConnectionError("the API server is away")
    with pytest.raises(ConnectionError):
        await publish(status)

    publisher.error = None

    assert (await asyncio.wait_for(publish(status), 50)).sequence == 1


async def test_what_a_killed_chain_leaves_behind_is_forgotten() -> None:
    clock = Clock()
    status = chain_status.ChainStatus(Publisher(), clock=clock)
    await publish(status, uid="killed")

    clock.now += 10_000
    await publish(status, uid="living")

    assert list(status._written) == ["living"]


class SlowPublisher:
    """Writes at once and reports it later, as Events come after the status."""

    def __init__(self) -> None:
        self.has_written = asyncio.Event()
        self.may_tell = asyncio.Event()
        self.has_told = False

    async def publish(self, argument: messages.PublishChainStatusInput) -> int:
        self.has_written.set()
        await self.may_tell.wait()
        self.has_told = True
        return 1


async def test_a_publish_that_is_canceled_after_its_write_still_tells_of_it() -> None:
    """The last publish finds the status written, and so nothing to report."""
    publisher = SlowPublisher()
    canceled = publish(chain_status.ChainStatus(publisher))
    await asyncio.wait_for(publisher.has_written.wait(), 50)

    canceled.cancel()
    asyncio.get_running_loop().call_soon(publisher.may_tell.set)
    with pytest.raises(asyncio.CancelledError):
        await canceled

    assert publisher.has_told


async def test_a_canceled_publish_that_hangs_is_given_up() -> None:
    publisher = SlowPublisher()
    canceled = publish(chain_status.ChainStatus(publisher))
    await asyncio.wait_for(publisher.has_written.wait(), 50)

    canceled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(canceled, 30)

    assert not publisher.has_told
