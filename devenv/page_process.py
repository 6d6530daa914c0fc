"""The page of `kubectl stackchain ui` as a child process, with all chains of a cluster."""

import sys
from pathlib import Path

from devenv import managed_process, processes, role_process, tools


class PageProcess(managed_process.ManagedProcess):
    """The page; `address` lets one browser in, once."""

    def __init__(
        self, kubeconfig: Path, logs: Path, start: processes.Start = processes.Process.start
    ) -> None:
        """Serve the chains that a kubeconfig leads to, in all namespaces."""
        program = "from controller.plugin import cli; cli.main()"
        options = ("ui", "--all-namespaces", "--no-browser")
        super().__init__(
            processes.Command(
                name="the page",
                argv=(sys.executable, "-c", program, *options),
                log_file=logs / "page.log",
                directory=managed_process.PACKAGE_PARENT,
                # As in the shell of whoever reads the page: what it offers to run names no file.
                environment=role_process.cleared_environment() | {"KUBECONFIG": str(kubeconfig)},
            ),
            start,
        )

    def start_without_waiting(self) -> None:
        """Start the process; what an earlier one has printed does not count."""
        self.command.log_file.unlink(missing_ok=True)
        super().start_without_waiting()

    @property
    def address(self) -> str:
        """What a person opens; empty before it is ready.

        Raises:
            DevError: It has not said it.
        """
        found = self._found()
        if not found:
            raise tools.DevError("the page has not said its address")
        return found

    async def is_ready(self) -> bool:
        """Whether it has said where it listens."""
        return bool(self._found())

    def _found(self) -> str:
        lines = self.log().splitlines()
        return next((line.strip() for line in lines if line.startswith("http://")), "")
