"""Two hundred more schedules around native runs than `make test` plays."""

from temporalio.client import Client

from tests.workflows import native_schedules

SEEDS = range(100, 300)


async def test_what_spacelift_carries_out_on_its_own_is_used_or_reported(
    temporal_client: Client,
) -> None:
    outcomes = await native_schedules.play_all(temporal_client, SEEDS, at_once=6)

    assert not [outcome.describe() for outcome in outcomes if outcome.silent]
