"""The local environment without the roles: it comes up, comes back, and leaves nothing."""

import os
import signal
import sys
from pathlib import Path

import pytest
from temporalio.client import Client

from devenv import environment, processes, settings, tools
from tests.support.kube import KubeApi
from tests.support.waiting import eventually

SERVE = """
import asyncio, pathlib, sys
from devenv import dev_command, environment, settings

options = environment.DevOptions(
    dev=settings.load_dev_settings(), say=lambda line: print(line, flush=True), roles=(),
    state_dir=pathlib.Path(sys.argv[1]),
)
sys.exit(asyncio.run(dev_command.run_dev(options)))
"""


def make_options(state_dir: Path, said: list[str]) -> environment.DevOptions:
    return environment.DevOptions(
        dev=settings.load_dev_settings(), say=said.append, state_dir=state_dir, roles=()
    )


def running_with(text: str) -> list[int]:
    """Return the processes that have a string among their arguments, except for this one."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                arguments = (folder / "cmdline").read_text(errors="replace")
            except OSError:
                continue
            if text in arguments:
                found.append(int(folder.name))
    return found


async def test_a_second_start_goes_on_with_what_the_first_one_left(
    tmp_path: Path, control_plane_binaries: object
) -> None:
    said: list[str] = []
    async with environment.LocalEnvironment(make_options(tmp_path, said)) as first:
        assert first.control_plane is not None
        plane = first.control_plane
        async with KubeApi(plane.url, plane.token, plane.ca_file) as kube:
            await kube.create_namespace("kept")
        client = await Client.connect(first.temporal.address)
        await client.start_workflow("any", id="kept", task_queue="nobody")
    assert running_with(str(tmp_path)) == []

    async with environment.LocalEnvironment(make_options(tmp_path, said)) as second:
        assert second.control_plane is not None
        plane = second.control_plane
        async with KubeApi(plane.url, plane.token, plane.ca_file) as kube:
            assert await kube.find("/api/v1/namespaces/kept")
        client = await Client.connect(second.temporal.address)
        assert (await client.get_workflow_handle("kept").describe()).id == "kept"

    assert any(line.startswith("All parts are ready") for line in said)


async def test_a_part_that_cannot_start_takes_the_others_down(
    tmp_path: Path, control_plane_binaries: object
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("stacks: {vpc: {nonsense: 1}}")
    options = environment.DevOptions(
        dev=settings.load_dev_settings(),
        say=lambda _: None,
        state_dir=tmp_path / "state",
        scenario=scenario,
    )

    with pytest.raises(tools.DevError, match="nonsense"):
        await environment.LocalEnvironment(options).start()

    assert running_with(str(tmp_path)) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_a_signal_ends_all_of_it(
    number: signal.Signals, tmp_path: Path, control_plane_binaries: object
) -> None:
    """Even SIGKILL, against which a program can do nothing itself."""
    command = processes.Command(
        name="python -m devenv",
        argv=(sys.executable, "-c", SERVE, str(tmp_path / "state")),
        log_file=tmp_path / "dev.log",
        directory=Path(environment.__file__).parents[1],
    )
    process = processes.Process.start(command)
    try:

        async def is_up() -> bool:
            return "Ctrl-C stops all of it" in process.log_tail(50)

        await process.wait_until(is_up, timeout_seconds=120, what="up")
        os.kill(process.pid, number)
        code = await process.wait()
    finally:
        await process.kill()

    assert code == (-number if number == signal.SIGKILL else 0)
    await eventually(lambda: running_with(str(tmp_path)) == [])
