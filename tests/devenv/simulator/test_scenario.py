"""Scenario files: short forms, and one clear line for whatever is wrong."""

from pathlib import Path
from typing import Any

import pytest

from devenv.simulator import cli, scenario
from devenv.simulator.simulator import Simulator


def test_arrows_make_stacks_and_edges() -> None:
    parsed = scenario.parse({"edges": ["a -> b -> c", "a -> c"]})

    ups = {name: [e.stack for e in spec.depends_on] for name, spec in parsed.stacks.items()}
    assert ups == {"a": [], "b": ["a"], "c": ["b", "a"]}


def test_stack_defaults_hold_for_all_stacks_that_say_nothing_else() -> None:
    parsed = scenario.parse(
        {
            "defaults": {"stack": {"autodeploy": True}},
            "stacks": {"a": None, "b": {"autodeploy": False}},
            "edges": ["a -> c"],
        }
    )

    deploys = {name: spec.autodeploy for name, spec in parsed.stacks.items()}
    assert deploys == {"a": True, "b": False, "c": True}


def test_one_number_is_the_duration_of_a_whole_run() -> None:
    durations = scenario.parse({"defaults": {"durations": 2}}).defaults.durations

    assert (durations["planning"], durations["applying"], durations["ready"]) == (1, 1, 0)


def test_outcomes_have_a_short_form() -> None:
    spec = scenario.parse({"stacks": {"a": {"outcomes": ["no-op", "fail:applying", "hang"]}}})

    shown = [(one.result, one.phase) for one in spec.stacks["a"].outcomes]
    assert shown == [("no-op", None), ("fail", "APPLYING"), ("hang", "PLANNING")]


WRONG: dict[str, tuple[Any, str]] = {
    "unknown-key": ({"stakcs": {}}, "stakcs: no such key (did you mean 'stacks'?); remove it or"),
    "unknown-stack-key": (
        {"stacks": {"a": {"autodploy": True}}},
        "stacks.a.autodploy: no such key (did you mean 'autodeploy'?)",
    ),
    "unknown-key-in-a-list": (
        {"stacks": {"a": {"outcomes": [{"delta": {"chnage": 1}}]}}},
        "stacks.a.outcomes[0].delta.chnage: no such key (did you mean 'change'?)",
    ),
    "unlike-all-keys": ({"zzz": {}}, "zzz: no such key; remove it"),
    "webhook-without-its-stack": (
        {"webhooks": [{"kind": "stack", "endpoint": "http://h/"}]},
        "webhooks[0]: a webhook of kind stack names its stack",
    ),
    "webhook-to-nowhere": (
        {"webhooks": [{"endpoint": "example.org"}]},
        "webhooks[0].endpoint: an endpoint is an http or https URL",
    ),
    "no-probability": ({"deliveries": {"drop": 2}}, "deliveries.drop: "),
    "missing-upstream": (
        {"stacks": {"a": {"dependsOn": ["x"]}}},
        "stacks.a.dependsOn[0]: no stack 'x'",
    ),
    "missing-pool": ({"stacks": {"a": {"workerPool": "x"}}}, "stacks.a.workerPool: no pool 'x'"),
    "missing-space": ({"stacks": {"a": {"space": "x"}}}, "stacks.a.space: no space 'x'"),
    "cycle": ({"edges": ["a -> b -> a"]}, "stacks: a, b depend on each other in a cycle"),
    "no-arrow": ({"edges": ["a"]}, "edges[0]: 'a' is no chain of stacks"),
    "settings-in-a-list": (
        {"stacks": ["a", {"name": "b"}]},
        "stacks[1]: {'name': 'b'} is no id; write 'stacks: {ID: {...}}'",
    ),
    "phase": (
        {"stacks": {"a": {"outcomes": ["fail:finished"]}}},
        "stacks.a.outcomes[0]: nothing can be scripted in finished",
    ),
    "duration": ({"defaults": {"durations": {"plan": 1}}}, "defaults.durations: no phase 'plan'"),
    "speed": ({"speed": 0}, "speed: input should be greater than 0"),
    "list": ([], "document: input should be"),
    "key": ({"keys": [{"id": "K"}]}, "keys[0].secret: field required"),
    "fault": ({"faults": [{"action": "explode"}]}, "faults[0].action: input should be"),
}


@pytest.mark.parametrize(("document", "text"), WRONG.values(), ids=WRONG)
def test_a_wrong_scenario_says_where_and_what(document: Any, text: str) -> None:
    with pytest.raises(scenario.ScenarioError) as caught:
        scenario.parse(document)

    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["stacks: [", "speed: fast", "a: 1"])
def test_the_command_names_the_file_and_exits_with_two(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "account.yaml"
    path.write_text(text)

    code = cli.main(["--scenario", str(path)])

    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith(f"{path}: ")
    assert error.count("\n") == 1


def test_a_missing_file_is_told_likewise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--scenario", str(tmp_path / "none.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "stack": ({"kind": "stack", "stack": "x"}, "stack x not found"),
    "space": ({"space": "x"}, "space x not found"),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_a_webhook_that_the_account_does_not_take_is_told(case: str) -> None:
    webhook, text = IMPOSSIBLE[case]

    with pytest.raises(scenario.ScenarioError, match=text):
        Simulator({"webhooks": [{"endpoint": "http://h/", **webhook}]})


def test_two_webhooks_of_one_name_are_told() -> None:
    webhook = {"endpoint": "http://h/", "name": "twice"}

    with pytest.raises(scenario.ScenarioError, match="twice has already been taken"):
        Simulator({"webhooks": [webhook, webhook]})


def test_a_space_may_keep_out_what_holds_in_the_one_above() -> None:
    spaces = {"net": {}, "sandbox": {"inheritEntities": False}}

    account = Simulator({"spaces": spaces}).account

    inherits = {name: account.spaces[name].inherit_entities for name in spaces}
    assert inherits == {"net": True, "sandbox": False}
