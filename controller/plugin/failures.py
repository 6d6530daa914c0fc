"""How a command ends: the exit codes, and the one line that a person reads when it fails."""

import enum

PROGRAM = "kubectl stackchain"


class Exit(enum.IntEnum):
    """Exit codes: public, in docs/kubectl-plugin.md."""

    DONE = 0
    NOT_SUCCEEDED = 1
    """The run did not succeed, or what was asked for makes no sense as the chain is."""
    USAGE = 2
    REFUSED = 3
    """Not found, forbidden, credentials refused, or no StackChains in this cluster."""
    UNREACHABLE = 4
    TIMED_OUT = 5
    INTERRUPTED = 130
    NOBODY_READS = 141


class Failure(Exception):
    """The command cannot be done; the text says what is wrong and what to do."""

    def __init__(self, code: Exit, text: str) -> None:
        """Hold the exit code and the line for the user."""
        super().__init__(text)
        self.code = code


def usage(text: str) -> Failure:
    """Return the failure of a command that was called in a wrong way."""
    return Failure(Exit.USAGE, text)


def nothing_to_do(text: str) -> Failure:
    """Return the failure of a command that makes no sense as the chain is."""
    return Failure(Exit.NOT_SUCCEEDED, text)
