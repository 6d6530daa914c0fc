"""Standard output and error as this process gets them: closed, on a full disk, or without a reader.

Separate from `terminal`: a user who presses Tab waits for everything that this loads.
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
    """Return an output for a closed number, which no other file may take.

    Writing to standard output then fails as on a full disk. For standard error, where that would be
    reported, it goes nowhere.
    """
    nowhere = os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_WRONLY)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)
    return open(number, "w", encoding="utf-8", closefd=False)


def send(out: TextIO, text: str) -> None:
    """Write a string unchanged.

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
    """Write a string to standard error; if that fails, the exit code has to do."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)


def _discard(out: TextIO) -> None:
    """Discard what is left in the buffer: the interpreter must not complain at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, out.fileno())
    os.close(nowhere)
