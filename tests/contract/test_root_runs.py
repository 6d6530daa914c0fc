"""What a sweep of many roots costs, against the Spacelift simulator."""

import collections
import contextlib
from collections.abc import Iterator

import pytest
from temporalio.testing import ActivityEnvironment

from controller.api import v1alpha1
from controller.config import connections
from controller.spacelift import account_session, client
from controller.temporal import messages, signing, start_messages
from controller.temporal.activities import kept_answers, root_runs
from tests.conftest import StartSimulator
from tests.support.builders import make_connection, make_use

ROOTS = 300
KEY = connections.ApiKey(key_id="01JKEYADM00000000000000000", secret="secret")
CONNECTION = messages.AccountRef(
    name="default", endpoint="", account="acme", grant=messages.Grant(use=make_use())
)


class Served:
    """Hands out one client, as `SpaceliftClients` does."""

    connection, signing_keys = make_connection(), signing.SigningKeys()

    def __init__(self, spacelift: client.SpaceliftClient) -> None:
        self.client = spacelift
        self.kept = kept_answers.KeptAnswers()

    @contextlib.contextmanager
    def for_call(self, _: messages.AccountRef) -> Iterator["Served"]:
        yield self


@pytest.mark.parametrize("by_label", [True, False], ids=["by label", "by id"])
async def test_three_hundred_roots_cost_a_request_for_fifty(
    start_simulator: StartSimulator, by_label: bool
) -> None:
    names = [f"root-{number:03d}" for number in range(ROOTS)]
    account = await start_simulator(
        {
            "keys": [{"id": KEY.key_id, "secret": KEY.secret, "role": "admin"}],
            "stacks": {name: {"labels": ["swept"]} for name in names},
        }
    )
    sent: collections.Counter[str] = collections.Counter()
    spacelift = client.SpaceliftClient(
        account_session.AccountSession(
            endpoint=account.url,
            read_api_key=lambda: KEY,
            observer=lambda operation, _outcome, _seconds: sent.update([operation]),
        )
    )
    finder = root_runs.RootRunFinder(
        Served(spacelift)  # type: ignore[arg-type]  # it has the same method
    )
    roots = v1alpha1.Roots(labels=("swept",)) if by_label else v1alpha1.Roots(stack_ids=names)

    try:
        found = await ActivityEnvironment().run(
            finder.find_root_runs,
            start_messages.FindRootRunsInput(connection=CONNECTION, roots=roots),
        )
    finally:
        await spacelift.aclose()

    assert [item.stack_id for item in found.roots] == names
    assert sent["GetNewestRuns"] == ROOTS / 50
    assert sent.total() <= 1 + (2 if by_label else 1) * ROOTS / 50
