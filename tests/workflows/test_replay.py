"""Today's workflow code still fits chains that began under the code of the recordings.

If it does not, running chains would get stuck at an upgrade: keep the old sequence of commands
behind `workflow.patched`, and record new histories beside the old ones.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import temporalio.worker
from temporalio.client import WorkflowHistory

from controller.temporal import worker
from tests.workflows import harness, record

RECORDINGS = sorted(record.FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
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
    recorded = {path.stem.rsplit("-", 1)[0] for path in RECORDINGS}

    assert recorded >= {scenario.__name__ for scenario in record.worlds()}
