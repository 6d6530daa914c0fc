"""Completion as kubectl and bash ask for it, against the real API server."""

import asyncio
import dataclasses
from pathlib import Path

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from tests.support import kube as kube_support
from tests.support.plugin import FAILED, SPEC, WAITING, Kubectl, Operator, ended
from tests.support.waiting import eventually

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{{name: silent, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: user, user: {{token: token}}}}]
contexts: [{{name: silent, context: {{cluster: silent, user: user}}}}]
current-context: silent
"""

# What bash does when Tab is pressed behind the words.
PRESS_TAB = """
source <(kubectl-stackchain completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_kubectl_stackchain
printf '%s\\n' "${COMPREPLY[@]}"
"""


async def completed_by_kubectl(kubectl: Kubectl, *words: str) -> list[str]:
    shown = await ended(await kubectl.start("__complete", "stackchain", *words))
    return [line.partition("\t")[0] for line in shown.lines]


async def completes(kubectl: Kubectl, *words: str, to: list[str]) -> None:
    assert await completed_by_kubectl(kubectl, *words) == to


def staged(name: str) -> v1alpha1.Status:
    assert WAITING.latest_run is not None
    stage = v1alpha1.StageStatus(
        name=name, phase=Phase.WAITING, progress="0/1", waits_for="Approval"
    )
    run = dataclasses.replace(WAITING.latest_run, stages=(stage,))
    return dataclasses.replace(WAITING, latest_run=run)


async def test_kubectl_completes_commands_chains_and_runs(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    await stackchains.create("test", SPEC)
    await operator.write("prod", FAILED)
    there = ("-n", kubectl.namespace)

    no_files = ":4"
    await completes(kubectl, "re", to=["retry", "resume", no_files])
    await completes(kubectl, "tree", *there, "", to=["prod", "test", no_files])
    await completes(kubectl, "tree", *there, "p", to=["prod", no_files])
    await completes(kubectl, "retry", *there, "prod", "", to=["7", no_files])
    await completes(kubectl, "ui", *there, "--port", "8080", "t", to=["test", no_files])
    await completes(kubectl, "plan", "", to=[":0"])
    await operator.write("prod", staged("live"))
    await completes(kubectl, "approve", *there, "prod", "", to=["live", no_files])


async def test_bash_completes_the_program_itself(
    kubectl: Kubectl, stackchains: kube_support.StackChains
) -> None:
    await stackchains.create("prod", SPEC)
    words = ("kubectl-stackchain", "tree", "-n", kubectl.namespace, "pr")

    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", PRESS_TAB, "bash", *words),
        env=kubectl.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    shown = await ended(process)

    assert (shown.lines, shown.err) == (["prod"], "")


async def test_a_cluster_that_does_not_answer_completes_nothing(tmp_path: Path) -> None:
    kubectl = Kubectl(tmp_path / "none", tmp_path, "default")

    assert await completed_by_kubectl(kubectl, "tree", "") == [":4"]


async def test_a_cluster_that_hangs_completes_nothing_in_time(tmp_path: Path) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read())
        writer.close()

    asked: list[bytes] = []

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        kubeconfig = tmp_path / "config"
        kubeconfig.write_text(KUBECONFIG.format(port=port))
        kubectl = Kubectl(kubeconfig, tmp_path, "default")
        # In which a busy machine asks, too.
        kubectl.environment["STACKCHAIN_COMPLETION_SECONDS"] = "5"

        assert await completed_by_kubectl(kubectl, "tree", "") == [":4"]
        await eventually(lambda: asked)

    assert all(b"stackchains" in request for request in asked)
