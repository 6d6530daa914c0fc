"""The console script `kubectl-stackchain`, which kubectl runs as `kubectl stackchain`."""

import signal
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; the process ends with its exit code."""
    # Ctrl-C while the modules load ends the process instead of showing where it was.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from controller.plugin import program

    sys.exit(program.run(sys.argv[1:] if arguments is None else arguments))
