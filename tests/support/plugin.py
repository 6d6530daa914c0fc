"""`kubectl stackchain` as a shell starts it, and an operator that writes what a test says."""

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from tests.support import fork_server
from tests.support import kube as kube_support
from tests.support.builders import make_condition, make_shown_status, make_stack_status
from tests.support.waiting import eventually

# More than the longest `--timeout` that a test gives.
SECONDS = 120
PROGRAMS = Path(sys.executable).parent
SPEC = {"roots": {"stackIds": ["vpc"]}}
_MOST_BYTES = 1 << 24
LINK = "https://example.app.spacelift.io/stack/eks/run/01J"

Status = v1alpha1.Status


@dataclasses.dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.out.splitlines()]

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class Kubectl:
    """`kubectl stackchain` of one user.

    It starts the real kubectl, which runs the console script. Commands that run to their end are
    forked from a process that has the modules loaded, if there is one: kubectl would hand them the
    same words, variables and streams.
    """

    def __init__(
        self,
        kubeconfig: Path,
        home: Path,
        namespace: str,
        forks: fork_server.ForkServer | None = None,
    ) -> None:
        self.namespace = namespace
        self._forks = forks
        self.environment = {
            "PATH": f"{PROGRAMS}{os.pathsep}{os.defpath}",
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig),
            "KUBECACHEDIR": str(home / "cache"),
            "LANG": "C.UTF-8",
            "PYTHONUTF8": "1",
            # As long as a busy machine takes: an empty completion is a failure.
            "STACKCHAIN_COMPLETION_SECONDS": str(SECONDS),
        }

    async def start(self, *words: str, **options: Any) -> asyncio.subprocess.Process:
        options = {
            "stdin": asyncio.subprocess.DEVNULL,
            "stdout": asyncio.subprocess.PIPE,
            "stderr": asyncio.subprocess.PIPE,
            **options,
        }
        return await asyncio.create_subprocess_exec(
            "kubectl", *words, env=self.environment, **options
        )

    async def __call__(self, *words: str, stdin: str | None = None) -> Ended:
        """Run a command in the test's namespace, to its end."""
        words = (*words, "-n", self.namespace)
        if self._forks is not None:
            return await self._forked(self._forks, words, (stdin or "").encode())
        given = asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL
        return await ended(await self.start("stackchain", *words, stdin=given), stdin)

    async def _forked(
        self, forks: fork_server.ForkServer, words: tuple[str, ...], given: bytes
    ) -> Ended:
        with contextlib.ExitStack() as opened:
            files = [opened.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            files[0].write(given)
            files[0].seek(0)
            child = forks.run(
                "controller.plugin.cli",
                *words,
                environment=self.environment,
                streams=(files[0], files[1], files[2]),
            )
            try:
                await eventually(lambda: child.poll() is not None, SECONDS)
            finally:
                if child.poll() is None:
                    os.kill(child.pid, signal.SIGKILL)
            written = [os.pread(file.fileno(), _MOST_BYTES, 0).decode() for file in files[1:]]
        return checked(Ended(code=child.poll() or 0, out=written[0], err=written[1]))


async def ended(process: asyncio.subprocess.Process, stdin: str | None = None) -> Ended:
    try:
        sent = stdin.encode() if stdin is not None else None
        out, err = await asyncio.wait_for(process.communicate(sent), SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
    return checked(
        Ended(code=process.returncode or 0, out=(out or b"").decode(), err=(err or b"").decode())
    )


def checked(found: Ended) -> Ended:
    assert "Traceback" not in found.err
    return found


class Operator:
    """Writes statuses in the operator's place."""

    def __init__(self, stackchains: kube_support.StackChains) -> None:
        self.chains = stackchains

    async def write(self, name: str, status: Status, **last_handled: str) -> None:
        body = v1alpha1.status_to_dict(status)
        if last_handled:
            body["lastHandled"] = last_handled
        await self.chains.kube.patch(f"{self.chains.path(name)}/status", {"status": body})

    async def takes_up(self, name: str, annotation: str, status: Status) -> None:
        """Wait for a request, and write what has become of it."""

        async def token() -> str | None:
            metadata = (await self.chains.get(name))["metadata"]
            found: str | None = metadata.get("annotations", {}).get(f"stackchain.dev/{annotation}")
            return found

        asked = await eventually(token, SECONDS)
        assert asked is not None
        await self.write(name, status, **{annotation: asked})


def situation(
    *stacks: v1alpha1.StackStatus,
    ready: tuple[str, str, str],
    reconciling: str = "False",
    stalled: str = "False",
    **run: object,
) -> Status:
    base = make_shown_status(*stacks, ready=ready, **run)
    more = (
        make_condition("Reconciling", reconciling, ready[1], ready[2]),
        make_condition("Stalled", stalled, ready[1], ready[2]),
    )
    return dataclasses.replace(base, conditions=(*base.conditions, *more))


WAITING = situation(
    make_stack_status(
        "vpc", phase=Phase.SUCCEEDED, delta=v1alpha1.Delta(added=3, changed=1, deleted=0)
    ),
    make_stack_status(
        "eks",
        1,
        "vpc",
        phase=Phase.AWAITING_CONFIRMATION,
        reason="NeedsConfirmation",
        message="The run has planned changes.",
        run_url=LINK,
        delta=v1alpha1.Delta(added=0, changed=2, deleted=1),
    ),
    make_stack_status("app", 2, "eks", reason="UpstreamPending"),
    ready=("Unknown", "AwaitingConfirmation", "'eks' waits for a person."),
    reconciling="True",
    phase=Phase.AWAITING_CONFIRMATION,
    number=7,
    progress="1/3",
)
FAILED = situation(
    make_stack_status("vpc", phase=Phase.SUCCEEDED),
    make_stack_status("eks", 1, "vpc", phase=Phase.FAILED, reason="RunFailed", run_url=LINK),
    make_stack_status("app", 2, "eks", phase=Phase.SKIPPED, reason="FailFast", blocked_by="eks"),
    ready=("False", "StackFailed", "1 of 3 stacks failed."),
    stalled="True",
    phase=Phase.FAILED,
    reason="StackFailed",
    number=7,
    progress="1/3",
    completion_time="2026-03-01T10:10:00Z",
)


def succeeded(number: int) -> Status:
    return situation(
        make_stack_status("vpc", phase=Phase.SUCCEEDED),
        ready=("True", "RunSucceeded", "All stacks succeeded."),
        phase=Phase.SUCCEEDED,
        number=number,
        progress="1/1",
    )
