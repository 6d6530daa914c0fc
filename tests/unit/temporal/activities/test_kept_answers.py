"""A reading of many requests in an account that limits them: no slot is held, nothing starts over.

The client is the real one, so that the pages of one search count one by one, too.
"""

import asyncio
import contextlib
import dataclasses
import datetime
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
import temporalio.exceptions
from temporalio.testing import ActivityEnvironment

from controller.chain.graph import packed_reading
from controller.config import connections, permissions
from controller.spacelift import account_session, answers, client, errors
from controller.temporal import messages, signing, start_messages
from controller.temporal.activities import kept_answers, newest_runs, root_runs, stack_dependencies
from tests.support.builders import make_scope
from tests.unit.temporal.activities import fakes

STACKS = [f"s{number:04}" for number in range(1000)]
PAGE = 50


def stack_body(stack_id: str) -> dict[str, Any]:
    return {"id": stack_id, "name": "", "labels": ["x"], "dependsOn": [], "isDependedOnBy": []}


class LimitedSession:
    """An account of 1,000 stacks that refuses each request beyond so many in a row."""

    def __init__(self, burst: int, *, asked: float | None = None) -> None:
        self.burst = self.left = burst
        self.asked = asked
        self.answered = 0
        self.failure: errors.SpaceliftError | None = None

    async def query(
        self, document: Any, variables: Any, *, what: str, check: Callable[..., None]
    ) -> answers.Answer:
        if self.left == 0:
            self.left = self.burst
            raise self.failure or errors.RateLimited("slow", retry_after_seconds=self.asked)
        self.left -= 1
        self.answered += 1
        if document.name == "SearchStacks":
            after = variables["input"]["after"]
            first = STACKS.index(after) + 1 if after else 0
            page = STACKS[first : first + PAGE]
            info = {"endCursor": page[-1], "hasNextPage": page[-1] != STACKS[-1]}
            edges = [{"node": stack_body(stack_id)} for stack_id in page]
            return answers.Answer(data={"searchStacks": {"edges": edges, "pageInfo": info}})
        fields = {key: value for key, value in variables.items() if key.startswith("s")}
        return answers.Answer(
            data={f"a{key[1:]}": {**stack_body(value), "runs": []} for key, value in fields.items()}
        )


class Account:
    """Hands out itself, as `SpaceliftClients` does."""

    endpoint = fakes.ENDPOINT
    signing_keys = signing.SigningKeys()
    connection = connections.Connection(
        name="default",
        endpoint=fakes.ENDPOINT,
        allowed=permissions.Permissions(namespaces=("*",), operations=permissions.OPERATIONS),
    )

    def __init__(self, session: LimitedSession) -> None:
        self.session = session
        self.client = client.SpaceliftClient(cast("account_session.AccountSession", session))
        self.now = time.monotonic()
        self.kept = kept_answers.KeptAnswers(monotonic=lambda: self.now)

    @contextlib.contextmanager
    def for_call(self, _: messages.AccountRef) -> Iterator["Account"]:
        yield self


async def in_tries(
    activity: Callable[[Any], Any], argument: object, *, most: int = 100
) -> tuple[Any, list[datetime.timedelta | None]]:
    """Run an activity until it succeeds; the answer, and the pauses between its tries."""
    pauses: list[datetime.timedelta | None] = []
    for number in range(1, most):
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, attempt=number)
        try:
            return await environment.run(activity, argument), pauses
        except temporalio.exceptions.ApplicationError as error:
            if error.non_retryable:
                raise
            pauses.append(error.next_retry_delay)
    raise AssertionError(f"no end after {most} tries")


def by_label(account: Account) -> tuple[Callable[[Any], Any], object]:
    dependencies = stack_dependencies.StackDependencies(cast("Any", account))
    scope = make_scope(root_labels=["x"], sources=["Dependencies"])
    return dependencies.fetch_dependent_stacks, messages.FetchDependentStacksInput(
        connection=fakes.CONNECTION, scope=scope
    )


def by_id(account: Account) -> tuple[Callable[[Any], Any], object]:
    finder = newest_runs.NewestRunFinder(cast("Any", account))
    return finder.find_newest_runs, messages.FindNewestRunsInput(
        connection=fakes.CONNECTION, stack_ids=STACKS
    )


def sweep(account: Account) -> tuple[Callable[[Any], Any], object]:
    finder = root_runs.RootRunFinder(cast("Any", account))
    return finder.find_root_runs, start_messages.FindRootRunsInput(
        connection=fakes.CONNECTION, roots=make_scope(root_labels=["x"]).roots
    )


READINGS = pytest.mark.parametrize(
    ("reading", "requests"),
    [
        pytest.param(by_label, 20, id="discovery"),
        pytest.param(by_id, 20, id="what a retry may keep"),
        pytest.param(sweep, 21, id="sweep"),
    ],
)


@READINGS
@pytest.mark.parametrize("burst", [1, 15])
async def test_each_page_is_read_once_however_often_the_account_refuses(
    reading: Callable[[Account], tuple[Callable[[Any], Any], object]], requests: int, burst: int
) -> None:
    account = Account(LimitedSession(burst))

    _, pauses = await in_tries(*reading(account))

    assert account.session.answered == requests
    assert len(pauses) == (requests - 1) // burst


async def test_the_answer_is_that_of_an_account_without_a_limit() -> None:
    limited, _ = await in_tries(*by_label(Account(LimitedSession(7))))
    free, _ = await in_tries(*by_label(Account(LimitedSession(1000))))

    assert packed_reading.unpack(limited) == packed_reading.unpack(free)
    assert len(packed_reading.unpack(limited).stacks) == len(STACKS)


async def test_nothing_is_waited_for_in_the_activity() -> None:
    activity, argument = by_id(Account(LimitedSession(0, asked=50)))

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        async with asyncio.timeout(45):
            await ActivityEnvironment().run(activity, argument)

    assert caught.value.type == "LongPauseAsked"
    assert caught.value.next_retry_delay == datetime.timedelta(seconds=50)


@pytest.mark.parametrize(("asked", "pause"), [(None, 1), (0, 1), (7, 7), (1e9, 300)])
async def test_a_try_that_gets_further_is_followed_by_a_first_pause(
    asked: float | None, pause: int
) -> None:
    """Twenty pages in an account that refuses every other request take no twenty minutes."""
    account = Account(LimitedSession(1, asked=asked))

    _, pauses = await in_tries(*by_id(account))

    own = {1: None}.get(pause, datetime.timedelta(seconds=pause))
    assert pauses[0] == own
    assert set(pauses[1:]) == {datetime.timedelta(seconds=pause)}


async def test_the_pauses_grow_while_no_try_gets_any_further() -> None:
    account = Account(LimitedSession(0))

    activity, argument = by_id(account)
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=7)

    with pytest.raises(temporalio.exceptions.ApplicationError) as caught:
        await environment.run(activity, argument)

    assert caught.value.next_retry_delay is None


async def test_an_answer_that_makes_no_sense_is_asked_for_again() -> None:
    """Otherwise it would be wrong for as long as it is kept."""
    session = LimitedSession(15)
    session.failure = errors.AmbiguousOutcome("garbage")
    account = Account(session)
    activity, argument = by_id(account)

    with pytest.raises(temporalio.exceptions.ApplicationError):
        await ActivityEnvironment().run(activity, argument)
    session.left = 1000
    await ActivityEnvironment().run(activity, argument)

    assert session.answered == 15 + 20


async def test_what_no_further_try_asks_for_is_forgotten() -> None:
    session = LimitedSession(15)
    account = Account(session)
    activity, argument = by_id(account)

    with pytest.raises(temporalio.exceptions.ApplicationError):
        await ActivityEnvironment().run(activity, argument)
    account.now += 1000
    session.left = 1000
    await ActivityEnvironment().run(activity, argument)

    assert session.answered == 15 + 20


async def test_another_run_of_a_workflow_reads_for_itself() -> None:
    session = LimitedSession(15)
    account = Account(session)
    activity, argument = by_id(account)

    with pytest.raises(temporalio.exceptions.ApplicationError):
        await ActivityEnvironment().run(activity, argument)
    session.left = 1000
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, workflow_run_id="another")
    await environment.run(activity, argument)

    assert session.answered == 15 + 20
