"""`python -m devenv demo` as a user runs it: its steps, its exit code, and what it leaves."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from devenv.demo import kubectl, walkthrough
from tests.support.waiting import eventually
from tests.ui import viewers

# Generous: the tests of several people may share two cores.
SECONDS = 200


class Demo:
    """A demo that runs without a terminal."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, text: str) -> str:
        """Read on until a line holds the text, and return that line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(SECONDS):
            async for line in self.process.stdout:
                self.lines.append(line.decode().rstrip("\n"))
                if text in self.lines[-1]:
                    return self.lines[-1]
        raise AssertionError(f"ended without {text!r}:\n{self.text}")

    async def end(self) -> int:
        """Read to the end, and return the exit code."""
        rest, _ = await asyncio.wait_for(self.process.communicate(), SECONDS)
        self.lines += rest.decode().splitlines()
        return await self.process.wait()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture(autouse=True)
def _a_hangup_counts() -> Iterator[None]:
    """Programs keep ignoring a hangup if it was ignored where they started, as by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@contextlib.asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "devenv", "demo", *arguments),
        cwd=kubectl.PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    demo = Demo(process)
    try:
        yield demo
    finally:
        print(demo.text)
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo keeps its files, and no other program does."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def children_of(pid: int) -> set[int]:
    """Return all processes that descend from one."""
    found, todo = set(), [pid]
    while todo:
        parent = todo.pop()
        for folder in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                todo += (below := [int(one) for one in folder.read_text().split()])
                found.update(below)
    return found


def living(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists()}


def started_from(folder: Path) -> list[str]:
    """Return the command lines that name a folder, of all processes."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_text().replace("\0", " "))
    return [line for line in lines if str(folder) in line]


def row(demo: Demo, stack: str, phase: str) -> str:
    """Return what was last said about a stack when it reached a phase."""
    pattern = re.compile(rf" +\d+\.\ds  {stack} +{phase}\b(.*)")
    found = [match[1].strip() for line in demo.lines if (match := pattern.fullmatch(line))]
    assert found, f"{stack} never was {phase}"
    return found[-1]


async def test_the_demo_takes_its_steps_checks_them_and_ends(
    temporary_files: Path, control_plane_binaries: object
) -> None:
    async with started() as demo:
        await demo.until("Ready=Unknown AwaitingConfirmation")
        link = await demo.until("waits for a person to confirm or discard it (http://")
        await demo.until("The run of `database` has been confirmed")
        code = await demo.end()

    assert code == 0
    assert "/stack/database/run/" in link
    assert row(demo, "alerts", "Skipped") == "because of monitoring"
    assert row(demo, "dashboards", "Skipped") == "because of monitoring"
    assert row(demo, "certificates", "Skipped") == "inputs unchanged"
    assert row(demo, "monitoring", "Failed").startswith("The run failed")
    assert row(demo, "alerts", "Succeeded") == "+1 ~0 -0"
    assert row(demo, "network", "Succeeded") == "kept from an earlier run"
    assert row(demo, "certificates", "Succeeded") == "kept from an earlier run"
    commands = [line for line in demo.lines if line.startswith("$ ")]
    # Where another environment runs on this machine, that one has the path.
    assert re.fullmatch(r"\$ export KUBECONFIG=/\S+/kubeconfig", commands[0])
    assert [line for line in commands if not line.startswith("$ export ")] == [
        "$ kubectl apply -f examples/platform.yaml",
        "$ kubectl get schain",
        "$ kubectl stackchain explain platform",
        "$ kubectl stackchain retry platform",
        "$ kubectl wait --for=condition=Ready schain/platform --timeout=60s",
        "$ kubectl get schain",
        "$ kubectl events --for schain/platform --types=Warning",
        "$ kubectl stackchain tree platform",
    ]
    assert demo.lines.index("  make demo ARGS=--keep") > demo.lines.index(commands[-1])
    assert not any("/workflows/" in line for line in demo.lines[demo.lines.index(commands[-1]) :])
    assert re.search(r"^platform +False +StackFailed +1 +Apply +9/12 +1 ", demo.text, re.MULTILINE)
    assert re.search(r"Warning +StackFailed .*'monitoring'", demo.text)
    assert re.search(r"^platform +True +RunSucceeded +2 +Apply +12/12 +0 ", demo.text, re.MULTILINE)
    assert "12 stacks succeeded, 9 of them in an earlier run." in demo.lines
    assert "condition met" in demo.text
    assert "\x1b" not in demo.text
    assert left_in(temporary_files) == []


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        pytest.param("Starting", signal.SIGINT, id="Ctrl-C while the parts start"),
        pytest.param(" Running", signal.SIGINT, id="Ctrl-C while the chain runs"),
        pytest.param("simulator ready", signal.SIGHUP, id="the terminal is closed"),
    ],
)
async def test_an_interrupted_demo_leaves_nothing(
    moment: str, number: signal.Signals, temporary_files: Path, control_plane_binaries: object
) -> None:
    async with started() as demo:
        await demo.until(moment)
        children = await eventually(lambda: children_of(demo.process.pid), what="a child")
        os.kill(demo.process.pid, number)
        # People press it twice.
        os.kill(demo.process.pid, number)
        code = await demo.end()

    assert code == 130
    assert "Traceback" not in demo.text
    assert left_in(temporary_files) == []
    await eventually(lambda: not living(children), what="no child lives")


async def test_a_demo_that_nobody_reads_any_more_ends_and_leaves_nothing(
    temporary_files: Path, control_plane_binaries: object
) -> None:
    """As under `make demo | head`."""
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"set -o pipefail; {sys.executable} -m devenv demo | head -n 4"),
        cwd=kubectl.PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await asyncio.wait_for(shell.communicate(), SECONDS)

    assert len(said.splitlines()) == 4
    assert complained.decode() == ""
    assert shell.returncode == 1
    assert left_in(temporary_files) == []
    await eventually(lambda: not started_from(temporary_files), what="no process is left")


async def test_the_environment_is_kept_up_until_ctrl_c(
    temporary_files: Path, control_plane_binaries: object
) -> None:
    async with started("--keep", "--plain") as demo:
        await demo.until("Everything stays up until Ctrl-C")
        await demo.until("/workflows/")
        children = living(children_of(demo.process.pid))
        os.kill(demo.process.pid, signal.SIGINT)
        code = await demo.end()

    assert len(children) >= 6
    assert code == 0
    assert left_in(temporary_files) == []
    await eventually(lambda: not living(children), what="no child lives")


async def test_an_unknown_argument_is_refused_in_one_line() -> None:
    async with started("--keap") as demo:
        code = await demo.end()

    assert code == 2
    assert len(demo.lines) == 1
    assert "--keap" in demo.text


def make_stack(stack_id: str, phase: Phase, **fields: str) -> v1alpha1.StackStatus:
    return v1alpha1.StackStatus(id=stack_id, level=0, phase=phase, **fields)  # type: ignore[arg-type]


def test_the_demo_notices_what_did_not_go_as_it_should() -> None:
    status = v1alpha1.Status(
        stacks=(
            make_stack("a", Phase.SUCCEEDED),
            make_stack("b", Phase.SKIPPED, reason="UpstreamNotSucceeded", blocked_by="c"),
            make_stack("extra", Phase.FAILED),
        )
    )

    found = walkthrough.differences(status, {"a": "Succeeded", "b": "Succeeded", "gone": "Failed"})

    assert found == [
        "'b' is Skipped because of c and should be Succeeded",
        "'extra' is Failed and should be not there",
        "'gone' is not there and should be Failed",
    ]


async def test_the_page_that_it_names_first_shows_the_chain(temporary_files: Path) -> None:
    async with started() as demo:
        address = (await demo.until("/?token=")).strip()
        async with (
            viewers.viewer(address) as session,
            viewers.streaming(session, address) as stream,
            asyncio.timeout(SECONDS),
        ):
            rows = await stream.until("chains")
            while not rows:
                rows = [await stream.until("chain")]
        demo.process.send_signal(signal.SIGINT)
        await demo.end()

    assert [row["name"] for row in rows] == [walkthrough.CHAIN]
    assert demo.text.index("/?token=") < demo.text.index("Temporal's web UI")
    assert left_in(temporary_files) == []
