"""The recording of `kubectl stackchain tree --watch`: the demo's chain from its start to Ready."""

import asyncio

from devenv import settings, tools
from tests.pictures import terminal_recording
from tests.pictures.terminal_recording import Frame, Recording, Size
from tests.support.waiting import eventually
from tests.ui import tour

COMMAND = ("kubectl", "stackchain", "tree", tour.CHAIN, "--watch")
SIZE = Size(columns=100, rows=36)
# The screen stays this long for the reader, before the next thing happens.
_READING_FRAMES = 4
_FIXED = "In another terminal: the cause is fixed, then  kubectl stackchain retry platform"
_CONFIRMED = "In Spacelift: someone confirms the plan of database"


async def record(page: tour.Tour) -> list[Frame]:
    """Apply the chain, watch it, and do what people do: fix and retry, and confirm."""
    await page.kubectl("apply", "-f", "examples/platform.yaml")
    await eventually(lambda: _phase(page, "network"), what="the stacks in the status")
    recording = await terminal_recording.start(
        str(tools.find_program(COMMAND[0], install="install kubectl")),
        *COMMAND[1:],
        size=SIZE,
        environment=_environment(page),
    )
    following = asyncio.create_task(recording.follow())
    try:
        await _shows(recording, "1 of 12 stacks failed")
        await _can_be_read(recording)
        await page.heal("monitoring")
        recording.caption = _FIXED
        await page.kubectl("stackchain", "retry", tour.CHAIN)
        await _shows(recording, "alerts Succeeded")
        await _can_be_read(recording)
        recording.caption = _CONFIRMED
        await page.confirm("database")
        await _shows(recording, "database Succeeded")
        recording.caption = ""
        await asyncio.wait_for(following, 120)
        assert await recording.process.wait() == 0, "the chain did not succeed"
    finally:
        following.cancel()
        if recording.process.returncode is None:
            recording.process.kill()
            await recording.process.wait()
    return recording.frames


async def _phase(page: tour.Tour, stack_id: str) -> str:
    path = f'{{.status.stacks[?(@.id=="{stack_id}")].phase}}'
    return await page.kubectl("get", "schain", tour.CHAIN, "-o", f"jsonpath={path}")


async def _shows(recording: Recording, text: str) -> None:
    def has_it() -> bool:
        rows = recording.frames[-1].rows if recording.frames else ()
        return any(text in " ".join(span.text for span in row) for row in rows)

    await eventually(has_it, what=f"'{text}' on the terminal")


async def _can_be_read(recording: Recording) -> None:
    """Wait for further frames: the durations on the screen count the seconds."""
    seen = len(recording.frames)
    await eventually(
        lambda: len(recording.frames) >= seen + _READING_FRAMES, what="the clock on the terminal"
    )


def _environment(page: tour.Tour) -> dict[str, str]:
    plugin = tools.find_program("kubectl-stackchain", install="install this package")
    return {
        "KUBECONFIG": str(page.local.kubeconfig),
        "PATH": f"{plugin.parent}:{settings.search_path()}",
        "KUBECACHEDIR": str(page.local.directory / "kubectl"),
    }
