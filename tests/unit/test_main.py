"""The entry point, in the time before the modules are there: a second or more in a pod."""

import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from devenv import tools

ROOT = Path(__file__).parents[2]

# Sends a signal in the moment in which the first module of weight is asked for. As the first
# process of a container a program without a handler would not notice; here it would be killed.
_EARLY_SIGNAL = """
import os, signal, sys

class Early:
    def find_spec(self, name, path=None, target=None):
        if name == "controller.cli":
            heavy = {"httpx", "kopf", "kubernetes", "temporalio"}
            print(sorted(heavy & set(sys.modules)), flush=True)
            os.kill(os.getpid(), int(sys.argv.pop()))

sys.meta_path.insert(0, Early())
from controller import __main__
__main__.main()
"""


def test_the_image_and_python_start_at_the_same_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["scripts"]["stackchain"] == "controller.__main__:main"


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, -signal.SIGINT)],
    ids=["a pod that is deleted", "Ctrl-C"],
)
def test_a_signal_ends_the_process_before_its_modules_are_there(number: int, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _EARLY_SIGNAL, "worker", str(int(number))],
        capture_output=True,
        check=False,
        cwd=ROOT,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout, done.stderr) == (code, "[]\n", "")


_STUBBORN_ROLE = """
import asyncio
from controller.roles import process

async def ignore_cancels():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

async def role(_):
    role.task = asyncio.create_task(ignore_cancels())
    await asyncio.sleep(0.01)
    return 3

process.run_role(role, needs_keys=False)
"""


def test_a_role_that_has_ended_leaves_whatever_does_not_end_with_it() -> None:
    """Seen of kopf's scheduler: it waits on when its task is canceled."""
    done = subprocess.run(
        [sys.executable, "-c", _STUBBORN_ROLE],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={
            "HEALTH_ADDRESS": f"127.0.0.1:{tools.free_port()}",
            "SPACELIFT_API_KEY_ENDPOINT": "https://acme.app.spacelift.io",
            "SPACELIFT_ALLOWED_NAMESPACES": "*",
            "SPACELIFT_API_KEY_ID": "01KEY",
            "SPACELIFT_API_KEY_SECRET": "secret",
        },
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (3, "")
