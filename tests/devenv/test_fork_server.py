"""A forked role is the same process that a fresh start would have given."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devenv import managed_process, processes
from tests.support import chains, fork_server
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each start is its own")

# A package next to those of the product; it reports to its output.
PROGRAM = """
import json, os, pathlib, random, signal, sys, threading

def main():
    print(json.dumps({
        "arguments": sys.argv[1:],
        "program": sys.argv[0],
        "folder": os.getcwd(),
        "parent": os.getppid(),
        "group": os.getpgid(0) - os.getpid(),
        "session": os.getsid(0) - os.getpid(),
        "open": sorted(os.listdir("/proc/self/fd"))[:-1],
        "input": os.readlink("/proc/self/fd/0"),
        "threads": threading.active_count(),
        "tasks": len(os.listdir("/proc/self/task")),
        "signals": {number.name: str(signal.getsignal(number)) for number in signal.valid_signals()
                    if hasattr(number, "name")},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        # Not what GNU readline, which pytest loads, hands to the children of its process.
        "variables": {name: value for name, value in os.environ.items()
                      if name not in ("LINES", "COLUMNS")},
        "buffered": [sys.stdout.line_buffering, sys.stderr.line_buffering, sys.stdout.encoding],
        "random": random.random(),
    }), flush=True)
    match sys.argv[1:]:
        case ["hang"]:
            signal.pause()
        case ["raise"]:
            raise ValueError("why")
        case ["exit"]:
            sys.exit(7)
        case ["text"]:
            sys.exit("a text")
        case ["unflushed"]:
            print("the last line")

if __name__ == "__main__":
    main()
"""


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fork_server.ForkServer]:
    """One that finds a package of these tests."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "reporter").mkdir()
    (folder / "reporter" / "__init__.py").touch()
    (folder / "reporter" / "__main__.py").write_text(PROGRAM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        with fork_server.ForkServer() as running:
            yield running


def command(tmp_path: Path, *arguments: str, **environment: str | None) -> processes.Command:
    return processes.Command(
        name="child",
        argv=(sys.executable, "-m", "reporter", *arguments),
        log_file=tmp_path / "log" / f"{'-'.join(arguments)}.log",
        environment=environment,
        directory=managed_process.PACKAGE_PARENT,
    )


async def report(process: processes.Process) -> dict[str, Any]:
    log_file = process.command.log_file

    def first_line() -> str:
        # It is long, and may be written in several pieces.
        text = log_file.read_text() if log_file.exists() else ""
        return text.partition("\n")[0] if "\n" in text else ""

    found: dict[str, Any] = json.loads(await eventually(first_line))
    return found


async def test_a_fork_sees_what_a_process_of_its_own_sees(
    forks: fork_server.ForkServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = forks.start(command(tmp_path, "first"))
    # The server is there by now.
    monkeypatch.setenv("REPORTER_LATE", "late")
    variables = {"REPORTER_SET": "a=b\n", "PATH": None}

    forked = forks.start(command(tmp_path, "same", "fork", **variables))
    started = processes.Process.start(command(tmp_path, "same", "exec", **variables))
    reports = [await report(process) for process in (forked, started)]
    random = {(await report(first)).pop("random"), *(each.pop("random") for each in reports)}
    codes = [await process.wait() for process in (first, forked, started)]

    assert [each.pop("arguments") for each in reports] == [["same", "fork"], ["same", "exec"]]
    assert reports[0] == reports[1]
    assert reports[0]["parent"] == os.getpid()
    assert reports[0]["variables"]["REPORTER_LATE"] == "late"
    assert "PATH" not in reports[0]["variables"]
    assert len(random) == 3
    assert codes == [0, 0, 0]


@pytest.mark.parametrize("how", ["raise", "exit", "text", "unflushed"])
async def test_a_fork_ends_as_a_process_of_its_own_ends(
    forks: fork_server.ForkServer, tmp_path: Path, how: str
) -> None:
    forked, started = [
        start(command(tmp_path / str(number), how))
        for number, start in enumerate((forks.start, processes.Process.start))
    ]
    codes = [await process.wait() for process in (forked, started)]

    assert codes[0] == codes[1]
    assert last_line(forked) == last_line(started)


def last_line(process: processes.Process) -> str:
    line = process.log_tail().splitlines()[-1]
    return "the report" if line.startswith("{") else line


async def test_a_fork_is_frozen_and_killed_as_any_child(
    forks: fork_server.ForkServer, tmp_path: Path
) -> None:
    process = forks.start(command(tmp_path, "hang"))
    await report(process)

    await process.freeze()
    assert process.is_running
    process.thaw()
    await process.kill()

    assert process.returncode == -signal.SIGKILL


async def test_a_fork_dies_with_whoever_asked_for_it(tmp_path: Path) -> None:
    code = f"""
import sys, time, pathlib
sys.path.insert(0, {str(managed_process.PACKAGE_PARENT)!r})
from devenv import processes
from tests.support import fork_server
argv = (sys.executable, "-m", "controller", "operator")
log = pathlib.Path({str(tmp_path)!r}) / "role.log"
forks = fork_server.ForkServer()
child = forks.start(processes.Command(name="c", argv=argv, log_file=log, environment={{
    "SPACELIFT_API_KEY_ENDPOINT": "http://127.0.0.1:1", "SPACELIFT_ALLOWED_NAMESPACES": "*",
    "SPACELIFT_ALLOW_HTTP": "true", "STACKCHAIN_NAMESPACE": "default",
}}))
print(child.pid, forks.pid, flush=True)
time.sleep(600)
"""
    argv = (sys.executable, "-c", code)
    asking = processes.Process.start(
        processes.Command(name="asking", argv=argv, log_file=tmp_path / "asking.log")
    )
    try:
        await eventually(lambda: len(asking.log_tail().split()) == 2, chains.SECONDS)
        pids = [int(word) for word in asking.log_tail().split()]
        os.kill(asking.pid, signal.SIGKILL)

        await eventually(lambda: not any(map(is_alive, pids)))
    finally:
        await asking.kill()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended but has not been waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
