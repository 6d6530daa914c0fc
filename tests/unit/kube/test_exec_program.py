"""An exec plugin ends when its caller has gone, with everything that it has started."""

import sys
import threading
from pathlib import Path

import pytest

from controller.kube import exec_program
from tests.support import waiting

CHILD = "import pathlib, time; pathlib.Path({file!r}).touch(); time.sleep(99)"
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"


def words(file: Path, *, has_child: bool) -> list[str]:
    """Return a program that does not end, or one that waits for such a program."""
    child = CHILD.format(file=str(file))
    return [sys.executable, "-c", PARENT.format(child=child) if has_child else child]


@pytest.mark.parametrize("is_attended", [True, False])
async def test_what_runs_is_ended(is_attended: bool, tmp_path: Path) -> None:
    program, file = exec_program.ExecProgram(is_attended=is_attended), tmp_path / "pid"
    found: list[tuple[int, bytes]] = []

    def run() -> None:
        asked = words(file, has_child=not is_attended)
        found.append(program.run(asked, {}, is_interactive=False))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    await waiting.eventually(file.exists)
    program.stop()
    # It reads to the end of what all of them print to.
    thread.join(60)

    assert found
    assert found[0][0] < 0


def test_nothing_is_started_after_the_end() -> None:
    program = exec_program.ExecProgram(is_attended=False)
    program.stop()

    with pytest.raises(OSError, match="has ended"):
        program.run([sys.executable], {}, is_interactive=False)


def test_of_whom_nobody_looks_after_there_is_no_terminal_and_no_word(
    capfd: pytest.CaptureFixture[str],
) -> None:
    program = exec_program.ExecProgram(is_attended=False)
    asks = "import sys; print('log in', file=sys.stderr); open('/dev/tty')"

    code, _ = program.run([sys.executable, "-c", asks], {}, is_interactive=False)

    assert (program.has_terminal, code, capfd.readouterr().err) == (False, 1, "")
