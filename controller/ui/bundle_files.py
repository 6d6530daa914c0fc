"""The files of the page, as `make ui` builds them into this package: no user needs Node.js."""

import dataclasses
import gzip
from importlib import resources

_TYPES = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class BundleFile:
    """A file ready to be sent; the name of one that is `is_hashed` changes with its content."""

    content: bytes
    compressed: bytes
    content_type: str
    is_hashed: bool


def load() -> dict[str, BundleFile]:
    """Return the files by their paths below the page's own."""
    root = resources.files("controller.ui") / "bundle"
    found = {entry.name: entry for entry in root.iterdir() if entry.is_file()}
    for entry in (root / "assets").iterdir():
        found[f"assets/{entry.name}"] = entry
    return {
        path: _file(path, entry.read_bytes())
        for path, entry in found.items()
        if path.rpartition(".")[2] in _TYPES
    }


def _file(path: str, content: bytes) -> BundleFile:
    return BundleFile(
        content=content,
        compressed=gzip.compress(content, mtime=0),
        content_type=_TYPES[path.rpartition(".")[2]],
        is_hashed=path.startswith("assets/"),
    )
