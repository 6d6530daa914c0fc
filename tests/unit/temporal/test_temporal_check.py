"""What the connection check says of what Temporal refuses."""

import pytest
from temporalio.service import RPCError, RPCStatusCode

from controller.temporal import temporal_test


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (RPCStatusCode.PERMISSION_DENIED, "check the rights of the key or certificate"),
        (RPCStatusCode.UNAUTHENTICATED, "check the rights of the key or certificate"),
        (RPCStatusCode.UNAVAILABLE, "check Temporal, and try again"),
        (RPCStatusCode.INTERNAL, "check Temporal, and try again"),
        (RPCStatusCode.RESOURCE_EXHAUSTED, "check Temporal, and try again"),
    ],
)
async def test_rights_are_named_where_a_right_is_what_is_missing(
    status: RPCStatusCode, advice: str
) -> None:
    async def refuses() -> temporal_test.CheckResult:
        raise RPCError("no", status, b"")

    result = await temporal_test._guarded("queue", refuses())

    assert (result.ok, result.message) == (False, f"no ({status.name}); {advice}")
