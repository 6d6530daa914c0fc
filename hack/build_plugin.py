"""Builds the files of a release of the kubectl plugin into a folder: wheel, zipapp, krew's archive.

    python hack/build_plugin.py [--output dist] [--repository OWNER/NAME]

The zipapp holds the plugin with what it needs, as plain Python: compiled parts are left out, since
its libraries work without them. The libraries come from the environment that runs this, whose
packages are locked. Two builds of one commit are equal, byte by byte.
"""

import argparse
import gzip
import hashlib
import importlib.metadata
import io
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path, PurePath

ROOT = Path(__file__).parents[1]
PROGRAM = "kubectl-stackchain"
# krew wants the file to have the name of the plugin.
MANIFEST = "stackchain.yaml"
LIBRARIES = (
    "PyYAML",
    "aiohappyeyeballs",
    "aiohttp",
    "aiosignal",
    "attrs",
    "frozenlist",
    "idna",
    "multidict",
    "propcache",
    "typing-extensions",
    "yarl",
)
"""What the plugin's requirements come to, on every version of Python that it runs on."""

# Zip files know no earlier time.
_DATE = (1980, 1, 1, 0, 0, 0)
_KEPT = (
    ".py",
    ".html",
    ".js",
    ".css",
    ".svg",
    ".json",
    ".map",
    "METADATA",
    "entry_points.txt",
)
# Whoever passes the libraries on passes these on, whatever they are called.
_LICENSES = ("LICENSE", "LICENCE", "NOTICE", "COPYING")


def main() -> None:
    """Build all, and print what was built."""
    parser = argparse.ArgumentParser(description="Build the kubectl plugin for a release.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    parser.add_argument("--repository", default="OWNER/stackchain")
    wanted = parser.parse_args()
    output: Path = wanted.output
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(output, Path(folder))
        packed = pack(wheel, Path(folder) / "packed")
        zipapp = write_zipapp(packed, output / f"{PROGRAM}.pyz")
    archive = write_archive(zipapp, output / f"{PROGRAM}-{version()}.tar.gz")
    manifest = write_manifest(archive, output / MANIFEST, wanted.repository)
    for file in (wheel, zipapp, archive, manifest):
        print(f"{file} {file.stat().st_size}")


def version() -> str:
    """Return the version of the plugin's package."""
    text = (ROOT / "plugin/pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def build_wheel(output: Path, work: Path) -> Path:
    """Build the wheel, from a copy: setuptools leaves files next to the sources."""
    source = work / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("controller", "plugin"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    shutil.copy(ROOT / "LICENSE", source / "plugin")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", output, source / "plugin")
    return output / f"kubectl_stackchain-{version()}-py3-none-any.whl"


def pack(wheel: Path, folder: Path) -> Path:
    """Put the plugin and what it needs into a folder."""
    for name in LIBRARIES:
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or ():
            if _is_kept(file) and ".." not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(str(distribution.locate_file(file))), target)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)  # noqa: S202 - our own
    return folder


def write_zipapp(folder: Path, target: Path) -> Path:
    """Pack a folder as one program."""
    main = (ROOT / "plugin/zipapp_main.py").read_bytes()
    files = {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and _is_kept(file)
    }
    files["__main__.py"] = main
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name} {len(data)} ".encode() + data)
    files["digest"] = digest.hexdigest()[:32].encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    target.write_bytes(b"#!/usr/bin/env python3\n" + packed.getvalue())
    target.chmod(target.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return target


def _is_kept(file: PurePath) -> bool:
    is_license = "licenses" in file.parts or file.name.startswith(_LICENSES)
    return is_license or file.name.endswith(_KEPT)


def write_archive(zipapp: Path, target: Path) -> Path:
    """Write the archive that krew unpacks."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, file, mode in ((PROGRAM, zipapp, 0o755), ("LICENSE", ROOT / "LICENSE", 0o644)):
            entry, data = tarfile.TarInfo(name), file.read_bytes()
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    return target


def write_manifest(archive: Path, target: Path, repository: str) -> Path:
    """Write the manifest for krew."""
    template = (ROOT / "plugin/krew.yaml").read_text(encoding="utf-8")
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    filled = template.format(
        version=version(), repository=repository, archive=archive.name, sha256=sha256
    )
    target.write_text(filled, encoding="utf-8")
    return target


def _pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True)  # noqa: S603 - our own interpreter


if __name__ == "__main__":
    main()
