"""What a person reads before and while the control plane is compiled."""

from pathlib import Path

import pytest

from devenv import tools
from devenv.control_plane import build

# Stands for Go: it answers what is asked, and compiles nothing.
GO = """#!/bin/sh
case "$1" in
  env) echo "{version}" ;;
  list) {listing} ;;
  build) echo compiled > "$6" ;;
esac
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "go"
    program.parent.mkdir()
    monkeypatch.setattr(tools, "find_program", lambda _name, **_: program)
    return program


def write(go: Path, *, version: str = "go1.26.8", listing: str = "echo package a") -> None:
    go.write_text(GO.format(version=version, listing=listing))
    go.chmod(0o755)


async def test_an_old_go_is_noticed_before_anything_is_fetched(go: Path, tmp_path: Path) -> None:
    write(go, version="go1.22.4", listing="exit 3")
    said: list[str] = []

    with pytest.raises(tools.DevError, match=r"go1\.22\.4, which is too old: install Go 1\.26"):
        await build.build(tmp_path, said.append)

    assert not any("compiling" in line for line in said)


async def test_a_module_proxy_that_cannot_be_reached_is_named(go: Path, tmp_path: Path) -> None:
    write(go, listing="echo 'dial tcp: connection refused' >&2; exit 1")

    with pytest.raises(tools.DevError, match="connection refused") as failure:
        await build.build(tmp_path, lambda _: None)

    assert str(failure.value).splitlines()[-1].startswith("if no connection was made, the module")


async def test_how_many_packages_there_are_is_said_before_the_wait(
    go: Path, tmp_path: Path
) -> None:
    write(go, listing="echo 'go: downloading x'; echo package a; echo package b")
    said: list[str] = []

    await build.build(tmp_path, said.append)

    assert any("compiling 2 packages" in line for line in said)
    assert (tmp_path / build.PROGRAM).read_text() == "compiled\n"


@pytest.mark.parametrize(
    ("version", "expected"),
    [("go1.26", True), ("go1.26.8", True), ("go2.0", True), ("go1.9", False), ("devel", False)],
)
def test_versions_of_go_are_compared_as_numbers(version: str, expected: bool) -> None:
    assert build.is_new_enough(version) is expected


def test_the_least_version_is_that_of_the_module() -> None:
    text = build._source("go.mod").decode()

    assert "go {}.{}".format(*build._LEAST_GO) in text
