"""What the programs do when an output or input is closed, full, or never read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from controller.display import streams
from controller.plugin.exit_codes import ExitCode

COMMAND, COMPLETION = (
    f"from controller.plugin import {name}; {name}.main()" for name in ("cli", "completion")
)
TREE = ("tree", "prod", "--kubeconfig", "/missing")
UNWRITABLE = "kubectl stackchain: the output cannot be written: "
CLOSED, FULL = (f"{UNWRITABLE}{os.strerror(number)}.\n" for number in (9, 28))
NO_KUBECONFIG = "kubectl stackchain: --kubeconfig: '/missing' is not a file\n"
NO_INPUT = "kubectl stackchain: - cannot be read: standard input is closed\n"

ENDS = {
    "a closed output": (COMMAND, ("version",), ">&-", ExitCode.OUTPUT_FAILED, CLOSED),
    "a full disk": (COMMAND, ("version",), ">/dev/full", ExitCode.OUTPUT_FAILED, FULL),
    "help on a full disk": (COMMAND, ("--help",), ">/dev/full", ExitCode.OUTPUT_FAILED, FULL),
    "a command's help on it": (COMMAND, ("tree", "-h"), ">/dev/full", ExitCode.OUTPUT_FAILED, FULL),
    "no command on it": (COMMAND, (), ">/dev/full", ExitCode.OUTPUT_FAILED, FULL),
    "a completion on it": (COMPLETION, ("tr",), ">/dev/full", ExitCode.OUTPUT_FAILED, ""),
    "a completion's closed output": (COMPLETION, ("tr",), ">&-", ExitCode.OUTPUT_FAILED, ""),
    "a completion's closed errors": (COMPLETION, ("tr",), "2>&-", ExitCode.DONE, ""),
    "closed errors": (COMMAND, ("version",), "2>&-", ExitCode.DONE, ""),
    "closed errors with one to tell": (COMMAND, TREE, "2>&-", ExitCode.USAGE, ""),
    "all closed": (COMMAND, TREE, "<&- >&- 2>&-", ExitCode.USAGE, ""),
    "errors on a full disk": (COMMAND, TREE, "2>/dev/full", ExitCode.USAGE, ""),
    "usage on a full disk": (COMMAND, ("tree",), "2>/dev/full", ExitCode.USAGE, ""),
    "both on a full disk": (
        COMMAND,
        ("version",),
        ">/dev/full 2>/dev/full",
        ExitCode.OUTPUT_FAILED,
        "",
    ),
    "an error with no output": (COMMAND, TREE, ">&-", ExitCode.USAGE, NO_KUBECONFIG),
    "a closed input": (COMMAND, ("plan", "-"), "<&-", ExitCode.USAGE, NO_INPUT),
}


@pytest.mark.parametrize(
    ("program", "words", "redirected", "code", "said"), ENDS.values(), ids=ENDS.keys()
)
def test_how_it_ends(
    program: str, words: tuple[str, ...], redirected: str, code: ExitCode, said: str
) -> None:
    shell = ("sh", "-c", f'exec "$@" {redirected}', "sh")

    done = subprocess.run(
        [*shell, sys.executable, "-c", program, *words], check=False, capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize(
    ("program", "words"),
    [(COMMAND, ("version",)), (COMMAND, ("tree", "--help")), (COMPLETION, ("tr",))],
)
def test_a_reader_that_has_gone_is_not_told_of(program: str, words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, *words],
            check=False,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (ExitCode.OUTPUT_CLOSED, "")


def test_a_full_disk_is_said_in_words() -> None:
    with (
        Path("/dev/full").open("w", encoding="utf-8") as full,
        pytest.raises(streams.OutputFailed) as failed,
    ):
        streams.send(full, "x")

    assert str(failed.value) == os.strerror(28)
