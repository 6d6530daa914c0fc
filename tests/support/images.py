"""Images as archives (`docker save`) and as programs: built and run by the scripts in hack/."""

import dataclasses
import json
import posixpath
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_BUILD_SECONDS = 1200
_RUN_SECONDS = 60


def build(name: str, archive: Path, *options: str) -> "Image":
    """Build the image under a name, and read the archive that is written."""
    command = [ROOT / "hack" / "build-image", "--archive", archive, *options, name]
    done = subprocess.run(
        command, capture_output=True, check=False, text=True, timeout=_BUILD_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return Image.read(name, archive)


def engine() -> str:
    """Return the container engine that the scripts use."""
    return _with_engine("find_engine").strip()


def remove(name: str) -> None:
    """Remove an image from the engine's store."""
    _with_engine('"$(find_engine)" rmi "$1"', name)


def _with_engine(script: str, *arguments: str) -> str:
    command = ["bash", "-c", f". hack/container-engine.sh && {script}", "bash", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=_RUN_SECONDS
    )
    return done.stdout


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """What an archive holds."""

    name: str
    archive: Path
    config: Mapping[str, Any]
    """The whole configuration; what a container gets is its key `config`."""
    layers: tuple[str, ...]
    """Names of the layers in the archive, the base first."""

    @classmethod
    def read(cls, name: str, archive: Path) -> "Image":
        """Read the only image of an archive."""
        with tarfile.open(archive) as tar:
            (manifest,) = _json(tar, "manifest.json")
            config = _json(tar, manifest["Config"])
        return cls(name=name, archive=archive, config=config, layers=tuple(manifest["Layers"]))

    @property
    def digests(self) -> list[str]:
        """Digests of what the layers hold, uncompressed."""
        return list(self.config["rootfs"]["diff_ids"])

    def files(self) -> dict[str, tarfile.TarInfo]:
        """Return files and folders as a container sees them, by path without a leading slash."""
        seen: dict[str, tarfile.TarInfo] = {}
        with tarfile.open(self.archive) as tar:
            for layer in self.layers:
                for member in _members(tar, layer):
                    _lay(seen, member)
        return seen

    def contents(self, suffix: str) -> Iterator[tuple[str, bytes]]:
        """Yield path and contents of the files of the last layer that end in something."""
        with (
            tarfile.open(self.archive) as tar,
            tarfile.open(fileobj=tar.extractfile(self.layers[-1])) as layer,
        ):
            for member in layer:
                if member.isfile() and member.name.endswith(suffix):
                    file = layer.extractfile(member)
                    assert file is not None
                    yield member.name, file.read()

    def run(self, *arguments: str, entry_point: str = "") -> "subprocess.CompletedProcess[str]":
        """Run it as a pod would be, without a network."""
        chosen = [f"--entrypoint={entry_point}"] if entry_point else []
        return subprocess.run(
            [ROOT / "hack" / "run-image", *chosen, self.name, *arguments],
            capture_output=True,
            check=False,
            text=True,
            timeout=_RUN_SECONDS,
        )


def _json(tar: tarfile.TarFile, name: str) -> Any:
    file = tar.extractfile(name)
    assert file is not None
    return json.load(file)


def _members(tar: tarfile.TarFile, layer: str) -> Iterator[tarfile.TarInfo]:
    with tarfile.open(fileobj=tar.extractfile(layer)) as opened:
        yield from opened


def _lay(seen: dict[str, tarfile.TarInfo], member: tarfile.TarInfo) -> None:
    """Put a file of a layer over what is there; `.wh.NAME` stands for the removal of NAME."""
    path = posixpath.normpath(member.name)
    folder, name = posixpath.split(path)
    if not name.startswith(".wh."):
        seen[path] = member
        return
    gone = posixpath.join(folder, name.removeprefix(".wh."))
    for old in [key for key in seen if key == gone or key.startswith(f"{gone}/")]:
        del seen[old]
