"""Packs the graph for Headlamp and Argo CD as a release has it, into a folder.

    python hack/build_embeds.py [--output dist]

The scripts are checked in (`make ui` builds them), so that this needs no Node.js. Each archive has
the folders that the host's own installers look for. Two builds of one commit are equal, byte by
byte.
"""

import argparse
import gzip
import io
import json
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILT = ROOT / "ui/packages"


def main() -> None:
    """Pack both, and print what was packed."""
    parser = argparse.ArgumentParser(description="Pack the graph for Headlamp and Argo CD.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    output: Path = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    for archive in (pack_headlamp(output), pack_argocd(output)):
        print(f"{archive} {archive.stat().st_size}")


def version() -> str:
    """Return the version of the packages."""
    manifest = (BUILT / "headlamp/package.json").read_text(encoding="utf-8")
    return str(json.loads(manifest)["version"])


def pack_headlamp(output: Path) -> Path:
    """Pack a folder for Headlamp's folder of plugins."""
    files = {
        f"stackchain/{name}": BUILT / "headlamp" / name for name in ("main.js", "package.json")
    }
    return _write(
        output / f"stackchain-headlamp-{version()}.tar.gz",
        files | {"stackchain/LICENSE": ROOT / "LICENSE"},
    )


def pack_argocd(output: Path) -> Path:
    """Pack a folder for `/tmp/extensions` of argocd-server."""
    script = BUILT / "argocd/extension-stackchain.js"
    files = {f"resources/stackchain/{script.name}": script}
    return _write(
        output / f"stackchain-argocd-{version()}.tar.gz",
        files | {"resources/stackchain/LICENSE": ROOT / "LICENSE"},
    )


def _write(target: Path, files: dict[str, Path]) -> Path:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, file in sorted(files.items()):
            entry, data = tarfile.TarInfo(name), file.read_bytes()
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    return target


if __name__ == "__main__":
    main()
