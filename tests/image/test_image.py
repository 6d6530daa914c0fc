"""What is in the image, how it runs, and that the same input gives the same image."""

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests.support import images

RUNTIME = images.ROOT / "requirements" / "runtime.txt"
VERSION = re.search(
    r'^version = "(.+)"', (images.ROOT / "pyproject.toml").read_text(), re.MULTILINE
)

# What builds or fetches programs, wherever it may come from.
TOOLS = {
    "cc",
    "gcc",
    "g++",
    "clang",
    "make",
    "ld",
    "as",
    "rustc",
    "cargo",
    "go",
    "pip",
    "pip3",
    "uv",
}


def locked() -> dict[str, str]:
    """Versions of the locked runtime dependencies by name."""
    pins = re.findall(r"^([\w.-]+)==(\S+)", RUNTIME.read_text(encoding="utf-8"), re.MULTILINE)
    return {normalized(name): version for name, version in pins}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_it_starts_stackchain_as_a_numeric_user_who_is_not_root(image: images.Image) -> None:
    config = image.config["config"]

    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["stackchain"]
    assert not config.get("Cmd")
    assert set(config["ExposedPorts"]) == {"8080/tcp", "8090/tcp"}


def test_its_labels_tell_what_it_is_and_what_it_was_made_of(image: images.Image) -> None:
    labels = image.config["config"]["Labels"]
    told = {key.removeprefix("org.opencontainers.image."): value for key, value in labels.items()}

    assert VERSION is not None
    assert told["title"] == "stackchain"
    assert told["licenses"] == "Apache-2.0"
    assert told["version"] == VERSION[1]
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", told["revision"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["created"])


def test_help_is_shown_with_a_read_only_root_and_no_rights(image: images.Image) -> None:
    done = image.run("--help")

    assert done.returncode == 0, done.stderr
    assert "Runs Spacelift stacks in the order of their dependencies." in done.stdout


def test_check_says_in_sentences_what_is_missing(image: images.Image) -> None:
    done = image.run("check")

    assert done.returncode == 1
    assert "PROBLEM  Temporal: Temporal at temporal:7233 is not reachable" in done.stdout
    assert "PROBLEM  Spacelift connections: there are none; set" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_nothing_can_be_written_but_what_a_volume_gives(image: images.Image) -> None:
    done = image.run("-c", "id -u; touch /opt/stackchain/x /tmp/x /x", entry_point="sh")

    assert done.stdout.strip() == "65532"
    assert done.stderr.count("Read-only file system") == 3


def test_it_has_the_locked_runtime_dependencies_and_nothing_else(image: images.Image) -> None:
    program = (
        "import importlib.metadata as m, json; "
        "print(json.dumps({d.name: d.version for d in m.distributions()}))"
    )
    done = image.run("-c", program, entry_point="python3")
    installed = {normalized(name): version for name, version in json.loads(done.stdout).items()}

    assert installed.pop("stackchain")
    assert installed == locked()


def test_no_compiler_installer_or_cache_is_left(image: images.Image) -> None:
    files = image.files()
    programs = {Path(path).name for path in files if Path(path).parent.name in {"bin", "sbin"}}

    assert not programs & TOOLS
    assert not [path for path in files if "/.cache/" in path or path.startswith("build/")]
    assert not [
        path
        for path in files
        if re.match(r"(tools|root|tmp|var/tmp)/", path)
        and files[path].isfile()
        and not re.match(r"root/\.(bashrc|profile)$", path)
    ]
    assert not [
        path
        for path in files
        if re.match(r"var/(lib/apt/lists|cache/apt)/.", path) and files[path].isfile()
    ]


def test_nobody_becomes_another_user_by_a_program_of_the_image(image: images.Image) -> None:
    raised = [
        path
        for path, member in image.files().items()
        if member.isfile() and member.mode & (stat.S_ISUID | stat.S_ISGID)
    ]

    assert raised == []


def test_bytecode_is_there_and_depends_on_no_file_time(image: images.Image) -> None:
    # PEP 552: the second word is 0 for a time stamp and 1 for a hash that is not checked.
    flags = [contents[4:8] for _, contents in image.contents(".pyc")]

    assert len(flags) > 1000
    assert set(flags) == {b"\x01\x00\x00\x00"}


def test_the_bill_of_materials_has_what_is_installed(image: images.Image, tmp_path: Path) -> None:
    file = tmp_path / "sbom.spdx.json"

    subprocess.run([images.ROOT / "hack" / "sbom", image.archive, file], check=True)
    packages = json.loads(file.read_text())["packages"]
    # A name may be there twice: tzdata is a package of Debian and of Python.
    listed = {(normalized(package["name"]), package.get("versionInfo")) for package in packages}

    assert locked().items() <= listed
    assert {"stackchain", "libc6"} <= {name for name, _ in listed}


@pytest.mark.timeout(1200)
def test_the_same_input_gives_the_same_layers(image: images.Image, tmp_path: Path) -> None:
    if images.engine() == "docker":
        pytest.skip("a plain `docker build` leaves its own time in folders: see docs/image.md")

    again = images.build("localhost/stackchain:again", tmp_path / "again.tar", "--no-cache")
    images.remove(again.name)

    assert again.digests == image.digests
    assert again.config["config"] == image.config["config"]
    assert again.config["created"] == image.config["created"]
