"""With payload keys, nothing that Temporal keeps can be read without them, on a real server."""

import dataclasses

import pytest
import temporalio.client
import temporalio.exceptions
from temporalio.client import Client

from controller.api import v1alpha1
from controller.chain.run import progress
from controller.config import settings
from controller.temporal import ids, messages, payload_codec
from tests.workflows import harness as harnesses
from tests.workflows.world import World

FIRST, SECOND = "first-" + "a" * 32, "second-" + "b" * 32
SECRET = "hunter2-in-the-environment"
MEMO = messages.ChainMemo(
    installation="here",
    ref=dataclasses.replace(harnesses.REF, uid=SECRET),
    number=1,
    attempt=1,
    cause="Spec",
    handled=v1alpha1.Handled(),
)


def with_keys(client: Client, *keys: str) -> Client:
    converter = payload_codec.data_converter(settings.Secret(value=" ".join(keys)))
    return Client(**{**client.config(), "data_converter": converter})


async def raw(client: Client, handle: temporalio.client.WorkflowHandle[object, object]) -> str:
    """Return all that the server keeps of an execution, as anyone with access reads it."""
    history = await handle.fetch_history()
    described = await handle.describe()
    return history.to_json() + str(described.raw_description)


async def test_no_environment_and_no_failure_is_in_plain_text_and_all_of_it_is_used(
    temporal_client: Client,
) -> None:
    world = World("a>b")
    world.failures["trigger_stack_run", "b"] = [
        temporalio.exceptions.ApplicationError(f"refused {SECRET}", SECRET, type="Refused")
    ]
    harness = harnesses.new_harness(with_keys(temporal_client, FIRST), world)
    async with harnesses.workers(harness):
        handle = await harness.start(memo=MEMO, environment={"PASSWORD": SECRET})
        ended = await handle.result()
        known = await harness.known(handle)
    kept = [await raw(temporal_client, handle)]
    kept += [
        await raw(temporal_client, temporal_client.get_workflow_handle(history.workflow_id))
        for history in await harness.histories()
    ]

    assert ended.phase == known.phase == v1alpha1.Phase.SUCCEEDED
    (asked, *_) = harness.world.arguments_of(messages.TriggerStackRunInput)
    assert asked.environment == {"PASSWORD": SECRET}
    assert len(kept) == 4
    for text in kept:
        assert SECRET not in text
        assert "PASSWORD" not in text
        assert "binary/encrypted" in text or "YmluYXJ5L2VuY3J5cHRlZA==" in text


async def test_a_chain_goes_on_after_a_rotation_and_a_reader_without_the_key_says_so(
    temporal_client: Client,
) -> None:
    world = World("a>b")
    world.held = {"a"}
    harness = harnesses.new_harness(with_keys(temporal_client, FIRST), world)
    async with harnesses.workers(harness):
        handle = await harness.start(memo=MEMO, environment={"PASSWORD": SECRET})
        await harness.called("follow_stack_run", "a")
    rotated = dataclasses.replace(harness, client=with_keys(temporal_client, SECOND, FIRST))
    async with harnesses.workers(rotated):
        await world.move("a", "FINISHED")
        chain = rotated.client.get_workflow_handle(handle.id, result_type=progress.ChainProgress)
        ended = await chain.result()

    assert ended.phase == v1alpha1.Phase.SUCCEEDED
    stranger = with_keys(temporal_client, "stranger-" + "c" * 32)
    described = await stranger.get_workflow_handle(handle.id).describe()
    with pytest.raises(payload_codec.PayloadNotDecrypted, match="TEMPORAL_PAYLOAD_KEYS"):
        await described.memo_value(ids.MEMO)
