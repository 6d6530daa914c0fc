"""What a real API server refuses of a StackChain, and how it says so.

Given: specs that are wrong in one way each. Asserted: the refusal names the field and what to write
instead. Limits are those of the definition, and the table of rules is compared with it, so that no
rule is without a row.
"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support import definition
from tests.support import kube as kube_support
from tests.support.kubectl import Kubectl

Body = dict[str, Any]

SPEC: Body = {"roots": {"stackIds": ["vpc"]}}
LABELS: Body = {"roots": {"labels": ["layer:base"]}}
DESTROY = {"operation": "Destroy", "destroyConfirmation": "chain"}
SCHEDULE: Body = {"schedule": {"cron": "0 6 * * 1-5"}}
DEV: Body = {"name": "dev", "labels": ["env:dev"]}
PROD: Body = {"name": "prod", "labels": ["env:prod"], "soakSeconds": 60}
WINDOW: Body = {"cron": "0 9 * * 1-5", "durationSeconds": 3600}
CRON = (
    "cron must have five fields, minute, hour, day of month, month and day of week, of digits, "
    "names and the signs * / , and -, or be one of @yearly, @monthly, @weekly, @daily and "
    "@hourly; the time zone goes in timeZone"
)
ZONE = (
    "timeZone must be the name of a time zone in the IANA database; write a name such as "
    "Europe/Berlin or UTC"
)
TRIGGERS: Body = {"triggers": [{"type": "RootRunFinished"}]}

SPEC_FIELDS = definition.spec_fields()


# Rules between fields: each with the field and the remedy, as kubectl shows them

RULES = [
    pytest.param(
        {**SPEC, "operation": "Destroy"},
        "spec.destroyConfirmation",
        "destroyConfirmation must be equal to metadata.name when operation is Destroy; set it to "
        "confirm that all stacks of the chain are to be destroyed",
        id="destroy without confirmation",
    ),
    pytest.param(
        {**SPEC, **DESTROY, "destroyConfirmation": "chain-2"},
        "spec.destroyConfirmation",
        "destroyConfirmation must be equal to metadata.name when operation is Destroy; set it to "
        "confirm that all stacks of the chain are to be destroyed",
        id="destroy with the name of another chain",
    ),
    *(
        pytest.param(
            {**SPEC, **DESTROY, "operation": operation},
            "spec.destroyConfirmation",
            "destroyConfirmation may be set only when operation is Destroy; remove it, so that "
            "it cannot confirm a later Destroy by accident",
            id=f"a confirmation of {operation}",
        )
        for operation in ("Apply", "Plan")
    ),
    pytest.param(
        {**SPEC, "operation": "Plan", "confirmationPolicy": "Auto"},
        "spec.confirmationPolicy",
        "confirmationPolicy may not be Auto when operation is Plan, which leaves nothing to "
        "confirm; remove it",
        id="a plan that is confirmed",
    ),
    pytest.param(
        {**SPEC, "dependsOn": [{"name": "network"}, {"name": "chain"}]},
        "spec.dependsOn",
        "dependsOn must not name the StackChain itself, which would then wait for its own end; "
        "remove the name",
        id="a chain that waits for itself",
    ),
    *(
        pytest.param(
            {**SPEC, "dependsOn": [{"name": name}]},
            "spec.dependsOn[0].name",
            "must be the name of a StackChain: lower case letters, digits, dashes and dots",
            id=f"the chain {name}",
        )
        for name in ("Network", "team/network", "-network")
    ),
    *(
        pytest.param(
            {**SPEC, **policy, "confirmationLimits": {"maxDeleted": 0}},
            "spec.confirmationLimits",
            "confirmationLimits may be set only when confirmationPolicy is Auto, since only then "
            "the chain confirms; set confirmationPolicy to Auto, or remove them",
            id=f"limits {which}",
        )
        for policy, which in (
            ({}, "without a policy"),
            ({"confirmationPolicy": "StackDefault"}, "of plans that people confirm"),
        )
    ),
    pytest.param(
        {
            **SPEC,
            **DESTROY,
            "confirmationPolicy": "Auto",
            "confirmationLimits": {"maxDeleted": 0},
        },
        "spec.confirmationLimits",
        "confirmationLimits may not be set when operation is Destroy, whose runs may destroy "
        "without a plan to check; remove them",
        id="limits of what is destroyed",
    ),
    *(
        pytest.param(
            {**SPEC, **operation, "nativeRuns": native_runs},
            "spec.nativeRuns",
            "nativeRuns may be Strict or Replace only when operation is Apply, since Spacelift "
            "queues no runs on its own for other operations; remove it",
            id=f"{native_runs} of {operation['operation']}",
        )
        for operation in ({"operation": "Plan"}, DESTROY)
        for native_runs in ("Strict", "Replace")
    ),
    *(
        pytest.param(
            {**roots, "commitSHA": "abcdef1"},
            "spec.commitSHA",
            "commitSHA may be set only when roots.stackIds has exactly one item, the stack whose "
            "commit it is; remove commitSHA, or name one root",
            id=f"a commit with {which}",
        )
        for roots, which in (
            ({"roots": {"stackIds": ["vpc", "dns"]}}, "two roots"),
            (LABELS, "roots by label"),
        )
    ),
    pytest.param(
        {**SPEC, "commitSHA": "abcdef1", "graph": {"includeRoots": False}},
        "spec.commitSHA",
        "commitSHA may not be set when graph.includeRoots is false, since the root does not run; "
        "remove one of them",
        id="a commit of a root that does not run",
    ),
    *(
        pytest.param(
            {**SPEC, "commitSHA": commit},
            "spec.commitSHA",
            "commitSHA must be the hash of a commit, 7 to 64 of the digits 0-9 and a-f; a branch "
            "or tag is not enough",
            id=f"the commit {commit}",
        )
        for commit in ("main", "abcdef", "ABCDEF1", "abcdef1 ")
    ),
    pytest.param(
        {**SPEC, "activeDeadlineSeconds": 600, "stackDeadlineSeconds": 601},
        "spec.stackDeadlineSeconds",
        "stackDeadlineSeconds must be no more than activeDeadlineSeconds, the deadline of the "
        "whole chain; lower it, or raise the other",
        id="a stack's deadline after the chain's",
    ),
    pytest.param(
        {**SPEC, "activeDeadlineSeconds": 600, "confirmationDeadlineSeconds": 601},
        "spec.confirmationDeadlineSeconds",
        "confirmationDeadlineSeconds must be no more than activeDeadlineSeconds, the deadline of "
        "the whole chain; lower it, or raise the other",
        id="a confirmation's deadline after the chain's",
    ),
    pytest.param(
        {**SPEC, "stackDeadlineSeconds": 600, "confirmationDeadlineSeconds": 601},
        "spec.confirmationDeadlineSeconds",
        "confirmationDeadlineSeconds must be no more than stackDeadlineSeconds, the deadline of "
        "the stack that waits; lower it, or raise the other",
        id="a confirmation's deadline after the stack's",
    ),
    pytest.param(
        {**SPEC, "graph": {"exclude": {"stackIds": ["dns", "vpc"]}}},
        "spec.graph.exclude.stackIds",
        "graph.exclude.stackIds must not contain a stack of roots.stackIds; remove it from one of "
        "them, or set graph.includeRoots to false to run only what depends on the roots",
        id="a root that is excluded",
    ),
    *(
        pytest.param(
            {"roots": roots},
            "spec.roots",
            "exactly one of stackIds and labels must be set; name the stacks, or the labels that "
            "they have",
            id=which,
        )
        for roots, which in (
            ({}, "neither ids nor labels"),
            ({"stackIds": ["vpc"], "labels": ["base"]}, "both ids and labels"),
        )
    ),
    pytest.param(
        {**SPEC, "graph": {"direction": "RootsOnly", "maxDepth": 2}},
        "spec.graph.maxDepth",
        "maxDepth may not be set when direction is RootsOnly, which takes no steps; remove one "
        "of them",
        id="a depth of the roots alone",
    ),
    pytest.param(
        {**SPEC, "graph": {"direction": "RootsOnly", "includeRoots": False}},
        "spec.graph.includeRoots",
        "includeRoots may not be false when direction is RootsOnly, since nothing would be left "
        "to run; remove one of them",
        id="the roots alone, without the roots",
    ),
    *(
        pytest.param(
            {**SPEC, "retry": pauses},
            "spec.retry.maxBackoffSeconds",
            "maxBackoffSeconds must be no less than backoffSeconds, the first pause; raise it, or "
            "lower the other",
            id=f"pauses {pauses}",
        )
        for pauses in (
            {"backoffSeconds": 601},
            {"maxBackoffSeconds": 29},
            {"backoffSeconds": 9, "maxBackoffSeconds": 8},
        )
    ),
    *(
        pytest.param(
            {"roots": {"stackIds": [stack_id]}},
            "spec.roots.stackIds[0]",
            "must be a stack id, the last part of the stack's URL, not its name",
            id=f"the root {stack_id}",
        )
        for stack_id in ("My VPC", "https://acme.app.spacelift.io/stack/vpc", "-vpc")
    ),
    pytest.param(
        {**SPEC, "graph": {"exclude": {"stackIds": ["My sandbox"]}}},
        "spec.graph.exclude.stackIds[0]",
        "must be a stack id, the last part of the stack's URL, not its name",
        id="a name to exclude",
    ),
    *(
        pytest.param(
            {**SPEC, "runtimeEnvironment": [{"name": name, "value": ""}]},
            "spec.runtimeEnvironment[0].name",
            "must be the name of an environment variable: letters, digits and underscores, no "
            "digit first",
            id=f"the variable {name}",
        )
        for name in ("1a", "a-b", "a=b")
    ),
    pytest.param(
        {
            **SPEC,
            "runtimeEnvironment": [
                {"name": "n" * 96, "value": "v" * 4000},
                {"name": "m" * 96, "value": "\u00fc" * 2000 + "v"},
            ],
        },
        "spec.runtimeEnvironment",
        "runtimeEnvironment may have 8,192 bytes of names and values together; put longer values "
        "into a Spacelift context",
        id="8,193 bytes of variables",
    ),
    *(
        pytest.param(
            {**SPEC, "connectionName": name},
            "spec.connectionName",
            "connectionName must consist of lower case letters, digits and dashes, and match a "
            "connection in the release's settings",
            id=f"the connection {name}",
        )
        for name in ("Prod_EU", "-prod", "prod-")
    ),
    pytest.param(
        {**SPEC, **DESTROY, **SCHEDULE},
        "spec.schedule",
        "schedule may not be set when operation is Destroy, since no one would be asked before "
        "the next run; remove it",
        id="destroyed again and again",
    ),
    *(
        pytest.param(
            {**SPEC, "schedule": {"cron": cron}},
            "spec.schedule.cron",
            "cron must have five fields, minute, hour, day of month, month and day of week, of "
            "digits, names and the signs * / , and -, or be one of @yearly, @monthly, @weekly, "
            "@daily and @hourly; the time zone goes in timeZone",
            id=f"the cron {cron}",
        )
        for cron in (
            "* * * *",
            "0 * * * * *",
            "every day",
            "@every 5m",
            "TZ=UTC 0 6 * * *",
            "CRON_TZ=Europe/Berlin 0 6 * * *",
            "0 6 * * 1 # Mondays",
            "0 6 ? * 1",
        )
    ),
    *(
        pytest.param(
            {**SPEC, "schedule": {"cron": "0 6 * * *", "timeZone": zone}},
            "spec.schedule.timeZone",
            "timeZone must be the name of a time zone in the IANA database; write a name such as "
            "Europe/Berlin or UTC",
            id=f"the time zone {zone}",
        )
        for zone in ("+01:00", "Local", "Europe/", "../etc/passwd", "Europe Berlin")
    ),
    *(
        pytest.param(
            {**SPEC, **operation, **TRIGGERS},
            "spec.triggers",
            "triggers may be set only when operation is Apply, since they apply what depends on "
            "a root that was applied; remove them",
            id=f"triggers of {operation['operation']}",
        )
        for operation in ({"operation": "Plan"}, DESTROY)
    ),
    *(
        pytest.param(
            {**SPEC, "graph": {"direction": direction}, **TRIGGERS},
            "spec.triggers",
            "triggers may be set only when graph.direction is Downstream, since they start what "
            "depends on the roots; remove them, or set the direction to Downstream",
            id=f"triggers of the direction {direction}",
        )
        for direction in ("Upstream", "RootsOnly")
    ),
    pytest.param(
        {**SPEC, "stages": [DEV, {**PROD, "name": "dev"}]},
        "spec.stages",
        "stages must each have their own name; rename one of those that share a name",
        id="two stages of one name",
    ),
    pytest.param(
        {**SPEC, "stages": [{**DEV, "labels": ["a", "b"]}, {**PROD, "labels": ["b", "a"]}]},
        "spec.stages",
        "stages must each have their own labels, since a stack belongs to the first that fits; "
        "change the labels of one of them, or merge them",
        id="two stages of the same labels",
    ),
    pytest.param(
        {**SPEC, "stages": [PROD, DEV]},
        "spec.stages",
        "the first stage may not have soakSeconds, since no stage comes before it; set it on the "
        "stage that should wait",
        id="a first stage that soaks",
    ),
    *(
        pytest.param(
            {**SPEC, "stages": [{**DEV, "name": name}]},
            "spec.stages[0].name",
            "must be lower case letters, digits and dashes, with a letter or digit at the start "
            "and the end",
            id=f"a stage called {name}",
        )
        for name in ("Dev", "dev, prod", "-dev", "dev@1")
    ),
    *(
        pytest.param(
            {**SPEC, "window": {**WINDOW, **wrong}},
            f"spec.window.{next(iter(wrong))}",
            message,
            id=f"a window with {wrong}",
        )
        for wrong, message in (
            ({"cron": "9 o'clock"}, CRON),
            ({"cron": "CRON_TZ=UTC 0 9 * * *"}, CRON),
            ({"timeZone": "Local"}, ZONE),
            ({"timeZone": "../UTC"}, ZONE),
        )
    ),
    *(
        pytest.param(
            {**SPEC, "stages": [{**DEV, "window": {**WINDOW, **wrong}}]},
            f"spec.stages[0].window.{next(iter(wrong))}",
            message,
            id=f"a stage's window with {wrong}",
        )
        for wrong, message in (({"cron": "0 9"}, CRON), ({"timeZone": "Local"}, ZONE))
    ),
    pytest.param(
        {**SPEC, "stages": [DEV, PROD], "activeDeadlineSeconds": 60},
        "spec.stages",
        "the soakSeconds of all stages together must be less than activeDeadlineSeconds, the "
        "deadline of the whole chain; lower them, or raise the deadline",
        id="a soak that is as long as the deadline",
    ),
]

# Rules of what is not the spec, or of an update, and the test that has them.
ELSEWHERE = {
    "connectionName is immutable; create another StackChain and delete this one",
    "metadata.name must be no more than 63 characters; choose a shorter name",
}


@pytest.mark.parametrize(("spec", "field", "message"), RULES)
async def test_what_breaks_a_rule_is_refused_with_field_and_remedy(
    kubectl: Kubectl, spec: Body, field: str, message: str
) -> None:
    code, output = await kubectl.apply(spec)

    assert code != 0
    assert f"{field}: Invalid value" in output
    assert message in output


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({**SPEC, "paralelism": 3}, "spec.paralelism"),
        ({**SPEC, "graph": {"source": ["Labels"]}}, "spec.graph.source"),
        ({"roots": {"stackIds": ["vpc"], "stackID": "x"}}, "spec.roots.stackID"),
        ({**SPEC, "retry": {"attempts": 3}}, "spec.retry.attempts"),
        ({**SPEC, "schedule": {"cron": "0 3 * * *", "tz": "UTC"}}, "spec.schedule.tz"),
        (
            {**SPEC, "triggers": [{"type": "RootRunFinished", "stacks": []}]},
            "spec.triggers[0].stacks",
        ),
    ],
)
async def test_a_field_that_does_not_exist_is_refused(
    kubectl: Kubectl, spec: Body, field: str
) -> None:
    code, output = await kubectl.apply(spec)

    assert code != 0
    assert f'unknown field "{field}"' in output


async def test_a_name_that_is_too_long_is_refused(kubectl: Kubectl) -> None:
    code, output = await kubectl.apply(SPEC, name="x" * 64)

    assert code != 0
    assert "metadata.name must be no more than 63 characters; choose a shorter name" in output


async def test_several_mistakes_are_told_at_once(kubectl: Kubectl) -> None:
    code, output = await kubectl.apply(
        {
            **SPEC,
            "operation": "Destroy",
            "nativeRuns": "Strict",
            "commitSHA": "main",
            "retry": {"backoffSeconds": 700},
        }
    )

    assert code != 0
    for field in ("spec.nativeRuns", "spec.commitSHA", "spec.retry.maxBackoffSeconds"):
        assert field in output


def test_every_rule_of_the_definition_has_a_row_here() -> None:
    """Otherwise no test would ever have seen the new rule refuse anything."""
    rows = {row.values[2] for row in RULES}

    assert {rule["message"] for rule in definition.rules()} == rows | ELSEWHERE
    # A message that two rules share is of one rule on two fields.
    messages = [(rule["rule"], rule["message"]) for rule in definition.rules()]
    assert len({message for _, message in messages}) == len({rule for rule, _ in messages})


def test_every_message_says_what_to_do() -> None:
    """After the problem comes a remedy, or the rule itself shows what to write."""
    for rule in definition.rules():
        assert ";" in rule["message"] or rule["message"].startswith(("must be", "connectionName"))


# Updates: what may become of a StackChain that exists

FULL: Body = {
    **SPEC,
    "graph": {"direction": "Upstream", "maxDepth": 3, "exclude": {"labels": ["x"]}},
    "commitSHA": "abcdef1",
    "confirmationDeadlineSeconds": 60,
    "activeDeadlineSeconds": 60,
    "stackDeadlineSeconds": 60,
    "runtimeEnvironment": [{"name": "a", "value": "1"}],
    "retry": {"limit": 3},
    "suspend": True,
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(SPEC, FULL, id="everything added"),
        pytest.param(FULL, SPEC, id="everything removed"),
        pytest.param(SPEC, LABELS, id="other roots"),
        pytest.param(SPEC, {**SPEC, "parallelism": 3}, id="parallelism"),
        pytest.param({**SPEC, "suspend": True}, SPEC, id="resumed"),
        pytest.param(SPEC, {**SPEC, **SCHEDULE, **TRIGGERS}, id="started by itself"),
        pytest.param({**SPEC, **SCHEDULE, **TRIGGERS}, SPEC, id="no longer started by itself"),
        pytest.param(SPEC, {**SPEC, "operation": "Plan"}, id="planned instead"),
        pytest.param({**SPEC, "operation": "Plan"}, SPEC, id="applied after a plan"),
        pytest.param(SPEC, {**SPEC, **DESTROY}, id="destroyed in the end"),
        pytest.param({**SPEC, **DESTROY}, SPEC, id="built again"),
        pytest.param(SPEC, {**SPEC, "connectionName": "default"}, id="the default spelled out"),
        pytest.param({**SPEC, "connectionName": "default"}, SPEC, id="the default left out"),
    ],
)
async def test_all_but_the_connection_can_be_edited(kubectl: Kubectl, old: Body, new: Body) -> None:
    await kubectl.apply(old)

    code, output = await kubectl.apply(new)

    assert code == 0, output


IMMUTABLE = "connectionName is immutable; create another StackChain and delete this one"


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        pytest.param(
            {**SPEC, "connectionName": "one"},
            {**SPEC, "connectionName": "two"},
            "spec.connectionName",
            IMMUTABLE,
            id="another connection",
        ),
        pytest.param(
            SPEC,
            {**SPEC, "connectionName": "two"},
            "spec.connectionName",
            IMMUTABLE,
            id="another than the default",
        ),
        pytest.param(
            {**SPEC, "connectionName": "one"},
            SPEC,
            "spec.connectionName",
            IMMUTABLE,
            id="back to the default",
        ),
        pytest.param(
            {**SPEC, **DESTROY},
            {**SPEC, "destroyConfirmation": "chain"},
            "spec.destroyConfirmation",
            "remove it, so that it cannot confirm a later Destroy by accident",
            id="a confirmation that stays behind",
        ),
        pytest.param(
            {**SPEC, "commitSHA": "abcdef1"},
            {"roots": {"stackIds": ["vpc", "dns"]}, "commitSHA": "abcdef1"},
            "spec.commitSHA",
            "remove commitSHA, or name one root",
            id="a root beside a commit",
        ),
    ],
)
async def test_an_update_is_refused_as_a_new_object_would_be(
    kubectl: Kubectl, old: Body, new: Body, field: str, message: str
) -> None:
    await kubectl.apply(old)

    code, output = await kubectl.apply(new)

    assert code != 0
    assert field in output
    assert message in output


# Limits of single fields. Values that a rule ties to another come with it.


def having(*keywords: str) -> dict[str, Body]:
    """Return the fields that are limited by one of these keywords, by path."""
    return {
        path: field
        for path, field in SPEC_FIELDS.items()
        if any(keyword in field for keyword in keywords)
    }


NUMBERS = {
    path: (field["minimum"], field["maximum"])
    for path, field in having("minimum", "maximum").items()
}
ENUMERATIONS = {path: field["enum"] for path, field in having("enum").items()}
TEXTS = {path: field["maxLength"] for path, field in having("maxLength").items()}
# Of each list: how many items it may have, and what an item is. There is one type of triggers, and
# each may be there once.
ITEMS: dict[str, Callable[[int], Any]] = {
    "spec.graph.sources": lambda number: ["Labels", "Dependencies"][number],
    "spec.runtimeEnvironment": lambda number: {"name": f"v{number}", "value": ""},
    "spec.stages": lambda number: {"name": f"s{number}", "labels": [f"s{number}"]},
    "spec.dependsOn": lambda number: {"name": f"other-{number}"},
}
LISTS = {
    path: (field["maxItems"], ITEMS.get(path, lambda number: f"s{number}"))
    for path, field in having("maxItems").items()
    if path != "spec.triggers"
}
COMPANIONS: dict[tuple[str, Any], Body] = {
    ("spec.operation", "Destroy"): DESTROY,
    ("spec.retry.backoffSeconds", 86400): {"retry": {"maxBackoffSeconds": 86400}},
    ("spec.retry.maxBackoffSeconds", 1): {"retry": {"backoffSeconds": 1}},
}


def spec_with(path: str, value: Any) -> Body:
    """Return a spec with one field set, and with what a rule wants along with it."""
    spec: Body = {} if path.startswith("spec.roots.") else {**SPEC}
    is_hashable = isinstance(value, str | int)
    spec |= COMPANIONS.get((path, value), {}) if is_hashable else {}
    *parts, name = path.split(".")[1:]
    place = spec
    for part in parts:
        place[part] = {**place.get(part, {})}
        place = place[part]
    place[name] = value
    if parts == ["runtimeEnvironment"]:
        variable = {"name": "a", "value": ""} | spec["runtimeEnvironment"]
        return {**spec, "runtimeEnvironment": [variable]}
    if parts == ["confirmationLimits"]:
        return {**spec, "confirmationPolicy": "Auto"}
    if parts[-1:] == ["window"]:
        place |= WINDOW | place
    if parts[:1] == ["stages"]:
        # Some values are not for the first one.
        return {**spec, "stages": [DEV, PROD | spec["stages"]]}
    if parts in (["triggers"], ["dependsOn"]):
        return {**spec, parts[0]: [spec[parts[0]]]}
    if parts == ["schedule"]:
        return {**spec, "schedule": {"cron": "0 6 * * *"} | spec["schedule"]}
    return spec


def shown(path: str) -> str:
    """Return a path as a refusal has it."""
    return path.replace("spec.triggers.", "spec.triggers[0].").replace(
        "spec.stages.", "spec.stages[1]."
    )


async def refusal(stackchains: kube_support.StackChains, spec: Body) -> str:
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await stackchains.create("chain", spec)
    assert caught.value.response.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    message: str = caught.value.response.json()["message"]
    return message


@pytest.mark.parametrize("path", NUMBERS)
async def test_a_number_is_taken_within_its_limits_and_refused_beyond(
    stackchains: kube_support.StackChains, path: str
) -> None:
    least, most = NUMBERS[path]
    below = await refusal(stackchains, spec_with(path, least - 1))
    above = await refusal(stackchains, spec_with(path, most + 1))
    text = await refusal(stackchains, spec_with(path, str(most)))

    field = shown(path)
    assert f"{field} in body should be greater than or equal to {least}" in below
    assert f"{field} in body should be less than or equal to {most}" in above
    assert f"{field} in body must be of type integer" in text
    for name, value in (("least", least), ("most", most)):
        await stackchains.create(name, spec_with(path, value))


@pytest.mark.parametrize("path", ENUMERATIONS)
async def test_each_word_of_an_enumeration_is_taken_and_no_other(
    stackchains: kube_support.StackChains, path: str
) -> None:
    words = ENUMERATIONS[path]
    listed = ", ".join(f'"{word}"' for word in words)
    for wrong in ("Other", words[0].lower(), ""):
        message = await refusal(stackchains, spec_with(path, wrong))

        assert f'{shown(path)}: Unsupported value: "{wrong}": supported values: {listed}' in message
    for word in words:
        await stackchains.create("chain", spec_with(path, word))
        await stackchains.delete("chain")


@pytest.mark.parametrize("path", TEXTS)
async def test_a_text_that_is_too_long_is_refused(
    stackchains: kube_support.StackChains, path: str
) -> None:
    message = await refusal(stackchains, spec_with(path, "a" * (TEXTS[path] + 1)))

    assert path.rpartition(".")[2] in message
    assert f"may not be more than {TEXTS[path]} bytes" in message


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_has_a_limit_and_each_item_once(
    stackchains: kube_support.StackChains, path: str
) -> None:
    most, item = LISTS[path]
    if path != "spec.graph.sources":  # which has no third item
        message = await refusal(stackchains, spec_with(path, [item(n) for n in range(most + 1)]))
        assert f"{shown(path)}: Too many: {most + 1}: must have at most {most} items" in message
    message = await refusal(stackchains, spec_with(path, [item(0), item(0)]))

    if path != "spec.stages":  # of which a rule says what may not be there twice
        assert f"{shown(path)}[1]: Duplicate value" in message
    await stackchains.create("most", spec_with(path, [item(n) for n in range(most)]))


@pytest.mark.parametrize(
    "path", ["spec.roots.stackIds", "spec.roots.labels", "spec.graph.exclude.stackIds"]
)
async def test_an_item_of_a_list_of_names_has_1_to_128_characters(
    stackchains: kube_support.StackChains, path: str
) -> None:
    empty = await refusal(stackchains, spec_with(path, [""]))
    long = await refusal(stackchains, spec_with(path, ["x" * 129]))

    assert f"{path}[0] in body should be at least 1 chars long" in empty
    assert f"{path}[0]: Too long: may not be more than 128 bytes" in long
    await stackchains.create("longest", spec_with(path, ["x" * 128]))


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        pytest.param({}, ["spec.roots", "Required"], id="no roots"),
        pytest.param(
            {"roots": {"stackIds": []}}, ["spec.roots.stackIds", "at least 1"], id="empty ids"
        ),
        pytest.param(
            {"roots": {"labels": []}}, ["spec.roots.labels", "at least 1"], id="empty labels"
        ),
        pytest.param(
            {"roots": {"stackIds": "vpc"}},
            ["spec.roots.stackIds", "must be of type array"],
            id="one stack id without a list",
        ),
        pytest.param(
            {**SPEC, "graph": {"sources": []}},
            ["spec.graph.sources", "at least 1"],
            id="no source",
        ),
        pytest.param(
            {**SPEC, "graph": {"sources": ["Native"]}},
            ["spec.graph.sources[0]", "Unsupported value", '"Dependencies", "Labels"'],
            id="an unknown source",
        ),
        pytest.param(
            {**SPEC, "connectionName": ""},
            ["spec.connectionName", "at least 1"],
            id="an empty connection name",
        ),
        pytest.param(
            {**SPEC, "suspend": "yes"},
            ["spec.suspend", "must be of type boolean"],
            id="a word for a boolean",
        ),
        pytest.param(
            {**SPEC, "schedule": {"timeZone": "UTC"}},
            ["spec.schedule.cron", "Required"],
            id="a schedule without times",
        ),
        pytest.param(
            {**SPEC, "triggers": []},
            ["spec.triggers", "at least 1"],
            id="no trigger",
        ),
        pytest.param(
            {**SPEC, "triggers": [{"type": "RootRunFinished"}, {"type": "RootRunFinished"}]},
            ["spec.triggers", "must have at most 1 item"],
            id="a trigger twice",
        ),
        pytest.param(
            {**SPEC, "triggers": [{}]},
            ["spec.triggers[0].type", "Required"],
            id="a trigger without a type",
        ),
        pytest.param(
            {**SPEC, "runtimeEnvironment": [{"name": "a"}]},
            ["spec.runtimeEnvironment[0].value", "Required"],
            id="a variable without a value",
        ),
        pytest.param(
            {**SPEC, "runtimeEnvironment": [{"name": "a", "value": 3}]},
            ["spec.runtimeEnvironment[0].value", "must be of type string"],
            id="a number as a variable's value",
        ),
    ],
)
async def test_what_is_missing_or_of_another_type_is_refused_with_its_field(
    stackchains: kube_support.StackChains, spec: Body, parts: list[str]
) -> None:
    message = await refusal(stackchains, spec)

    for part in parts:
        assert part in message


def test_every_field_has_a_limit() -> None:
    """Except for booleans, and parts, whose fields have limits. If it fails: add one to `crds/`."""
    unlimited = {path for path, field in SPEC_FIELDS.items() if field["type"] == "boolean"}
    parts = {path for path, field in SPEC_FIELDS.items() if field["type"] == "object"}
    known = {*NUMBERS, *ENUMERATIONS, *TEXTS, *LISTS, "spec.triggers"}
    assert set(SPEC_FIELDS) == known | unlimited | parts
