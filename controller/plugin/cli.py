"""The console script `kubectl-stackchain`, which kubectl runs as `kubectl stackchain`.

A zipapp is one file for two programs: under the name of the completion, it completes.
"""

import gc
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

_COMPLETION = "kubectl_complete-"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; the process ends with its exit code."""
    # All that is made while the modules load stays: to look for garbage is a tenth of a call.
    gc.disable()
    # Ctrl-C while the modules load ends the process instead of showing where it was.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if arguments is None and Path(sys.argv[0]).name.startswith(_COMPLETION):
        from controller.plugin import completion

        completion.main()
        return
    from controller.plugin import program

    gc.freeze()
    gc.enable()
    sys.exit(program.run(sys.argv[1:] if arguments is None else arguments))
