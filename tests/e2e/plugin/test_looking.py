"""`tree`, `history` and `explain` through the real kubectl.

Given: StackChains whose status the test writes instead of the operator. Asserted: what a person and
a program read, and the exit code.
"""

import dataclasses
from pathlib import Path

import pytest
import yaml

from controller.plugin.exit_codes import ExitCode
from tests.support import kube as kube_support
from tests.support.golden import Golden, without_times
from tests.support.plugin import FAILED, LINK, SPEC, WAITING, Kubectl, Operator, succeeded


async def test_tree_shows_each_stack_with_what_it_does(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator, golden: Golden
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)

    shown = await kubectl("tree", "prod")

    assert (shown.code, shown.err) == (ExitCode.DONE, "")
    assert "\x1b" not in shown.out
    golden("plugin_commands").check("tree", without_times(shown.out))


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
        "needs": [{"stack": "eks", "need": "Decision", "text": "plan: +0 ~2 -1", "link": LINK}],
        "rows": [
            {"level": 0, "stack": "vpc", "others": [], "text": "+3 ~1 -0"},
            {"level": 1, "stack": "eks", "others": [], "text": "plan: +0 ~2 -1"},
            {"level": 2, "stack": "app", "others": [], "text": "waits for eks"},
        ],
    }
    assert shown.out.startswith("{") == (output == "json")


async def test_a_stack_is_looked_for_once_the_run_has_read_its_stacks(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    before = await kubectl("tree", "prod", "--stack", "vcp")
    await operator.write("prod", WAITING)
    after = await kubectl("tree", "prod", "--stack", "vcp")

    assert (before.code, before.out) == (ExitCode.DONE, "prod  not seen by the operator yet\n")
    assert after.code == ExitCode.REFUSED
    assert "did you mean 'vpc'" in after.err


async def test_history_lists_the_newest_run_first(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator, golden: Golden
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

    # The widths of the columns follow how long ago it was.
    rows = "\n".join(" ".join(line.split()) for line in without_times(shown.out).splitlines())
    golden("plugin_commands").check("history", rows)
    assert [run["number"] for run in told.document["runs"]] == [7, 6]


async def test_explain_says_what_to_do(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator, golden: Golden
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", FAILED)

    shown = await kubectl("explain", "prod")
    told = await kubectl("explain", "prod", "-o", "json")

    assert shown.code == ExitCode.DONE
    golden("plugin_commands").check("explain", shown.out)
    assert told.document["command"] == "kubectl stackchain retry prod"
    assert [one["id"] for one in told.document["stacks"]] == ["eks"]


async def test_a_chain_that_no_operator_has_seen_is_explained_too(
    kubectl: Kubectl, stackchains: kube_support.StackChains, golden: Golden
) -> None:
    await stackchains.create("prod", SPEC)

    shown = await kubectl("explain", "prod")

    golden("plugin_commands").check("explain: no operator has seen it", shown.out)


@pytest.mark.parametrize("options", [(), ("--no-browser",)], ids=["browser", "no browser"])
async def test_open_prints_the_link_and_opens_it_where_there_is_a_browser(
    options: tuple[str, ...],
    kubectl: Kubectl,
    stackchains: kube_support.StackChains,
    operator: Operator,
    tmp_path: Path,
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >{opened}\n')
    browser.chmod(0o755)
    kubectl.environment |= {"BROWSER": str(browser), "DISPLAY": ":0"}

    shown = await kubectl("open", "prod", "eks", *options)

    assert (shown.code, shown.out, shown.err) == (ExitCode.DONE, f"{LINK}\n", "")
    assert opened.exists() is not bool(options)
    assert options or opened.read_text() == f"{LINK}\n"


async def test_open_gives_programs_the_link_and_opens_nothing(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)

    shown = await kubectl("open", "prod", "eks", "-o", "json")

    chain = {"namespace": stackchains.namespace, "name": "prod"}
    assert shown.document == {"chain": chain, "link": LINK}
