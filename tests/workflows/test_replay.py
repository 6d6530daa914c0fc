"""Today's workflow code still fits chains that were started by the code of the recordings.

If it does not, running chains would get stuck at an upgrade. Before version 0.1.0 there are none:
record all histories again. Afterwards keep the old sequence of commands behind `workflow.patched`,
and record new histories next to the old ones. See ADR 0020.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import temporalio.worker
from temporalio.client import WorkflowHistory

from controller.temporal import worker
from tests.workflows import harness, record

# Today's recordings, and those of each release in separate folders.
RECORDINGS = sorted(record.FOLDER.rglob("*.json"))
CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: str(path.relative_to(record.FOLDER)))
@pytest.mark.parametrize("runner", [worker.workflow_runner, harness.sandbox_runner])
async def test_a_recorded_history_replays(
    path: Path, runner: Callable[[], temporalio.worker.WorkflowRunner]
) -> None:
    document = json.loads(path.read_text())  # noqa: ASYNC240 - nothing else runs meanwhile
    history = WorkflowHistory.from_json(document["workflow_id"], document["history"])
    replayer = temporalio.worker.Replayer(
        workflows=[*worker.WORKFLOWS, *worker.NOTIFY_WORKFLOWS], workflow_runner=runner()
    )

    await replayer.replay_workflow(history)

    harness.assert_sound(history)


def test_each_scenario_is_recorded() -> None:
    recorded = {path.stem.rsplit("-", 1)[0] for path in record.FOLDER.glob("*.json")}

    assert recorded >= {scenario.__name__ for scenario in record.worlds()}


def test_each_release_has_left_its_recordings_behind() -> None:
    """`make record ARGS="--release VERSION"` keeps them before a version is released."""
    assert record.unkept_releases(CHANGELOG.read_text(), record.FOLDER) == []


def test_recordings_of_a_release_are_kept_once_and_missed_where_they_are_not(
    tmp_path: Path,
) -> None:
    changelog = "## [Unreleased]\n\n## [0.2.0] - 2027-01-02\n\n## [0.1.0] - 2026-12-01\n"
    (tmp_path / "happy-0.json").write_text("{}")

    kept = record.keep(tmp_path, "0.1.0")

    assert kept == [tmp_path / "0.1.0" / "happy-0.json"]
    assert record.unkept_releases(changelog, tmp_path) == ["0.2.0"]
    with pytest.raises(FileExistsError):
        record.keep(tmp_path, "0.1.0")
