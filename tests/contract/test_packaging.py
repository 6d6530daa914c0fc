"""The wheel is the product alone, and needs no more than the locked runtime requirements."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROLES = ("operator", "worker", "webhook", "ui", "check")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as the image builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    # From a copy without earlier builds: setuptools adds what an earlier one left in `build`. All
    # other packages of the clone are there, so that none stays out for want of its source.
    ignored = shutil.ignore_patterns(
        ".*", "build", "dist", "*.egg-info", "__pycache__", "node_modules"
    )
    shutil.copytree(ROOT, folder / "source", ignore=ignored)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, folder / "source")
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment with the wheel and its requirements alone."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name, version in locked().items():
        link(name, version, packages)
    python = folder / "bin/python"
    pip("--python", python, "install", "--no-deps", "--no-index", wheel)
    # What the package says that it needs is there, in versions that it accepts.
    pip("--python", python, "check")
    return folder / "bin"


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True)


def locked() -> dict[str, str]:
    """Return the runtime requirements with their versions."""
    text = (ROOT / "requirements/runtime.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def link(name: str, version: str, packages: Path) -> None:
    """Put an installed distribution into another environment, without a download."""
    distribution = importlib.metadata.distribution(name)
    assert distribution.version == version, f"{name}: .venv is out of date"
    tops = {file.parts[0] for file in distribution.files or () if ".." not in file.parts}
    for top in tops - {"__pycache__"}:
        (packages / top).symlink_to(Path(str(distribution.locate_file(top))))


def run(command: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder and an environment that know nothing of this clone."""
    return subprocess.run(
        [command, *arguments],
        cwd=command.parent,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
        capture_output=True,
        text=True,
    )


def test_page_is_in_the_wheel(wheel: Path) -> None:
    """No user needs Node.js."""
    built = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "controller/ui/bundle").rglob("*")
        if file.is_file()
    }

    assert built
    assert built <= set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_the_product_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert {name.split("/")[0] for name in names} == {"controller", "stackchain-0.1.0.dist-info"}
    assert not [name for name in names if "devenv" in name or "simulator" in name]


def test_the_wheel_holds_all_modules_of_the_product(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("controller/")}

    modules = {str(file.relative_to(ROOT)) for file in (ROOT / "controller").rglob("*.py")}
    assert modules <= packed


def test_nothing_of_a_developer_can_be_imported_where_the_wheel_is_installed(scripts: Path) -> None:
    names = ("controller", "devenv", "tests", "graphql", "pytest")
    program = f"from importlib.util import find_spec; print([n for n in {names} if find_spec(n)])"

    assert run(scripts / "python", "-c", program).stdout == "['controller']\n"


@pytest.mark.parametrize("arguments", [(), *((name,) for name in ROLES)])
def test_each_role_says_how_it_is_used(scripts: Path, arguments: tuple[str, ...]) -> None:
    done = run(scripts / "stackchain", *arguments, "--help")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(" ".join(("usage: stackchain", *arguments)))


def test_a_role_without_settings_names_what_it_needs(scripts: Path) -> None:
    done = run(scripts / "stackchain", "operator")

    assert (done.returncode, done.stdout) == (2, "")
    assert "SPACELIFT_CONNECTIONS_FILE" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_plugin_says_how_it_is_used(scripts: Path) -> None:
    done = run(scripts / "kubectl-stackchain", "--help")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: kubectl")


def test_the_plugin_completes_arguments(scripts: Path) -> None:
    done = run(scripts / "kubectl_complete-stackchain", "")

    assert done.returncode == 0, done.stderr
    assert "plan" in done.stdout


@pytest.mark.parametrize(
    ("engine", "image", "known_as"),
    [
        ("docker", "stackchain:1", "stackchain:1"),
        ("podman", "stackchain:1", "localhost/stackchain:1"),
        ("buildah", "team/stackchain:1", "localhost/team/stackchain:1"),
        ("podman", "localhost/stackchain:1", "localhost/stackchain:1"),
        ("podman", "registry.example.com/stackchain:1", "registry.example.com/stackchain:1"),
        ("buildah", "registry:5000/stackchain:1", "registry:5000/stackchain:1"),
    ],
)
def test_an_image_is_named_as_its_engine_knows_it(engine: str, image: str, known_as: str) -> None:
    script = '. hack/container-engine.sh && real_name "$@"'

    done = subprocess.run(
        ["bash", "-c", script, "bash", engine, image],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )

    assert done.stdout.strip() == known_as
