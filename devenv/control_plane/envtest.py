"""The official download of a control plane: an envtest archive, checked against its published hash.

The archive has etcd, kube-apiserver and kubectl, and no controller manager.
"""

import asyncio
import hashlib
import platform
import re
import sys
import tarfile
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import yaml

from devenv import tools
from devenv.control_plane.binaries import VERSION

INDEX_URL = (
    "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml"
)
_PROGRAMS = ("etcd", "kube-apiserver", "kubectl")
# A machine without a way out must not wait long before the next source is tried.
_TIMEOUT_SECONDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """One downloadable archive for this machine."""

    version: str
    url: str
    sha512: str


def this_platform() -> str:
    """Return operating system and processor as archive names spell them."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"


def choose(index_text: str, *, platform_name: str, version: str = VERSION) -> Archive | None:
    """Choose the newest release of the same minor version, or none if there is none.

    Args:
        index_text: The text of `envtest-releases.yaml`.
        platform_name: For example `linux-amd64`.
        version: The wanted version, for example `1.36.3`.
    """
    releases = (yaml.safe_load(index_text) or {}).get("releases") or {}
    minor = version.rpartition(".")[0]
    found = [
        (int(match[1]), name)
        for name in releases
        if (match := re.fullmatch(rf"v{re.escape(minor)}\.(\d+)", name))
    ]
    for _, name in sorted(found, reverse=True):
        entry = releases[name].get(f"envtest-{name}-{platform_name}.tar.gz")
        if entry:
            return Archive(version=name, url=entry["selfLink"], sha512=entry["hash"])
    return None


def check_hash(data: bytes, expected: str) -> None:
    """Compare the bytes with their published SHA-512.

    Raises:
        DevError: They differ.
    """
    actual = hashlib.sha512(data).hexdigest()
    if actual != expected.lower():
        raise tools.DevError(
            f"the downloaded archive has SHA-512 {actual[:16]}…, its index says {expected[:16]}…; "
            "nothing was unpacked, try again"
        )


def unpack(data: Path, folder: Path) -> None:
    """Write the programs of an archive into a folder; their paths inside do not matter."""
    with tarfile.open(data) as archive:
        for member in archive:
            name = Path(member.name).name
            source = archive.extractfile(member) if name in _PROGRAMS else None
            if source is not None:
                (folder / name).write_bytes(source.read())
                (folder / name).chmod(0o755)


async def download(folder: Path, say: tools.Say) -> bool:
    """Fill a folder with the programs; false where the download is not to be had.

    Raises:
        DevError: The archive is not what its index says.
    """
    return await asyncio.to_thread(_download, folder, say)


def _download(folder: Path, say: tools.Say) -> bool:
    try:
        index = _fetch(INDEX_URL).decode()
        archive = choose(index, platform_name=this_platform())
        if archive is None:
            say(f"  the envtest index has nothing for {this_platform()}")
            return False
        say(f"  downloading {archive.url}")
        data = _fetch(archive.url)
    except OSError as error:
        say(f"  not reachable: {error}")
        return False
    check_hash(data, archive.sha512)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        unpack(Path(file.name), folder)
    return True


def _fetch(url: str) -> bytes:
    if not url.startswith("https://"):
        raise tools.DevError(f"{url} is not an https address")
    with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - https
        body: bytes = response.read()
    return body
