"""Standard output and error as they are handed over: closed, on a full disk, or read by nobody.

Apart from `terminal`, since what a press of Tab loads is paid for by who waits for it.
"""

import os
import sys
from typing import TextIO


class OutputFailed(Exception):
    """The output cannot be written, as on a full disk; the message says why."""


class OutputClosed(Exception):
    """The reader of the output has gone, as `| head` does; nothing more is printed."""


def prepare() -> None:
    """Make standard output and error usable, whatever this process was started with."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, _in_place_of_closed(number))
        # A message may hold what an old terminal cannot show.
        getattr(sys, name).reconfigure(errors="replace")


def _in_place_of_closed(number: int) -> TextIO:
    """Return an output for a number that is closed, which no other file may take.

    To write to it fails as on a full disk; for standard error, where that would be told, it goes
    nowhere.
    """
    nowhere = os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_WRONLY)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
    return open(number, "w", encoding="utf-8", closefd=False)


def send(out: TextIO, text: str) -> None:
    """Write a text as it is.

    Raises:
        OutputClosed: once; what is sent afterwards goes nowhere.
        OutputFailed: likewise, for any other reason.
    """
    try:
        out.write(text)
        out.flush()
    except BrokenPipeError:
        _discard(out)
        raise OutputClosed from None
    except OSError as error:
        _discard(out)
        raise OutputFailed(error.strerror or str(error)) from error


def complain(text: str) -> None:
    """Write a text to standard error; where that cannot be written, the exit code has to do."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)


def _discard(out: TextIO) -> None:
    """Have what is left in the buffer go nowhere: the interpreter must not complain at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, out.fileno())
    os.close(nowhere)
