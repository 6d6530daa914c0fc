"""`python -m controller` is the console script `stackchain`."""

import signal

# Ctrl-C while the modules load ends the process instead of showing where it was.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from controller import cli  # noqa: E402 -- after the signal is set

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main()
