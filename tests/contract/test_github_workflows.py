"""The workflow files for GitHub, which run nowhere else: by actionlint, and by rules of ours."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[Any, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


@each_workflow
def test_actions_are_pinned_to_a_commit_with_the_version_beside_it(path: Path) -> None:
    uses = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    unpinned = [use for use in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", use)]

    assert uses
    assert unpinned == []


@each_workflow
def test_a_job_has_the_rights_it_names_and_no_others(path: Path) -> None:
    workflow = read(path)

    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"], name
        assert job["timeout-minutes"], name


@each_workflow
def test_a_clone_keeps_no_credentials_for_the_steps_after_it(path: Path) -> None:
    steps = [step for job in read(path)["jobs"].values() for step in job["steps"]]
    clones = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]

    assert clones
    assert all(step["with"]["persist-credentials"] is False for step in clones)


def test_what_is_released_is_signed_and_has_its_provenance() -> None:
    """The image and the chart, each by the digest that was pushed."""
    jobs = read(ROOT / ".github" / "workflows" / "release.yaml")["jobs"]

    assert list(jobs) == ["image", "chart"]
    for name, job in jobs.items():
        text = "\n".join(step.get("run", "") for step in job["steps"])
        attests = [s for s in job["steps"] if s.get("uses", "").startswith("actions/attest@")]
        (attest,) = [step for step in attests if "subject-path" not in step["with"]]
        assert "cosign sign --yes" in text, name
        assert attest["with"]["subject-digest"]
        assert attest["with"]["push-to-registry"] is True
        for right in ("attestations", "id-token", "packages"):
            assert job["permissions"][right] == "write", name


def test_all_files_of_the_plugin_are_released_with_their_provenance() -> None:
    steps = read(ROOT / ".github" / "workflows" / "release.yaml")["jobs"]["chart"]["steps"]
    runs = [step.get("run", "") for step in steps]
    paths = [
        step["with"]["subject-path"] for step in steps if "subject-path" in step.get("with", {})
    ]

    assert any("make plugin" in run and "plugin-files" in run for run in runs)
    assert paths == ["plugin-files/*"]
    assert any("gh release create" in run and "plugin-files/*" in run for run in runs)


def test_actionlint_finds_nothing() -> None:
    if not (shutil.which("actionlint") or shutil.which("go")):
        pytest.skip("neither actionlint nor Go to build it with is installed")
    tool = subprocess.run(
        [ROOT / "hack" / "go-tool", "actionlint", ACTIONLINT],
        capture_output=True,
        check=False,
        text=True,
    )
    assert tool.returncode == 0, tool.stderr

    done = subprocess.run(
        [tool.stdout.strip()], cwd=ROOT, capture_output=True, check=False, text=True
    )

    assert done.returncode == 0, done.stdout
