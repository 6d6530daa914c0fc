"""Where every command starts: the console script `stackchain`, and `python -m controller`."""

import os
import signal
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; the process ends with its exit code."""
    # The kernel keeps SIGTERM from the first process of a container until that has a handler. A pod
    # that is deleted while its modules load, a second or more, would wait for its grace period.
    signal.signal(signal.SIGTERM, _leave)
    # Ctrl-C while the modules load ends the process instead of showing where it was.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from controller import cli

    signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main(arguments)


def _leave(number: int, _frame: object) -> NoReturn:
    # Nothing has started yet; each role first sets its own handler.
    os._exit(128 + number)


if __name__ == "__main__":
    main()
