"""The files in examples/ do what their comments say, with the stacks of `stackchain dev`."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller import connections
from controller.dev.control_plane.server import ControlPlane
from controller.dev.demo import kubectl as demo_kubectl
from controller.dev.demo import scenarios
from tests.support import chains
from tests.support.processes import kubectl

EXAMPLES = demo_kubectl.PROJECT / "examples"
FILES = sorted(EXAMPLES.glob("*.yaml"))
SPEED = 10


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    return document


def account_of_dev() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(scenarios.ACCOUNT.read_text())
    return {**document, "speed": SPEED}


async def run(release: chains.Installation, name: str) -> tuple[chains.Account, chains.Chain]:
    """Create an example's chain with an account of its own."""
    account = await release.add_account(name, account_of_dev())
    spec = example(name)["spec"]
    rest = {key: spec[key] for key in spec if key not in ("connectionName", "roots")}
    roots = spec["roots"]["stackIds"]
    return account, await release.create(name, *roots, account=account, **rest)


async def test_one_command_applies_all_of_them(control_plane: ControlPlane, namespace: str) -> None:
    code, output = await kubectl(
        control_plane,
        *("apply", "--dry-run=server", "--validate=strict"),
        *("--namespace", namespace, "-f", str(EXAMPLES)),
    )

    assert code == 0, output
    assert sorted(output.splitlines()) == [
        f"stackchain.stackchain.dev/{path.stem} created (server dry run)" for path in FILES
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_says_what_it_shows_and_names_stacks_that_are_there(path: Path) -> None:
    text = path.read_text()
    stacks = account_of_dev()["stacks"]

    assert text.startswith("# ")
    assert set(yaml.safe_load(text)["spec"]["roots"]["stackIds"]) <= set(stacks)


async def test_labels_order_what_spacelift_does_not(release: chains.Installation) -> None:
    account, chain = await run(release, "ordered-by-labels")

    await chain.ends("RunSucceeded")

    runs = {stack: await account.only_run(stack) for stack in chains.phases(await chain.status())}
    imports = [runs["events-import"], runs["orders-import"]]
    assert sorted(runs) == ["events-import", "orders-import", "reports", "warehouse"]
    assert all(one["triggeredBy"].startswith("api::") for one in runs.values())
    assert all(runs["warehouse"]["history"][-1]["at"] <= one["createdAt"] for one in imports)
    assert all(one["history"][-1]["at"] <= runs["reports"]["createdAt"] for one in imports)


async def test_two_at_a_time_means_two(release: chains.Installation) -> None:
    account, chain = await run(release, "parallelism")

    await chain.ends("RunSucceeded")

    runs = await account.runs()
    marks = [(one["createdAt"], 1) for one in runs]
    marks += [(one["history"][-1]["at"], -1) for one in runs]
    assert len(runs) == 7
    assert max(itertools.accumulate(step for _, step in sorted(marks))) == 2


def test_the_connections_file_is_one() -> None:
    path = EXAMPLES / "settings" / "connections.yaml"

    parsed = connections.parse_connections(yaml.safe_load(path.read_text()), str(path))

    assert sorted(parsed) == ["default", "sandbox"]
    assert not parsed["sandbox"].allows("elsewhere")
