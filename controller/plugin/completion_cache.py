"""What the cluster answered to a completion, kept for seconds: people press Tab again and again.

A file for each question, readable by its user alone. What cannot be kept is asked again.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from controller import clock

SECONDS = 10.0
"""How long an answer is valid."""
_SUFFIX = ".json"


def answer(folder: Path, question: Sequence[str], ask: Callable[[], list[str] | None]) -> list[str]:
    """Return the known answer, or ask now.

    Args:
        folder: where answers are kept.
        question: what was asked, of whom and as whom.
        ask: asks; None means no answer, and is not kept.
    """
    digest = hashlib.sha256(json.dumps(question).encode()).hexdigest()[:32]
    file = folder / f"{digest}{_SUFFIX}"
    known = _read(file)
    if known is not None:
        return known
    found = ask()
    if found is not None:
        with contextlib.suppress(OSError):
            _write(file, found)
    return found or []


def _read(file: Path) -> list[str] | None:
    try:
        age = clock.unix() - file.stat().st_mtime
        kept = json.loads(file.read_bytes()) if 0 <= age < SECONDS else None
    except (OSError, ValueError):
        return None
    is_list = isinstance(kept, list) and all(isinstance(item, str) for item in kept)
    return kept if is_list else None


def _write(file: Path, found: list[str]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Old answers are of no use, and there is one for each chain that was ever completed.
    for other in file.parent.glob(f"*{_SUFFIX}"):
        if clock.unix() - other.stat().st_mtime >= SECONDS:
            other.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(handle, "w") as written:
        json.dump(found, written)
    # Whole or not at all: another shell may be completing, too.
    Path(name).replace(file)
