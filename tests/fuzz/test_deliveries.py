"""The fuzzer for a few seconds; `make fuzz` lets it run for longer."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNS = 20_000
HAS_FUZZER = (
    sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 14)
)


def fuzz(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.deliveries", f"-artifact_prefix={folder}/", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not HAS_FUZZER, reason="atheris comes for Linux on x86_64 up to Python 3.13")
def test_no_bytes_that_the_fuzzer_finds_break_signature_or_payload(tmp_path: Path) -> None:
    # The same bytes in each run; `make fuzz` draws others.
    fixed = ["-seed=1", f"-runs={RUNS}", "-max_total_time=20", "-max_len=4096"]

    done = fuzz(tmp_path, *fixed)

    assert done.returncode == 0, done.stderr[-4000:]
    assert "DONE" in done.stderr
    assert list(tmp_path.iterdir()) == []
