"""Processes without sockets: small interpreters that end, hang or lose their parent."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from devenv import processes, tools
from tests.support.waiting import eventually

Start = Callable[[str], processes.Process]

HANGS = "import time; print('hanging', flush=True); time.sleep(600)"
MANY_BUSY_THREADS = """
import threading

def spin():
    while True:
        pass

for _ in range(8):
    threading.Thread(target=spin, daemon=True).start()
print("busy", flush=True)
threading.Event().wait()
"""
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + HANGS


def command(tmp_path: Path, code: str, **environment: str | None) -> processes.Command:
    return processes.Command(
        name="child",
        argv=(sys.executable, "-I", "-S", "-c", code),
        log_file=tmp_path / "log" / "child.log",
        environment=environment,
    )


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    started: list[processes.Process] = []

    def start(code: str) -> processes.Process:
        started.append(processes.Process.start(command(tmp_path, code)))
        return started[-1]

    yield start
    for process in started:
        await process.kill()


async def never() -> bool:
    return False


@pytest.mark.parametrize(
    ("text", "lines", "expected"),
    [
        pytest.param("", 3, "", id="empty"),
        pytest.param("a\nb\n", 3, "a\nb", id="short"),
        pytest.param("a\nb\nc\nd\n", 2, "c\nd", id="long"),
        pytest.param("a\nb", 1, "b", id="without a line end"),
    ],
)
def test_log_tail(tmp_path: Path, text: str, lines: int, expected: str) -> None:
    (tmp_path / "log").write_text(text)

    assert processes.log_tail(tmp_path / "log", lines=lines) == expected


def test_log_tail_of_no_file_and_of_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\xff\xfe\n")

    assert processes.log_tail(tmp_path / "none") == ""
    assert processes.log_tail(tmp_path / "log")


async def test_a_process_that_dies_ends_the_wait_at_once_with_its_log(start: Start) -> None:
    process = start("raise SystemExit('port is taken')")

    with pytest.raises(tools.DevError, match=r"ended with code 1 .*(?s:.)*port is taken"):
        await process.wait_until(never, timeout_seconds=60, what="ready")


def states_of_threads(pid: int) -> str:
    """A letter a thread, as proc(5) has them: T is stopped."""
    stats = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/stat")]
    return "".join(stat.rpartition(") ")[2][0] for stat in stats)


async def test_a_program_that_is_missing_is_reported_by_the_wait(tmp_path: Path) -> None:
    missing = processes.Command(name="x", argv=("/no/such",), log_file=tmp_path / "log")

    with pytest.raises(tools.DevError, match="No such file"):
        await processes.Process.start(missing).wait_until(never, timeout_seconds=60, what="ready")


async def test_a_wait_ends_with_its_time(start: Start) -> None:
    process = start(HANGS)

    with pytest.raises(tools.DevError, match="was not ready after 0 s"):
        await process.wait_until(never, timeout_seconds=0, what="ready")

    await process.kill()
    assert process.returncode == -signal.SIGKILL


async def test_no_thread_of_a_frozen_process_runs(start: Start) -> None:
    process = start(MANY_BUSY_THREADS)
    await eventually(lambda: "busy" in process.log_tail())

    await process.freeze()

    states = states_of_threads(process.pid)
    assert len(states) > 8
    assert set(states) == {"T"}
    process.thaw()
    await process.terminate()
    assert process.returncode == -signal.SIGTERM


async def test_a_process_that_ignores_the_request_to_end_is_killed(start: Start) -> None:
    process = start(IGNORES_SIGTERM)
    await eventually(lambda: "hanging" in process.log_tail())

    await process.terminate(timeout_seconds=0.1)

    assert process.returncode == -signal.SIGKILL


async def test_what_a_process_started_ends_with_it(start: Start) -> None:
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {HANGS!r}]);"
    process = start(code + "print(p.pid, flush=True); p.wait()")

    def both_have_written() -> list[str]:
        lines = sorted(process.log_tail().splitlines())
        return lines if len(lines) == 2 and lines[1] == "hanging" else []

    grandchild = int((await eventually(both_have_written))[0])

    await process.terminate()

    await eventually(lambda: not is_alive(grandchild))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
async def test_no_process_outlives_a_parent_that_is_killed(start: Start, tmp_path: Path) -> None:
    code = f"""
import sys, time, pathlib
sys.path.insert(0, {str(Path(processes.__file__).parents[1])!r})
from devenv import processes
log = pathlib.Path({str(tmp_path)!r}) / "grandchild.log"
argv = (sys.executable, "-c", {HANGS!r})
child = processes.Process.start(processes.Command(name="c", argv=argv, log_file=log))
while "hanging" not in child.log_tail():
    time.sleep(0.01)
print(child.pid, flush=True)
time.sleep(600)
"""
    parent = start(code)
    await eventually(lambda: parent.log_tail().strip().isdigit())
    child = int(parent.log_tail())
    # Only the parent itself: its child is in a separate group.
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()

    await eventually(lambda: not is_alive(child))


async def test_variables_are_set_and_removed_in_what_a_child_inherits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKCHAIN_TEST_KEPT", "kept")
    monkeypatch.setenv("STACKCHAIN_TEST_REMOVED", "removed")
    code = "import os; print(sorted(i for i in os.environ.items() if 'STACKCHAIN_TEST' in i[0]))"

    await processes.run(
        command(tmp_path, code, STACKCHAIN_TEST_REMOVED=None, STACKCHAIN_TEST_SET="a=b\n"),
        timeout_seconds=30,
    )

    assert processes.log_tail(tmp_path / "log" / "child.log") == (
        "[('STACKCHAIN_TEST_KEPT', 'kept'), ('STACKCHAIN_TEST_SET', 'a=b\\n')]"
    )


async def test_a_command_that_fails_tells_its_output(tmp_path: Path) -> None:
    with pytest.raises(tools.DevError, match=r"failed with code 3(?s:.)*why"):
        await processes.run(
            command(tmp_path, "print('why', flush=True); raise SystemExit(3)"), timeout_seconds=30
        )


async def test_a_command_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with pytest.raises(tools.DevError, match="did not end"):
        await processes.run(command(tmp_path, HANGS), timeout_seconds=0.2)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but has not been waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
