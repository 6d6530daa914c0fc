"""`plan FILE` through the real kubectl: the preview is created, shown, and deleted.

Given: the test resolves the graph instead of the operator.
"""

import asyncio
import dataclasses
import json
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.plugin import preview
from controller.plugin.exit_codes import ExitCode
from devenv.control_plane import server
from tests.support import kube as kube_support
from tests.support.builders import make_condition, make_stack_status
from tests.support.golden import Golden
from tests.support.plugin import SECONDS, SPEC, Kubectl, Operator, Status, ended, situation
from tests.support.waiting import eventually


def manifest(name: str = "prod", **spec: Any) -> str:
    body = {
        "apiVersion": "stackchain.dev/v1alpha1",
        "kind": "StackChain",
        "metadata": {"name": name},
        "spec": {**SPEC, **spec},
    }
    return json.dumps(body)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chain.yaml"
    path.write_text(manifest())
    return path


def resolved(status: str = "True", *, reason: str = "Suspended", message: str = "Held.") -> Status:
    stacks = (
        make_stack_status("vpc"),
        make_stack_status("dns", 1, "vpc"),
        make_stack_status("eks", 1, "vpc"),
        make_stack_status("app", 2, "dns", "eks"),
    )
    base = situation(*stacks, ready=("Unknown", reason, message))
    graph = make_condition("GraphResolved", status, "Resolved", message)
    return dataclasses.replace(
        base,
        conditions=(*base.conditions, graph),
        graph=v1alpha1.GraphStatus(
            stacks=4, edges=4, levels=3, resolved_time="2026-03-01T10:00:00Z"
        ),
    )


async def previews(chains: kube_support.StackChains) -> list[dict[str, Any]]:
    path = f"{kube_support.STACKCHAINS}/namespaces/{chains.namespace}/stackchains"
    answer = await chains.kube.request("GET", path, params={"labelSelector": preview.LABEL})
    # A definition that was just applied: the API server asks clients to be patient with lists.
    assert answer.is_success, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def resolve(operator: Operator, status: Status) -> dict[str, Any]:
    """Wait for the preview and write its graph; return it as it was created."""
    (created,) = await eventually(lambda: previews(operator.chains), SECONDS)
    await operator.write(created["metadata"]["name"], status)
    return created


async def test_the_graph_of_a_file_is_shown_and_nothing_is_left(
    kubectl: Kubectl, operator: Operator, file: Path, golden: Golden
) -> None:
    shown, created = await asyncio.gather(kubectl("plan", str(file)), resolve(operator, resolved()))

    assert (shown.code, shown.err) == (ExitCode.DONE, "")
    golden("plugin_commands").check("plan", shown.out)
    assert created["spec"]["suspend"] is True
    assert created["metadata"]["name"].startswith("prod-plan-")
    assert await previews(operator.chains) == []
    assert await operator.chains.find("prod") is None


async def test_standard_input_and_output_for_programs(kubectl: Kubectl, operator: Operator) -> None:
    shown, _ = await asyncio.gather(
        kubectl("plan", "-", "-o", "json", stdin=manifest(operation="Plan")),
        resolve(operator, resolved()),
    )

    document = shown.document
    assert document["chain"] == {"namespace": kubectl.namespace, "name": "prod"}
    assert document["operation"] == "Plan"
    assert document["order"] == ["vpc", "dns", "eks", "app"]
    assert document["graph"]["levels"] == 3
    assert document["stacks"][3] == {"id": "app", "level": 2, "dependsOn": ["dns", "eks"]}


async def test_a_destruction_can_be_previewed(
    kubectl: Kubectl, operator: Operator, golden: Golden
) -> None:
    text = manifest(operation="Destroy", destroyConfirmation="prod")

    shown, created = await asyncio.gather(
        kubectl("plan", "-", stdin=text), resolve(operator, resolved())
    )

    golden("plugin_commands").check("plan: a destruction", shown.lines[0])
    assert created["spec"]["destroyConfirmation"] == created["metadata"]["name"]


async def test_a_graph_that_cannot_be_run_is_reported(
    kubectl: Kubectl, operator: Operator, file: Path, golden: Golden
) -> None:
    status = resolved("False", reason="GraphCycle", message="vpc -> eks -> vpc.")

    shown, _ = await asyncio.gather(kubectl("plan", str(file)), resolve(operator, status))

    assert shown.code == ExitCode.NOT_SUCCEEDED
    golden("plugin_commands").check("plan: a graph that cannot run", shown.err)
    assert await previews(operator.chains) == []


async def test_without_an_operator_the_preview_is_given_up_and_deleted(
    kubectl: Kubectl, stackchains: kube_support.StackChains, file: Path, golden: Golden
) -> None:
    shown = await kubectl("plan", str(file), "--timeout", "1s")

    assert shown.code == ExitCode.TIMED_OUT
    golden("plugin_commands").check("plan: timed out", shown.err)
    assert await previews(stackchains) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_an_interrupted_preview_is_deleted(
    number: signal.Signals, kubectl: Kubectl, stackchains: kube_support.StackChains, file: Path
) -> None:
    process = await kubectl.start("stackchain", "plan", str(file), "-n", kubectl.namespace)
    await eventually(lambda: previews(stackchains), SECONDS)

    process.send_signal(number)
    process.send_signal(number)
    shown = await ended(process)

    assert (shown.code, shown.out) == (ExitCode.INTERRUPTED, "")
    assert await previews(stackchains) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{kind: Pod, apiVersion: v1}", "holds Pod (v1)", id="another kind"),
        pytest.param(
            manifest(nativeRuns="Strict", operation="Plan"),
            "nativeRuns may be Strict or Replace only when operation is Apply",
            id="a rule of the schema",
        ),
        pytest.param(
            manifest(operation="Destroy", destroyConfirmation="test"),
            "destroyConfirmation must be equal to metadata.name",
            id="an unconfirmed destruction",
        ),
    ],
)
async def test_a_wrong_file_is_refused_in_one_line(
    text: str, expected: str, kubectl: Kubectl, stackchains: kube_support.StackChains
) -> None:
    shown = await kubectl("plan", "-", stdin=text)

    assert (shown.code, shown.out) == (ExitCode.USAGE, "")
    assert expected in shown.err
    assert shown.err.count("\n") == 1
    assert await previews(stackchains) == []


async def test_misspelled_fields_are_refused_as_kubectl_apply_does(
    kubectl: Kubectl, stackchains: kube_support.StackChains, golden: Golden
) -> None:
    text = manifest(
        paralelism=1, graph={"maxDept": 1}, schedule={"cron": "@daily", "timezone": "x"}
    )

    shown = await kubectl("plan", "-", stdin=text)

    assert (shown.code, shown.out) == (ExitCode.USAGE, "")
    golden("plugin_commands").check("plan: misspelled fields", shown.err)
    assert await previews(stackchains) == []


async def test_a_file_for_another_namespace_is_refused(kubectl: Kubectl) -> None:
    text = manifest().replace('"name": "prod"', '"name": "prod", "namespace": "other"')

    shown = await kubectl("plan", "-", stdin=text)

    assert shown.code == ExitCode.USAGE
    assert "is for the namespace 'other'" in shown.err


async def test_a_missing_file_is_refused(kubectl: Kubectl, tmp_path: Path) -> None:
    shown = await kubectl("plan", str(tmp_path / "none.yaml"))

    assert shown.code == ExitCode.USAGE
    assert "none.yaml cannot be read: No such file or directory" in shown.err


async def test_who_may_not_delete_it_again_creates_nothing(
    restricted: Callable[..., Awaitable[Kubectl]],
    stackchains: kube_support.StackChains,
    file: Path,
) -> None:
    kubectl = await restricted("create", "get")

    async def refused() -> bool:
        # A new Role takes the API server a moment.
        shown = await kubectl("plan", str(file), "--timeout", "1s")
        assert shown.code == ExitCode.REFUSED
        return "you may not delete stackchains" in shown.err

    await eventually(refused, SECONDS)
    assert await previews(stackchains) == []


async def test_a_cluster_that_cannot_hold_a_preview_gets_none(
    own_control_plane: server.ControlPlane,
    own_kube: kube_support.KubeApi,
    tmp_path: Path,
    file: Path,
) -> None:
    """A definition that drops `suspend` would let the preview run."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/stackchains.stackchain.dev"
    definition = await own_kube.get(path)
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    del schema["properties"]["spec"]["properties"]["suspend"]
    definition["spec"]["versions"][0]["additionalPrinterColumns"] = []
    await own_kube.replace(path, definition)
    kubectl = Kubectl(own_control_plane.kubeconfig, tmp_path, "default")

    async def refused() -> bool:
        # The API server takes a changed definition up after a moment.
        shown = await kubectl("plan", str(file), "--timeout", "1s")
        return "the StackChain definition of this cluster has no `spec.suspend`" in shown.err

    await eventually(refused, SECONDS)
    assert await previews(kube_support.StackChains(own_kube, "default")) == []


async def test_ctrl_c_ends_the_reading_of_standard_input(kubectl: Kubectl) -> None:
    process = await kubectl.start(
        *("stackchain", "plan", "-", "-n", kubectl.namespace), stdin=asyncio.subprocess.PIPE
    )

    assert process.stdin is not None
    # More than a pipe holds: once it is gone, the program reads.
    process.stdin.write(b"# and so on\n" * 100_000)
    await asyncio.wait_for(process.stdin.drain(), SECONDS)
    process.send_signal(signal.SIGINT)

    assert await asyncio.wait_for(process.wait(), SECONDS) == -signal.SIGINT
    assert process.stderr is not None
    assert await process.stderr.read() == b""
