"""What others keep in the Temporal namespace does not end the operator, nor hold up any chain."""

from temporalio.api.common.v1 import Memo, Payload, Payloads, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice import v1 as workflowservice
from temporalio.client import Client

from controller.temporal import ids
from tests.support import chains
from tests.support import temporal as temporal_support
from tests.support.chains import account_document
from tests.support.waiting import stays

JSON, ENCRYPTED, PROTOBUF = (
    {"encoding": name.encode()} for name in ("json/plain", "binary/encrypted", "binary/protobuf")
)
JUNK = {
    "broken": Payload(metadata=JSON, data=b'{"installation": '),
    "no-field": Payload(metadata=JSON, data=b"{}"),
    "encrypted": Payload(metadata=ENCRYPTED, data=b"\x00"),
    "unknown-type": Payload(metadata={**PROTOBUF, "messageType": b"no.Such"}, data=b"\x0a"),
}


async def start(client: Client, workflow_id: str, memo: Payload) -> None:
    """Start what looks like a chain's workflow."""
    await client.workflow_service.start_workflow_execution(
        workflowservice.StartWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name=ids.CHAIN_WORKFLOW),
            task_queue=TaskQueue(name="nobody"),
            request_id=temporal_support.unique("request"),
            input=Payloads(payloads=[Payload(metadata=JSON, data=b"{")]),
            memo=Memo(fields={ids.MEMO: memo}),
        ),
        retry=True,
    )


async def test_junk_in_the_namespace_ends_no_operator_and_holds_up_no_chain(
    release: chains.Installation,
) -> None:
    account = await release.add_account("junk", account_document("a -> b"))
    client = await release.temporal()
    for name, memo in JUNK.items():
        await start(client, f"stackchain/elsewhere/{name}/uid", memo)

    async def leads() -> bool:
        assert release.operator.is_running
        return True

    # Several passes of the resync, each of which lists it.
    assert await stays(leads, 3)
    chain = await release.create("junk", "a", account=account)
    await chain.ends("RunSucceeded")

    for name in JUNK:
        handle = client.get_workflow_handle(f"stackchain/elsewhere/{name}/uid")
        await handle.terminate()
