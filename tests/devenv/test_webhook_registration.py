"""The simulated account of the local environment sends to the receiver, also after a restart."""

import pytest

from devenv import tools, webhook_registration
from tests.conftest import StartSimulator


async def test_a_later_start_moves_the_webhook_to_where_the_receiver_is_then(
    start_simulator: StartSimulator,
) -> None:
    server = await start_simulator()

    await webhook_registration.register(
        server.admin_url, endpoint="http://127.0.0.1:1/a", secret="one"
    )
    (made,) = server.simulator.account.webhooks.values()
    made.enabled, made.failures = False, 10
    await webhook_registration.register(
        server.admin_url, endpoint="http://127.0.0.1:2/b", secret="two"
    )

    (kept,) = server.simulator.account.webhooks.values()
    assert (kept.endpoint, kept.secret, kept.enabled) == ("http://127.0.0.1:2/b", "two", True)
    assert len(server.simulator.account.policies) == 1


async def test_a_simulator_that_refuses_is_told_of(start_simulator: StartSimulator) -> None:
    server = await start_simulator()

    with pytest.raises(tools.DevError, match="takes no webhook"):
        await webhook_registration.register(server.admin_url, endpoint="nowhere", secret="one")
