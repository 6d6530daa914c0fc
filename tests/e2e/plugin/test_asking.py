"""Commands that ask for something, through the real kubectl: what they write, and their exit codes.

Given: the test takes up requests instead of the operator.
"""

import asyncio
import dataclasses

import pytest

from controller.api.v1alpha1 import Phase
from controller.plugin.exit_codes import ExitCode
from tests.support import kube as kube_support
from tests.support.golden import Golden
from tests.support.plugin import (
    FAILED,
    SECONDS,
    SPEC,
    WAITING,
    Kubectl,
    Operator,
    Status,
    ended,
    situation,
    succeeded,
)


async def test_run_sets_a_new_token_and_names_the_next_command(
    kubectl: Kubectl, stackchains: kube_support.StackChains, golden: Golden
) -> None:
    await stackchains.create("prod", SPEC, run="before")

    shown = await kubectl("run", "prod")
    told = await kubectl("run", "prod", "-o", "json")

    annotations = (await stackchains.get("prod"))["metadata"]["annotations"]
    assert shown.code == ExitCode.DONE
    golden("plugin_commands").check("run", shown.out)
    assert annotations["stackchain.dev/run"] == told.document["token"]
    assert told.document["action"] == "Run"


@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param(succeeded(8), ExitCode.DONE, id="succeeded"),
        pytest.param(
            dataclasses.replace(
                FAILED,
                latest_run=dataclasses.replace(FAILED.latest_run, number=8),  # type: ignore[type-var]
            ),
            ExitCode.NOT_SUCCEEDED,
            id="failed",
        ),
    ],
)
async def test_run_waits_for_its_end_and_tells_it_by_the_exit_code(
    end: Status,
    code: ExitCode,
    kubectl: Kubectl,
    stackchains: kube_support.StackChains,
    operator: Operator,
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", succeeded(7))

    shown, _ = await asyncio.gather(
        kubectl("run", "prod", "--wait", "--timeout", "100s"),
        operator.takes_up("prod", "run", end),
    )

    assert shown.code == code
    assert "Run 8 of prod: " in shown.lines[-1]


@pytest.mark.parametrize(
    "words",
    [("run",), ("cancel",), ("suspend",), ("parallelism", "3")],
    ids=lambda words: words[0],
)
async def test_a_dry_run_writes_nothing(
    words: tuple[str, ...],
    kubectl: Kubectl,
    stackchains: kube_support.StackChains,
    operator: Operator,
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)
    before = await stackchains.get("prod")
    command, *others = words

    shown = await kubectl(command, "prod", *others, "--dry-run")
    told = await kubectl(command, "prod", *others, "--dry-run", "-o", "json")

    assert shown.code == ExitCode.DONE
    assert shown.lines[0] == "Nothing was written (--dry-run). The command would write:"
    assert (told.document["dryRun"], told.document["changed"]) == (True, False)
    assert told.document["changes"]
    assert await stackchains.get("prod") == before


async def test_retry_asks_for_what_did_not_succeed(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", FAILED)

    (shown, _) = await asyncio.gather(
        kubectl("retry", "prod", "--wait", "-o", "json"),
        operator.takes_up("prod", "retry", succeeded(8)),
    )

    annotations = (await stackchains.get("prod"))["metadata"]["annotations"]
    assert annotations["stackchain.dev/retry"] == "7"
    assert shown.code == ExitCode.DONE
    document = shown.document
    assert (document["kept"], document["again"]) == (["vpc"], ["app", "eks"])
    assert document["run"]["number"] == 8
    assert document["outcome"]["succeeded"] is True


async def test_a_number_that_became_stale_meanwhile_is_reported(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator, golden: Golden
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", FAILED)

    shown, _ = await asyncio.gather(
        kubectl("retry", "prod", "7", "--wait"), operator.takes_up("prod", "retry", FAILED)
    )

    assert shown.code == ExitCode.NOT_SUCCEEDED
    golden("plugin_commands").check("retry --wait: stale meanwhile", shown.lines[-1])


async def test_cancel_waits_until_the_run_is_over(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator, golden: Golden
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)
    canceled = situation(
        ready=("False", "RunCanceled", "Canceled."),
        stalled="True",
        phase=Phase.CANCELED,
        number=7,
    )

    shown, _ = await asyncio.gather(
        kubectl("cancel", "prod", "--wait"), operator.takes_up("prod", "cancel", canceled)
    )

    assert shown.code == ExitCode.DONE
    golden("plugin_commands").check(
        "cancel --wait", "\n".join([shown.lines[0], "...", shown.lines[-1]])
    )


NOTHING_TO_DO = {
    "a stale number to retry": (FAILED, ("retry", "prod", "6")),
    "a stale number to cancel": (WAITING, ("cancel", "prod", "6")),
    "a live run to retry": (WAITING, ("retry", "prod")),
    "a run that succeeded": (succeeded(7), ("retry", "prod")),
    "no live run": (FAILED, ("cancel", "prod")),
}


@pytest.mark.parametrize("case", NOTHING_TO_DO)
async def test_what_makes_no_sense_writes_nothing(
    case: str,
    kubectl: Kubectl,
    stackchains: kube_support.StackChains,
    operator: Operator,
    golden: Golden,
) -> None:
    status, words = NOTHING_TO_DO[case]
    await stackchains.create("prod", SPEC)
    await operator.write("prod", status)
    before = (await stackchains.get("prod"))["metadata"]["resourceVersion"]

    shown = await kubectl(*words)

    assert (shown.code, shown.out) == (ExitCode.NOT_SUCCEEDED, "")
    assert shown.err.count("\n") == 1
    golden("plugin_commands").check(f"nothing to do: {case}", shown.err)
    assert (await stackchains.get("prod"))["metadata"]["resourceVersion"] == before


async def test_spec_fields_are_changed_and_waited_for(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator, golden: Golden
) -> None:
    await stackchains.create("prod", SPEC)

    suspended = await kubectl("suspend", "prod")
    again = await kubectl("suspend", "prod", "-o", "json")
    resumed = await kubectl("resume", "schain/prod")
    await operator.write("prod", dataclasses.replace(succeeded(7), observed_generation=4))
    bound = await kubectl("parallelism", "prod", "3", "--wait")

    spec = (await stackchains.get("prod"))["spec"]
    assert (spec["suspend"], spec["parallelism"]) == (False, 3)
    assert again.document["changed"] is False
    page = golden("plugin_commands")
    page.check("suspend", suspended.out)
    page.check("resume", resumed.out)
    page.check("parallelism --wait", bound.out)
    assert {suspended.code, again.code, resumed.code, bound.code} == {ExitCode.DONE}


async def test_a_wait_without_an_operator_ends_with_its_timeout(
    kubectl: Kubectl, stackchains: kube_support.StackChains, golden: Golden
) -> None:
    await stackchains.create("prod", SPEC)

    shown = await kubectl("suspend", "prod", "--wait", "--timeout", "1s")

    assert shown.code == ExitCode.TIMED_OUT
    golden("plugin_commands").check("suspend --wait: timed out", shown.err)


async def test_a_chain_that_is_deleted_while_it_is_followed_is_not_found(
    kubectl: Kubectl, stackchains: kube_support.StackChains, operator: Operator
) -> None:
    await stackchains.create("prod", SPEC)
    await operator.write("prod", WAITING)
    process = await kubectl.start("stackchain", "tree", "prod", "-w", "-n", kubectl.namespace)
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), SECONDS)

    await stackchains.delete("prod")

    assert (await ended(process)).code == ExitCode.REFUSED
