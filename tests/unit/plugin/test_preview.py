"""`plan FILE`: which files are taken, what is created for them, and when the graph is known."""

import contextlib
import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.config import shell_settings
from controller.display import styled_text, tree
from controller.plugin import cluster, preview
from controller.plugin.exit_codes import CommandError, ExitCode
from tests.support import big_chains
from tests.support.builders import (
    make_condition,
    make_shown_chain,
    make_shown_status,
    make_stack_status,
)
from tests.support.golden import Golden

TEXT = """
apiVersion: stackchain.dev/v1alpha1
kind: StackChain
metadata: {name: prod, namespace: team}
spec: {roots: {stackIds: [vpc]}}
"""


def make_body(name: str = "prod", **spec: object) -> dict[str, object]:
    body = dict(preview.parse_chain(TEXT, "x.yaml"))
    body["metadata"] = {"name": name, "namespace": "team", "annotations": {"a": "b"}}
    body["spec"] = {"roots": {"stackIds": ["vpc"]}, **spec}
    return body


@pytest.mark.parametrize(
    "text", [TEXT, f"---\n{TEXT}\n---\n", json.dumps(make_body())], ids=["yaml", "marks", "json"]
)
def test_a_file_with_one_chain_is_taken(text: str) -> None:
    assert preview.parse_chain(text, "x.yaml")["spec"] == {"roots": {"stackIds": ["vpc"]}}


REFUSED = {
    "not YAML": "a: [",
    "nothing": "---\n",
    "two chains": f"{TEXT}---{TEXT}",
    "another kind": "{apiVersion: v1, kind: Pod}",
    "another version": TEXT.replace("v1alpha1", "v9"),
    "a list": "[1, 2]",
    "a string": "hello",
    "no spec": TEXT.partition("spec:")[0],
    "no name": TEXT.replace("name: prod, ", ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_holds_something_else_is_refused(case: str, golden: Golden) -> None:
    with pytest.raises(CommandError) as refused:
        preview.parse_chain(REFUSED[case], "x.yaml")

    assert refused.value.code == ExitCode.USAGE
    assert "\n" not in str(refused.value)
    golden("plugin_plan").check(f"refused: {case}", str(refused.value))


def test_the_preview_is_suspended_and_carries_nothing_that_starts_a_run() -> None:
    body = make_body(
        startPolicy="OnRequest", schedule={"cron": "* * * * *"}, triggers=[{}], parallelism=3
    )

    created = preview.temporary(body, suffix="abc123")

    assert created["metadata"] == {
        "name": "prod-plan-abc123",
        "namespace": "team",
        "labels": {"stackchain.dev/preview": "true"},
    }
    assert created["spec"] == {
        "roots": {"stackIds": ["vpc"]},
        "parallelism": 3,
        "suspend": True,
        "startPolicy": "OnChange",
        "deletionPolicy": "Cancel",
    }


def test_the_api_server_is_asked_about_what_the_file_says() -> None:
    """What the preview leaves out may be misspelled, too."""
    body = make_body(
        schedule={"crn": "* * * * *"}, suspend=False, startPolicy="x", destroyConfirmation="prod"
    )
    body["spce"] = {}

    asked = preview.as_written(body, created := preview.temporary(body, suffix="abc123"))

    assert asked["metadata"] == created["metadata"]
    assert asked["spce"] == {}
    assert asked["spec"] == {
        "roots": {"stackIds": ["vpc"]},
        "schedule": {"crn": "* * * * *"},
        "suspend": True,
        "startPolicy": "x",
        "deletionPolicy": "Cancel",
        "destroyConfirmation": "prod-plan-abc123",
    }


class ChangingCluster:
    """One whose webhook takes `suspend` out of each StackChain."""

    def __init__(self) -> None:
        self.created = list[Mapping[str, Any]]()

    async def require(self, *_: str) -> None:
        """Allow everything."""

    async def accepted_spec(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**body["spec"], "suspend": False}

    async def create(self, body: Mapping[str, Any]) -> None:
        self.created.append(body)


async def test_a_cluster_that_would_let_the_preview_run_gets_none(
    monkeypatch: pytest.MonkeyPatch, golden: Golden
) -> None:
    chains = ChangingCluster()
    monkeypatch.setattr(cluster, "open_chains", lambda *_, **__: contextlib.nullcontext(chains))
    target = cluster.ClusterChoice(
        kubernetes=shell_settings.KubernetesSettings(),
        context=None,
        namespace="team",
        is_namespace_chosen=False,
    )

    with pytest.raises(CommandError) as refused:
        await preview.resolve(target, make_body(), timeout_seconds=1)

    assert refused.value.code is ExitCode.REFUSED
    assert chains.created == []
    golden("plugin_plan").check("refused: suspend is not kept", str(refused.value))


def test_a_long_name_stays_a_name() -> None:
    created = preview.temporary(make_body("x" * 51 + "-" + "y" * 11), suffix="abc123")

    assert created["metadata"]["name"] == f"{'x' * 51}-plan-abc123"


@pytest.mark.parametrize(
    ("confirmation", "expected"),
    [("prod", "prod-plan-abc123"), ("other", "other")],
    ids=["confirmed", "not confirmed"],
)
def test_a_destruction_is_confirmed_by_the_file_and_not_by_us(
    confirmation: str, expected: str
) -> None:
    body = make_body(operation="Destroy", destroyConfirmation=confirmation)

    assert preview.temporary(body, suffix="abc123")["spec"]["destroyConfirmation"] == expected


def graph(status: str, ready: tuple[str, str, str], stalled: str = "False") -> v1alpha1.StackChain:
    base = make_shown_status(make_stack_status("a"), ready=ready)
    conditions = (
        *base.conditions,
        make_condition("GraphResolved", status, "Resolved", ""),
        make_condition("Stalled", stalled, ready[1], ready[2]),
    )
    return make_shown_chain(v1alpha1.Status(conditions=conditions, stacks=base.stacks))


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        pytest.param(make_shown_chain(), None, id="nobody has seen it"),
        pytest.param(graph("Unknown", ("Unknown", "Progressing", "Reads.")), None, id="reading"),
        pytest.param(graph("True", ("Unknown", "Suspended", "Held.")), ExitCode.DONE, id="known"),
        pytest.param(
            graph("False", ("False", "GraphCycle", "a, b, a.")), ExitCode.NOT_SUCCEEDED, id="circle"
        ),
        pytest.param(
            graph("Unknown", ("False", "ConnectionUnknown", "No such."), "True"),
            ExitCode.NOT_SUCCEEDED,
            id="no connection",
        ),
        pytest.param(
            graph("Unknown", ("False", "TemporalUnreachable", "Away.")), None, id="tried again"
        ),
    ],
)
def test_the_preview_ends_once_the_graph_is_known_or_cannot_be(
    chain: v1alpha1.StackChain, expected: ExitCode | None
) -> None:
    found = preview.outcome_of(chain)

    assert (found.code if found else None) == expected


def test_of_plans_it_says_that_none_waits(golden: Golden) -> None:
    stacks = (make_stack_status("a"), make_stack_status("b", 1, "a"))
    chain = make_shown_chain(make_shown_status(*stacks), operation="Plan")

    drawn = preview.render(
        "prod", chain, tree.Drawing(now=datetime(2026, 3, 1, tzinfo=UTC), width=200)
    )

    golden("plugin_plan").check(
        "a chain that plans", "\n".join(styled_text.plain_text(line) for line in drawn)
    )


def test_what_is_excluded_and_no_stack_is_shown(golden: Golden) -> None:
    status = make_shown_status(make_stack_status("database"))
    message = "The order of 1 stack is known. Excluded, but not in the graph: 'databas'."
    resolved = make_condition("GraphResolved", "True", "Resolved", message)
    status = dataclasses.replace(status, conditions=(*status.conditions, resolved))

    drawn = preview.render(
        "prod", make_shown_chain(status), tree.Drawing(now=datetime(2026, 3, 1, tzinfo=UTC))
    )

    golden("plugin_plan").check(
        "an exclusion that is no stack", "\n".join(map(styled_text.plain_text, drawn))
    )


def test_the_stacks_are_shown_in_order_and_by_what_they_wait_for(golden: Golden) -> None:
    stacks = (
        make_stack_status("a"),
        make_stack_status("b", 1, "a"),
        make_stack_status("c", 1, "a"),
        make_stack_status("d", 2, "b", "c"),
    )
    chain = make_shown_chain(
        make_shown_status(*stacks), operation="Destroy", destroyConfirmation="prod"
    )

    drawn = preview.render(
        "prod", chain, tree.Drawing(now=datetime(2026, 3, 1, tzinfo=UTC), width=200)
    )

    golden("plugin_plan").check(
        "the order of a diamond", "\n".join(styled_text.plain_text(line) for line in drawn)
    )
    assert preview.order_of(chain) == ["a", "b", "c", "d"]


def drawn_order(
    stacks: tuple[v1alpha1.StackStatus, ...], *, is_unfolded: bool = False
) -> list[str]:
    drawing = tree.Drawing(
        now=datetime(2026, 3, 1, tzinfo=UTC),
        width=120,
        selection=tree.Selection(is_unfolded=is_unfolded),
    )
    chain = make_shown_chain(make_shown_status(*stacks))
    return [styled_text.plain_text(line) for line in preview.render("prod", chain, drawing)]


def roots(number: int) -> tuple[v1alpha1.StackStatus, ...]:
    return tuple(make_stack_status(f"s{place:03}") for place in range(number))


MANY = {
    "100 stacks": tuple(
        make_stack_status(stack.id, stack.level, *stack.depends_on)
        for stack in big_chains.make_status(100).stacks
    ),
    "39 roots": roots(39),
    "40 roots": roots(40),
    "one after the other": tuple(
        make_stack_status(f"s{place:03}", place, *([f"s{place - 1:03}"] if place else []))
        for place in range(60)
    ),
}


@pytest.mark.parametrize("case", MANY)
def test_a_large_chain_shows_as_many_levels_as_a_reader_takes_in(case: str, golden: Golden) -> None:
    lines = drawn_order(MANY[case])

    assert len(lines) < tree.FOLDED_FROM + 6
    golden("plugin_plan").check(f"many: {case}", "\n".join(lines))


@pytest.mark.parametrize("case", MANY)
def test_each_stack_has_a_row_if_that_is_wanted(case: str) -> None:
    lines = drawn_order(MANY[case], is_unfolded=True)

    assert len(lines) >= len(MANY[case]) + 5
    assert not any("--all" in line for line in lines)
