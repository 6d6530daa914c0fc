"""What contributors get works: the hooks of .pre-commit-config.yaml run, and find faults."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for repo in CONFIG["repos"] for hook in repo["hooks"]
}
# Whole runs that `make lint`, `types` and `layers` make anyway.
SLOW = {"mypy": "types", "layers": "layers"}


def tracked_files(suffix: str = "") -> list[str]:
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "-z",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = (name for name in listed.split("\0") if name.endswith(suffix))
    return sorted(name for name in names if name and (ROOT / name).is_file())


def run(hook: dict[str, Any], *files: str) -> subprocess.CompletedProcess[str]:
    program, *words = shlex.split(hook["entry"])
    # The tests' own environment, wherever it is.
    here = Path(sys.executable).parent / Path(program).name
    program = str(here) if program.startswith(".venv/bin/") else program
    return subprocess.run(
        [program, *words, *files], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_no_hook_needs_the_network() -> None:
    assert {repo["repo"] for repo in CONFIG["repos"]} == {"local"}
    assert {hook["language"] for hook in HOOKS.values()} == {"system"}


@pytest.mark.parametrize("name", sorted(HOOKS.keys() - SLOW.keys()))
def test_a_hook_accepts_the_files_of_the_repository(name: str) -> None:
    hook = HOOKS[name]
    suffix = ".py" if name.startswith("ruff") else ""
    files = tracked_files(suffix) if hook.get("pass_filenames", True) else []

    ended = run(hook, *files)

    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


@pytest.mark.parametrize(("name", "target"), SLOW.items())
def test_a_slow_hook_is_what_make_runs(name: str, target: str) -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split(f"\n{target}: ")[1]

    command = HOOKS[name]["entry"].replace(".venv/bin", "$(BIN)")
    assert recipe.split("\n")[1] == f"\t{command}"
    assert (Path(sys.executable).parent / Path(HOOKS[name]["entry"]).name).is_file()


FAULTS = {
    "whitespace": ("a.md", "a \n", "a.md:1: whitespace at the end of the line"),
    "no newline": ("a.md", "a", "must end with exactly one newline"),
    "empty lines at the end": ("a.md", "a\n\n", "must end with exactly one newline"),
    "not YAML": ("a.yaml", "a: [\n", "while parsing a flow node"),
    "not TOML": ("a.toml", "a =\n", "Invalid value"),
    "a private key": (
        "a.pem",
        "-----BEGIN " + "PRIVATE KEY-----\n" + "A" * 64 + "\n",
        "holds a private key",
    ),
}


@pytest.mark.parametrize(("name", "text", "problem"), FAULTS.values(), ids=FAULTS.keys())
def test_faults_of_a_file_are_found(name: str, text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    ended = run(HOOKS["files"], str(tmp_path / name))

    assert ended.returncode == 1
    assert problem in ended.stdout
