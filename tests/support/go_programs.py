"""Programs that no registry has for tests: compiled once from their Go modules, and kept.

Versions and hashes are in a folder next to this file, with one `go.mod` for each.
"""

import asyncio
import dataclasses
import hashlib
import re
import tempfile
from pathlib import Path

from devenv import processes, tools

_BUILD_SECONDS = 3600


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class GoProgram:
    """Commands of one module, which are compiled together."""

    name: str
    module: str
    """The path whose version is that of the program."""
    folder: Path
    packages: tuple[str, ...]
    takes: str
    """How long the build takes, for the person who waits."""
    install: str
    """What to do where there is no Go."""
    stamp: str = ""
    """Variable that the version is written to."""

    def find(self, cache_dir: Path) -> Path | None:
        """Return the folder with the programs, if they are there."""
        built = self._target(cache_dir)
        return built if built.is_dir() else None

    def obtain(self, cache_dir: Path, say: tools.Say) -> Path:
        """Return the folder with the programs, compiled first where there is none.

        Raises:
            DevError: there is no Go, or the build failed; the message says what to do.
        """
        found = self.find(cache_dir)
        if found is not None:
            return found
        go = tools.find_program("go", install=self.install)
        target = self._target(cache_dir)
        say(f"  compiling {self.name} {self.version()} with {go}: {self.takes}, once")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
            built = Path(temporary) / "built"
            asyncio.run(processes.run(self._build(go, built), timeout_seconds=_BUILD_SECONDS))
            # Of two processes that build at once, the first wins; no one ever sees half a file.
            if not target.exists():
                built.rename(target)
        return target

    def _build(self, go: Path, target: Path) -> processes.Command:
        stamp = f" -X {self.stamp}={self.version()}" if self.stamp else ""
        flags = ("-trimpath", "-ldflags", f"-s -w{stamp}", "-o", f"{target}/")
        return processes.Command(
            name="go build",
            argv=(str(go), "build", *flags, *self.packages),
            log_file=target.parent / "build.log",
            directory=self.folder,
            # What a person set for other modules must not affect this one.
            environment={"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"},
        )

    def version(self) -> str:
        """Return the version of the module that is compiled, such as `v1.2.3`."""
        text = (self.folder / "go.mod").read_text(encoding="utf-8")
        found = re.search(rf"{re.escape(self.module)} (v[0-9.]+)", text)
        if found is None:
            raise tools.DevError(f"{self.folder / 'go.mod'} does not require {self.module}")
        return found[1]

    def _target(self, cache_dir: Path) -> Path:
        sources = b"".join((self.folder / name).read_bytes() for name in ("go.mod", "go.sum"))
        digest = hashlib.sha256(sources).hexdigest()[:12]
        return cache_dir.absolute() / self.name.lower() / f"{self.version()}-{digest}"
