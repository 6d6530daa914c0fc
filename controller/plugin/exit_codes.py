"""How a command ends: the exit codes, and the error whose one line a person reads."""

import enum

PROGRAM = "kubectl stackchain"


class ExitCode(enum.IntEnum):
    """Exit codes: public, in docs/kubectl-plugin.md."""

    DONE = 0
    NOT_SUCCEEDED = 1
    """The run did not succeed, or the request makes no sense in the chain's present state."""
    USAGE = 2
    REFUSED = 3
    """Not found, forbidden, credentials refused, or no StackChains in this cluster."""
    UNREACHABLE = 4
    TIMED_OUT = 5
    OUTPUT_FAILED = 6
    """The output cannot be written, as on a full disk."""
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141


class CommandError(Exception):
    """The command cannot be carried out; the message says what is wrong and what to do."""

    def __init__(self, code: ExitCode, text: str) -> None:
        """Hold the exit code and the line for the user."""
        super().__init__(text)
        self.code = code


def usage(text: str) -> CommandError:
    """Return the error for a command that was called incorrectly."""
    return CommandError(ExitCode.USAGE, text)


def not_found(text: str) -> CommandError:
    """Return the error for something that is not there."""
    return CommandError(ExitCode.REFUSED, text)


def nothing_to_do(text: str) -> CommandError:
    """Return the error for a command that makes no sense in the present state of the chain."""
    return CommandError(ExitCode.NOT_SUCCEEDED, text)
