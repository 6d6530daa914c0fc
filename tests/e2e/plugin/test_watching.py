"""`tree -w` through the real kubectl: on a terminal, in a pipe, and for programs."""

import asyncio
import contextlib
import json
import os
import pty
import signal
from collections.abc import AsyncIterator, Callable

import pytest

from controller.plugin.exit_codes import ExitCode
from tests.support import kube as kube_support
from tests.support.builders import make_shown_status, make_stack_status
from tests.support.plugin import (
    FAILED,
    SECONDS,
    SPEC,
    WAITING,
    Kubectl,
    Operator,
    Status,
    ended,
    succeeded,
)
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param(succeeded(7), ExitCode.DONE, id="succeeded"),
        pytest.param(FAILED, ExitCode.NOT_SUCCEEDED, id="failed"),
    ],
)
async def test_watching_without_a_terminal_prints_changes_until_the_end(
    end: Status,
    code: ExitCode,
    kubectl: Kubectl,
    stackchains: kube_support.StackChains,
    operator: Operator,
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)
    process = await kubectl.start("stackchain", "tree", "prod", "-w", "-n", kubectl.namespace)
    assert process.stdout is not None
    seen = b""
    while b"Ready=Unknown AwaitingConfirmation" not in seen:
        seen += await asyncio.wait_for(process.stdout.readline(), SECONDS)

    await operator.write("prod", end)
    shown = await ended(process)

    assert shown.code == code
    assert shown.lines[-1].startswith(f"Run 7 of prod: {end.latest_run.phase}")  # type: ignore[union-attr]
    assert "\x1b" not in shown.out


async def test_watching_for_programs_is_a_document_for_each_change(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)
    words = ("tree", "prod", "-w", "-o", "json", "-n", kubectl.namespace)
    process = await kubectl.start("stackchain", *words)
    assert process.stdout is not None
    first = json.loads(await asyncio.wait_for(process.stdout.readline(), SECONDS))

    await operator.write("prod", succeeded(7))
    shown = await ended(process)

    assert first["ready"]["reason"] == "AwaitingConfirmation"
    (line,) = shown.lines
    assert json.loads(line)["ready"]["reason"] == "RunSucceeded"


@contextlib.asynccontextmanager
async def on_a_terminal(
    kubectl: Kubectl, *words: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Callable[[], str]]]:
    """Start a command on a separate terminal; the callable returns what it shows so far."""
    ours, theirs = pty.openpty()
    shown = bytearray()
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            shown.extend(os.read(ours, 65536))
        except OSError:  # The other side is closed.
            loop.remove_reader(ours)

    loop.add_reader(ours, read)
    kubectl.environment |= {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    process = await kubectl.start(
        *words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        yield process, lambda: shown.decode(errors="replace")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        loop.remove_reader(ours)
        os.close(ours)


@pytest.mark.parametrize("no_color", ["", "1"], ids=["colors", "NO_COLOR"])
async def test_watching_on_a_terminal_redraws_in_place(
    no_color: str, kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)
    kubectl.environment["NO_COLOR"] = no_color
    words = ("stackchain", "tree", "prod", "-w", "-n", kubectl.namespace)

    async with on_a_terminal(kubectl, *words) as (process, shown):
        await eventually(lambda: "AwaitingConfirmation" in shown(), SECONDS)
        await operator.write("prod", succeeded(7))
        code = await asyncio.wait_for(process.wait(), SECONDS)
        await eventually(lambda: "Run 7 of prod: Succeeded" in shown())

    erases, shows_cursor, green = "\x1b[J", "\x1b[?25h", "\x1b[32m"
    assert code == ExitCode.DONE
    assert erases in shown()
    assert shows_cursor in shown()
    assert (green in shown()) == (not no_color)
    assert "Traceback" not in shown()


async def test_ctrl_c_ends_watching_and_gives_the_terminal_back(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)
    words = ("stackchain", "tree", "prod", "-w", "-n", kubectl.namespace)

    async with on_a_terminal(kubectl, *words) as (process, shown):
        await eventually(lambda: "AwaitingConfirmation" in shown(), SECONDS)
        process.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(process.wait(), SECONDS)
        await eventually(lambda: "\x1b[?25h" in shown())

    assert code == ExitCode.INTERRUPTED
    assert "Traceback" not in shown()


async def test_whoever_reads_only_the_beginning_sees_no_complaint(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    stacks = [make_stack_status(f"s{n:03}", name="n" * 200) for n in range(500)]
    await stackchains.create("prod", SPEC)
    await operator.write("prod", make_shown_status(*stacks))

    process = await asyncio.create_subprocess_shell(
        f"kubectl stackchain tree prod -o json -n {kubectl.namespace} | head -1",
        env=kubectl.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

    shown = await ended(process)
    assert (shown.out, shown.err) == ("{\n", "")
