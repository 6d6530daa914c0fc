"""`tree`, `history` and `explain` through the real kubectl.

Given: StackChains whose status the test writes in the operator's place. Asserted: what a person
and a program read, and the exit code.
"""

import dataclasses

import pytest
import yaml

from controller.plugin.exit_codes import ExitCode
from tests.support import kube as kube_support
from tests.support.plugin import FAILED, LINK, SPEC, WAITING, Kubectl, Operator, succeeded


async def test_tree_shows_each_stack_with_what_it_does(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)

    shown = await kubectl("tree", "prod")

    assert (shown.code, shown.err) == (ExitCode.DONE, "")
    assert shown.lines[0].startswith("prod  Ready=Unknown AwaitingConfirmation  1/3  run 7")
    rows = [" ".join(line.split()) for line in shown.lines[2:5]]
    assert rows[0] == "✓ vpc Succeeded +3 ~1 -0"
    assert rows[1] == "└─ ? eks AwaitingConfirmation plan: +0 ~2 -1"
    assert rows[2] == "└─ · app Pending waits for eks"
    assert shown.lines[5:] == ["", "'eks' waits for a person.", "", f"eks  {LINK}"]
    assert "\x1b" not in shown.out


@pytest.mark.parametrize("output", ["json", "yaml"])
async def test_programs_get_the_status_in_the_names_of_the_resource(
    output: str, kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)
    stored = await stackchains.status("prod")

    shown = await kubectl("tree", "prod", "-o", output)

    assert yaml.safe_load(shown.out) == {
        "chain": {"namespace": stackchains.namespace, "name": "prod"},
        "ready": {
            "status": "Unknown",
            "reason": "AwaitingConfirmation",
            "message": "'eks' waits for a person.",
        },
        "suspended": False,
        "graph": stored["graph"],
        "run": stored["latestRun"],
        "pendingRun": None,
        "stacks": stored["stacks"],
    }
    assert shown.out.startswith("{") == (output == "json")


async def test_history_lists_the_newest_run_first(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    earlier = dataclasses.replace(
        succeeded(6).latest_run or pytest.fail("no run"),
        cause="Spec",
        completion_time="2026-03-01T10:05:00Z",
    )
    await operator.write("prod", dataclasses.replace(FAILED, history=(earlier,)))

    shown = await kubectl("history", "prod")
    told = await kubectl("history", "prod", "-o", "json")

    cells = [line.split() for line in shown.lines]
    assert cells[0] == [
        "RUN",
        "CAUSE",
        "OPERATION",
        "PHASE",
        "REASON",
        "PROGRESS",
        "STARTED",
        "TOOK",
    ]
    assert cells[1][:6] == ["7", "-", "Apply", "Failed", "StackFailed", "1/3"]
    assert cells[2][:4] == ["6", "Spec", "Apply", "Succeeded"]
    assert (cells[1][-1], cells[2][-1]) == ("10m00s", "5m00s")
    assert [run["number"] for run in told.document["runs"]] == [7, 6]


async def test_explain_says_what_to_do(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", FAILED)

    shown = await kubectl("explain", "prod")
    told = await kubectl("explain", "prod", "-o", "json")

    assert shown.code == ExitCode.DONE
    assert "eks  Failed RunFailed" in shown.lines
    assert "  Held up by it: app." in shown.lines
    assert f"  {LINK}" in shown.lines
    assert shown.lines[-1] == "  kubectl stackchain retry prod"
    assert told.document["command"] == "kubectl stackchain retry prod"
    assert [one["id"] for one in told.document["stacks"]] == ["eks"]


async def test_a_chain_that_nobody_has_seen_is_explained_too(
    kubectl: Kubectl, stackchains: kube_support.StackChains
) -> None:
    await stackchains.create("prod", SPEC)

    shown = await kubectl("explain", "prod")

    assert shown.lines[0] == "prod  not seen by the operator yet"
    assert "see whether `stackchain operator` runs" in shown.out
