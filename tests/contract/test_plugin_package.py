"""The kubectl plugin as a separate package: small, quick to start, with all that it needs."""

import ast
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.config import shell_settings
from controller.plugin import arguments
from hack import build_plugin
from plugin import zipapp_main

ROOT = Path(__file__).parents[2]
MOST_BYTES = 30_000_000
COMMANDS = [command.name for command in arguments.COMMANDS]
LICENSE = re.compile(r"(licen[sc]es?/|/(LICEN[SC]E|NOTICE|COPYING)[^/]*$)")
# Together with what these load they took most of the time of a call.
HEAVY = {"aiohttp", "cryptography", "kubernetes", "pydantic", "pydantic_core", "requests", "attr"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugin-wheel")
    return build_plugin.build_wheel(folder, folder)


@pytest.fixture(scope="module")
def packed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_plugin.pack(wheel, tmp_path_factory.mktemp("plugin-packed"))


@pytest.fixture(scope="module")
def zipapp(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_plugin.write_zipapp(packed, tmp_path_factory.mktemp("zipapp") / "kubectl-x.pyz")


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment with the plugin and its libraries alone."""
    folder = tmp_path_factory.mktemp("plugin-installed")
    venv.create(folder, symlinks=True, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in build_plugin.LIBRARIES:
        link(importlib.metadata.distribution(name), packages)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    pip += ["--python", str(folder / "bin/python")]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    # What the package and its libraries say that they need is there.
    subprocess.run([*pip, "check"], check=True)
    return folder / "bin"


def link(distribution: importlib.metadata.Distribution, packages: Path) -> None:
    tops = {file.parts[0] for file in distribution.files or () if ".." not in file.parts}
    for top in tops - {"__pycache__"}:
        (packages / top).symlink_to(Path(str(distribution.locate_file(top))))


def run(*words: str | Path, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=home,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), **variables},
        check=False,
        capture_output=True,
        text=True,
    )


def project(path: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / path).read_text(encoding="utf-8"))["project"]
    return found


def test_it_has_the_version_and_the_bounds_of_the_whole() -> None:
    whole, plugin = project("pyproject.toml"), project("plugin/pyproject.toml")

    assert plugin["version"] == whole["version"]
    assert plugin["requires-python"] == whole["requires-python"]
    assert set(plugin["dependencies"]) <= set(whole["dependencies"])
    assert plugin["scripts"].items() <= whole["scripts"].items()


def test_it_takes_less_than_thirty_megabytes(wheel: Path) -> None:
    """With what Python compiles of it at the first start, as large again as the sources."""
    files = [
        Path(str(distribution.locate_file(file)))
        for distribution in map(importlib.metadata.distribution, build_plugin.LIBRARIES)
        for file in distribution.files or ()
    ]
    sizes = [file.stat().st_size * (2 if file.suffix == ".py" else 1) for file in files]
    with zipfile.ZipFile(wheel) as archive:
        own = sum(2 * info.file_size for info in archive.infolist())

    assert own + sum(sizes) < MOST_BYTES


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_there(command: str, scripts: Path, tmp_path: Path) -> None:
    done = run(scripts / "kubectl-stackchain", command, "--help", home=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: kubectl stackchain {command}")


def test_all_modules_that_its_commands_load_are_in_the_package(
    scripts: Path, tmp_path: Path
) -> None:
    loaded = ("cli", "commands", "completion", "page_command", "program", "user_requests")
    program = f"import {', '.join(f'controller.plugin.{name}' for name in loaded)}"

    done = run(scripts / "python", "-c", program, home=tmp_path)

    assert done.returncode == 0, done.stderr


def test_the_page_is_in_the_package(wheel: Path) -> None:
    built = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "controller/ui/bundle").rglob("*")
        if file.is_file()
    }

    assert built
    assert built <= set(zipfile.ZipFile(wheel).namelist())


def test_a_second_build_of_a_clone_has_no_file_whose_source_is_gone(
    wheel: Path, tmp_path: Path
) -> None:
    """Each build of the page has scripts of other names."""
    source = wheel.parent / "source/plugin"
    left = source / "build/lib/controller/ui/bundle/assets/page-older.js"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.touch()
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]

    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, source],
        check=True,
    )

    (again,) = tmp_path.glob("*.whl")
    assert set(zipfile.ZipFile(again).namelist()) == set(zipfile.ZipFile(wheel).namelist())


def test_a_call_loads_nothing_that_is_slow(scripts: Path, tmp_path: Path) -> None:
    """Each has taken a good part of the quarter of a second of processor time that a call may."""
    kubeconfig = write_kubeconfig(tmp_path)
    program = (
        "import json, sys\nfrom controller.plugin import program\n"
        f"code = program.run(['tree', 'x', '--kubeconfig', {str(kubeconfig)!r}])\n"
        "print(json.dumps([code, sorted(sys.modules)]))"
    )

    done = run(scripts / "python", "-c", program, home=tmp_path)

    code, modules = json.loads(done.stdout)
    assert code == 4, done.stderr
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    assert len(modules) < 400


def write_kubeconfig(folder: Path) -> Path:
    """Return a kubeconfig whose server refuses all connections."""
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c"}}],
        "current-context": "x",
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(document))
    return folder / "kubeconfig"


# The zipapp


def test_the_zipapp_needs_python_alone(zipapp: Path, tmp_path: Path) -> None:
    kubeconfig = write_kubeconfig(tmp_path)
    bare = Path(sys.executable).resolve()

    version = run(bare, "-I", zipapp, "version", home=tmp_path)
    refused = run(
        bare, "-I", zipapp, "ui", "--no-browser", home=tmp_path, KUBECONFIG=str(kubeconfig)
    )

    assert version.stdout == f"kubectl stackchain {build_plugin.version()}\n", version.stderr
    assert "the API server does not answer" in refused.stderr
    assert not [name for name in zipfile.ZipFile(zipapp).namelist() if name.endswith(".so")]


def test_the_zipapp_has_the_licenses_of_all_that_it_holds(zipapp: Path) -> None:
    held = zipfile.ZipFile(zipapp).namelist()
    own = f"kubectl_stackchain-{build_plugin.version()}.dist-info/licenses/LICENSE"

    for name in build_plugin.LIBRARIES:
        files = importlib.metadata.distribution(name).files or ()
        licenses = [str(file) for file in files if LICENSE.search(str(file))]
        assert licenses, name
        assert set(licenses) <= set(held)
    # Of what the page's script holds.
    assert {own, "controller/ui/bundle/LICENSE-lit.txt"} <= set(held)


def test_an_older_python_is_told_so_in_one_line(zipapp: Path, tmp_path: Path) -> None:
    program = (
        "import runpy, sys\nsys.version_info = (3, 10, 4, 'final', 0)\n"
        f"runpy.run_path({str(zipapp)!r}, run_name='__main__')"
    )

    done = run(Path(sys.executable).resolve(), "-I", "-c", program, home=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("kubectl stackchain: it needs Python 3.11 or newer, and python3 ")
    assert done.stderr.count("\n") == 1
    assert "is 3.10 (" in done.stderr


def test_the_zipapp_names_the_oldest_python_of_the_package() -> None:
    oldest = ".".join(map(str, zipapp_main._OLDEST))

    assert project("plugin/pyproject.toml")["requires-python"] == f">={oldest}"


def test_an_older_python_can_read_what_says_that_it_is_too_old() -> None:
    text = (ROOT / "plugin/zipapp_main.py").read_text(encoding="utf-8")

    ast.parse(text, feature_version=(3, 6))


def test_the_zipapp_under_the_other_name_completes(zipapp: Path, tmp_path: Path) -> None:
    other = tmp_path / "kubectl_complete-stackchain"
    other.symlink_to(zipapp)

    done = run(Path(sys.executable).resolve(), "-I", other, "tre", home=tmp_path)

    assert done.stdout.startswith("tree\t"), done.stderr


def test_the_zipapp_is_unpacked_once_and_removes_what_is_older(
    zipapp: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept" / "older").mkdir(parents=True)

    first = zipapp_main.unpack(zipapp, tmp_path / "kept")
    (first / "mark").touch()
    second = zipapp_main.unpack(zipapp, tmp_path / "kept")

    assert first == second
    assert (second / "mark").exists()
    assert list((tmp_path / "kept").iterdir()) == [first]


@pytest.mark.parametrize("harm", ["a folder is gone", "a file is gone", "a file is cut"])
def test_what_a_cleaner_removed_is_unpacked_again(harm: str, zipapp: Path, tmp_path: Path) -> None:
    unpacked = zipapp_main.unpack(zipapp, tmp_path / "kept")
    harmed = unpacked / "controller/plugin/program.py"
    whole = harmed.read_bytes()
    if harm == "a folder is gone":
        shutil.rmtree(unpacked / "controller")
    elif harm == "a file is gone":
        harmed.unlink()
    else:
        harmed.write_bytes(b"")

    again = zipapp_main.unpack(zipapp, tmp_path / "kept")

    assert again == unpacked
    assert harmed.read_bytes() == whole
    assert list((tmp_path / "kept").iterdir()) == [again]


@pytest.mark.parametrize("named", ["", "there", "/there"])
def test_the_zipapp_unpacks_itself_where_the_plugin_keeps_the_rest(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", named)

    assert zipapp_main.cache_folder() == shell_settings.load_plugin_settings().cache_folder


def test_without_a_place_for_it_the_zipapp_runs_packed(zipapp: Path, tmp_path: Path) -> None:
    (tmp_path / ".cache").write_text("a file")

    done = run(Path(sys.executable).resolve(), "-I", zipapp, "version", home=tmp_path)

    assert done.stdout.startswith("kubectl stackchain "), done.stderr


def test_two_builds_are_equal(packed: Path, zipapp: Path, tmp_path: Path) -> None:
    again = build_plugin.write_zipapp(packed, tmp_path / "again.pyz")
    archives = [
        build_plugin.write_archive(file, tmp_path / f"{number}.tar.gz").read_bytes()
        for number, file in enumerate((zipapp, again))
    ]

    assert again.read_bytes() == zipapp.read_bytes()
    assert archives[0] == archives[1]
    assert os.access(zipapp, os.X_OK)


# krew


def test_the_manifest_for_krew_is_of_the_archive(zipapp: Path, tmp_path: Path) -> None:
    archive = build_plugin.write_archive(zipapp, tmp_path / "kubectl-stackchain-1.tar.gz")
    manifest = build_plugin.write_manifest(archive, tmp_path / build_plugin.MANIFEST, "owner/name")

    found = yaml.safe_load(manifest.read_text(encoding="utf-8"))

    assert (found["kind"], found["metadata"]["name"]) == ("Plugin", "stackchain")
    assert manifest.stem == found["metadata"]["name"]
    assert found["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2"
    spec, version = found["spec"], build_plugin.version()
    assert spec["version"] == f"v{version}"
    assert len(spec["shortDescription"]) <= 60
    (platform,) = spec["platforms"]
    base = f"https://github.com/owner/name/releases/download/v{version}"
    assert platform["uri"] == f"{base}/kubectl-stackchain-1.tar.gz"
    assert platform["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    with tarfile.open(archive) as opened:
        modes = {member.name: member.mode for member in opened}
    assert {file["from"] for file in platform["files"]} == set(modes)
    assert modes[platform["bin"]] == 0o755
