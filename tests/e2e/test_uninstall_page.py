"""The advice of docs/install.md for StackChains left without an operator, followed literally."""

import asyncio
import os
import re
import sys
from pathlib import Path

from devenv.control_plane import server
from tests.support import kube as kube_support
from tests.support.waiting import eventually

PAGE = Path(__file__).parents[2] / "docs" / "install.md"
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/stackchains.stackchain.dev"


def way_out() -> str:
    """Return the commands of the page that take the finalizers off."""
    section = PAGE.read_text(encoding="utf-8").split("## Uninstall")[1]
    (found,) = [block for block in re.findall(r"```\n(.*?)```", section, re.S) if "null" in block]
    return str(found)


async def test_the_way_out_frees_stackchains_and_their_definition(
    own_control_plane: server.ControlPlane, own_kube: kube_support.KubeApi
) -> None:
    held = {"finalizers": ["stackchain.dev/stop-runs"]}
    for namespace, names in (("default", ("one", "two")), ("kube-public", ("three",))):
        for name in names:
            body = {
                "apiVersion": "stackchain.dev/v1alpha1",
                "kind": "StackChain",
                "metadata": {"name": name, **held},
                "spec": {"roots": {"stackIds": ["vpc"]}},
            }
            path = f"/apis/stackchain.dev/v1alpha1/namespaces/{namespace}/stackchains"
            await own_kube.create(path, body)
    # As `crds.keep: false` does it, when the release is uninstalled.
    await own_kube.delete(CRD)

    async def is_going() -> bool:
        return "deletionTimestamp" in (await own_kube.get(CRD))["metadata"]

    await eventually(is_going, what="the definition waits for its StackChains")
    tools = str(Path(sys.executable).parent)
    environment = {
        "KUBECONFIG": str(own_control_plane.kubeconfig),
        "PATH": f"{tools}{os.pathsep}{os.defpath}",
    }
    process = await asyncio.create_subprocess_exec(
        "bash",
        *("-e", "-o", "pipefail", "-c", way_out()),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()

    async def is_gone() -> bool:
        return await own_kube.find(CRD) is None

    await eventually(is_gone, what="the definition is gone")
