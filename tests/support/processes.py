"""Programs of others that tests call."""

import asyncio

from devenv import tools
from devenv.control_plane.server import ControlPlane


async def kubectl(control_plane: ControlPlane, *arguments: str) -> tuple[int, str]:
    """Run kubectl as the administrator; returns its exit code and what it printed."""
    program = tools.find_program("kubectl", install="install this package with its extra `dev`")
    process = await asyncio.create_subprocess_exec(
        str(program),
        f"--kubeconfig={control_plane.kubeconfig}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()
