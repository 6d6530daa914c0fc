"""Discovery and graph together, against the Spacelift simulator."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio.testing import ActivityEnvironment

from controller.chain.graph import packed_reading
from controller.chain.graph import resolve as graph
from controller.config import connections, permissions
from controller.spacelift import account_session, client
from controller.temporal import messages, signing
from controller.temporal.activities import kept_answers, stack_dependencies
from devenv import simulator_process
from tests.support.builders import make_scope, make_use

ADMIN = "01JKEYADM00000000000000000"
NET = "01JKEYNET00000000000000000"
CONNECTION = messages.AccountRef(
    name="default", endpoint="", account="acme", grant=messages.Grant(use=make_use())
)
SCENARIO: dict[str, Any] = {
    "keys": [
        {"id": ADMIN, "secret": "secret", "role": "admin"},
        {"id": NET, "secret": "secret", "spaces": ["net"]},
    ],
    "spaces": {"net": {}, "apps": {}},
    "defaults": {"durations": 0.05},
    "stacks": {
        "vpc": {"space": "net", "labels": ["net", "prod"]},
        "dns": {"space": "net", "labels": ["net", "prod", "manual"], "dependsOn": ["vpc"]},
        "eks": {"space": "net", "labels": ["prod"], "dependsOn": ["vpc"]},
        "app": {"space": "apps", "dependsOn": ["eks", "dns"]},
        "alerts": {"space": "apps", "labels": ["dependsOn:app", "dependsOn:dns"]},
        "test-net": {"space": "net", "labels": ["net"]},
    },
}

Resolve = Callable[..., Awaitable[graph.ChainGraph]]


class Served:
    """Hands out one client, as `SpaceliftClients` does."""

    signing_keys = signing.SigningKeys()
    connection = connections.Connection(
        name="default",
        endpoint="",
        allowed=permissions.Permissions(namespaces=("*",), operations=permissions.OPERATIONS),
    )

    def __init__(self, spacelift: client.SpaceliftClient) -> None:
        self.client = spacelift
        self.kept = kept_answers.KeptAnswers()

    @contextlib.contextmanager
    def for_call(self, _: messages.AccountRef) -> Iterator["Served"]:
        yield self


@pytest.fixture(scope="module")
async def account(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[simulator_process.SimulatorProcess]:
    directory: Path = tmp_path_factory.mktemp("simulator")
    scenario = directory / "scenario.yaml"
    scenario.write_text(yaml.safe_dump(SCENARIO), encoding="utf-8")
    async with simulator_process.SimulatorProcess(directory, scenario=scenario) as running:
        yield running


@pytest.fixture
def resolve(account: simulator_process.SimulatorProcess) -> Resolve:
    """Discover and resolve, with one wish for both as the chain workflow has it."""

    async def discover_and_resolve(
        *roots: str, key_id: str = ADMIN, labels: tuple[str, ...] = (), **wishes: Any
    ) -> graph.ChainGraph:
        key = connections.ApiKey(key_id=key_id, secret="secret")
        spacelift = client.SpaceliftClient(
            account_session.AccountSession(endpoint=account.url, read_api_key=lambda: key)
        )
        scope = make_scope(*roots, root_labels=labels, **wishes)
        activities = stack_dependencies.StackDependencies(
            Served(spacelift)  # type: ignore[arg-type]  # it has the same method
        )
        try:
            packed = await ActivityEnvironment().run(
                activities.fetch_dependent_stacks,
                messages.FetchDependentStacksInput(connection=CONNECTION, scope=scope),
            )
        finally:
            await spacelift.aclose()
        return graph.resolve(packed_reading.unpack(packed), scope)

    return discover_and_resolve


def upstreams(resolved: graph.ChainGraph) -> dict[str, tuple[str, ...]]:
    return {stack.id: stack.depends_on for stack in resolved.stacks}


async def test_downstream_holds_all_that_depends_on_the_root(resolve: Resolve) -> None:
    assert upstreams(await resolve("vpc")) == {
        "vpc": (),
        "dns": ("vpc",),
        "eks": ("vpc",),
        "app": ("dns", "eks"),
        "alerts": ("app", "dns"),
    }


async def test_upstream_knows_whom_its_runs_reach_outside(resolve: Resolve) -> None:
    resolved = await resolve("eks", direction="Upstream")

    assert upstreams(resolved) == {"vpc": (), "eks": ("vpc",)}
    assert graph.reach(resolved, "vpc") == ["app", "dns", "eks"]


async def test_roots_have_all_of_the_labels(resolve: Resolve) -> None:
    resolved = await resolve(labels=("net", "prod"), direction="RootsOnly", operation="Plan")

    assert upstreams(resolved) == {"vpc": (), "dns": ("vpc",)}


async def test_what_is_excluded_by_label_keeps_the_order(resolve: Resolve) -> None:
    resolved = await resolve("vpc", exclude_labels=("manual",), exclude=("app",))

    assert upstreams(resolved) == {"vpc": (), "eks": ("vpc",), "alerts": ("eks", "vpc")}


async def test_destroy_goes_the_other_way(resolve: Resolve) -> None:
    resolved = await resolve("vpc", operation="Destroy")

    assert [stack.id for stack in resolved.stacks] == ["alerts", "app", "dns", "eks", "vpc"]


@pytest.mark.parametrize(
    ("root", "wishes", "named"),
    [
        ("app", {"direction": "RootsOnly"}, ["'alerts' (depends on 'app')"]),
        ("dns", {"sources": ["Dependencies"]}, ["'alerts' (depends on 'dns')"]),
        ("eks", {"sources": ["Labels"]}, ["'app' (depends on 'eks')"]),
    ],
)
async def test_destroy_is_refused_while_somebody_outside_depends_on_it(
    resolve: Resolve, root: str, wishes: dict[str, Any], named: list[str]
) -> None:
    with pytest.raises(graph.GraphProblem) as caught:
        await resolve(root, operation="Destroy", **wishes)

    assert caught.value.reason == "DependentOutside"
    assert all(text in caught.value.message for text in named)


async def test_a_key_that_sees_a_part_only_is_told_what_it_misses(resolve: Resolve) -> None:
    with pytest.raises(graph.GraphProblem) as caught:
        await resolve("vpc", key_id=NET)

    assert caught.value.reason == "DependentNotVisible"
    assert "'app' (depends on 'dns')" in caught.value.message


@pytest.mark.parametrize(
    ("key_id", "guess"),
    [(ADMIN, " (did you mean 'alerts'?)"), (NET, "")],
    ids=["what the key sees", "nothing else"],
)
async def test_a_root_that_is_misspelled_is_guessed(
    resolve: Resolve, key_id: str, guess: str
) -> None:
    with pytest.raises(graph.GraphProblem) as refused:
        await resolve("alert", key_id=key_id)

    assert f"sees no stack 'alert'{guess} in Spacelift" in refused.value.message
