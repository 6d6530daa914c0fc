"""What a release has for Headlamp and Argo CD: what their installers and loaders ask for."""

import io
import json
import re
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

from hack import build_embeds

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "ui/packages"


def files_of(archive: Path) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes()), mode="r:gz") as packed:
        found = {one.name: packed.extractfile(one) for one in packed.getmembers()}
        return {name: file.read() for name, file in found.items() if file is not None}


def test_the_headlamp_archive_is_a_folder_for_its_plugins(tmp_path: Path) -> None:
    """Headlamp looks for `main.js` and `package.json` in each folder."""
    files = files_of(build_embeds.pack_headlamp(tmp_path))

    assert set(files) == {"stackchain/main.js", "stackchain/package.json", "stackchain/LICENSE"}
    assert files["stackchain/main.js"] == (BUILT / "headlamp/main.js").read_bytes()


def test_headlamp_takes_the_plugin_for_compatible() -> None:
    """It loads no plugin whose manifest does not name a version of `headlamp-plugin`."""
    manifest = json.loads((BUILT / "headlamp/package.json").read_text(encoding="utf-8"))

    built_for = manifest["devDependencies"]["@kinvolk/headlamp-plugin"]
    assert tuple(map(int, built_for.split("."))) >= (0, 8, 0)
    assert manifest["name"] == "stackchain"


def test_the_argocd_archive_is_what_its_installer_copies(tmp_path: Path) -> None:
    """The installer copies `resources/*`; argocd-server serves `extension*.js`."""
    files = files_of(build_embeds.pack_argocd(tmp_path))

    script, license_ = sorted(files, reverse=True)
    assert re.fullmatch(r"resources/stackchain/extension(.*)\.js", script)
    assert license_ == "resources/stackchain/LICENSE"
    # A ConfigMap takes 1 MiB.
    assert len(files[script]) < 200_000


@pytest.mark.parametrize("path", ["headlamp/main.js", "argocd/extension-stackchain.js"])
def test_a_script_carries_the_license_of_what_it_holds(path: str) -> None:
    script = (BUILT / path).read_text(encoding="utf-8")

    license_ = (ROOT / "ui/public/LICENSE-lit.txt").read_text(encoding="utf-8")
    assert license_.strip() in script


@pytest.mark.parametrize("path", ["headlamp/main.js", "argocd/extension-stackchain.js"])
def test_a_script_brings_no_react_and_takes_text_for_what_it_is(path: str) -> None:
    script = (BUILT / path).read_text(encoding="utf-8")

    for word in ("react.element", "dangerouslySetInnerHTML", "fetch(", "XMLHttpRequest", "eval("):
        assert word not in script


def test_packages_have_the_version_of_the_release() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert build_embeds.version() == project["version"]


def test_packages_are_for_the_group_and_the_kind_of_the_definition() -> None:
    definition = yaml.safe_load((ROOT / "crds/stackchains.stackchain.dev.yaml").read_text())
    source = (ROOT / "ui/src/embed/graph-view.ts").read_text(encoding="utf-8")

    spec = definition["spec"]
    assert f'GROUP = "{spec["group"]}"' in source
    assert f'KIND = "{spec["names"]["kind"]}"' in source


def test_two_builds_are_equal(tmp_path: Path) -> None:
    for pack in (build_embeds.pack_headlamp, build_embeds.pack_argocd):
        first = pack(tmp_path).read_bytes()

        assert pack(tmp_path).read_bytes() == first


def test_packages_are_released_with_their_provenance() -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/release.yaml").read_text())
    runs = [step.get("run", "") for step in release["jobs"]["chart"]["steps"]]

    assert any('make embeds ARGS="--output plugin-files"' in run for run in runs)
