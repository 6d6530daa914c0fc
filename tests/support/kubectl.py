"""The real kubectl as the administrator of a control plane, as people see its output."""

import asyncio
import dataclasses
from typing import Any

import yaml

from devenv import tools
from devenv.control_plane import server
from tests.support import kube as kube_support


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Kubectl:
    """Runs kubectl in one namespace: `code, output = await kubectl("get", "schain")`."""

    plane: server.ControlPlane
    namespace: str

    async def __call__(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        program = tools.find_program("kubectl", install="")
        process = await asyncio.create_subprocess_exec(
            str(program),
            f"--kubeconfig={self.plane.kubeconfig}",
            f"--namespace={self.namespace}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate(stdin.encode())
        return process.returncode or 0, output.decode()

    async def apply(self, spec: dict[str, Any], name: str = "chain") -> tuple[int, str]:
        document = yaml.safe_dump(kube_support.stack_chain(name, spec))
        return await self("apply", "--filename=-", stdin=document)
