"""What a set-up of the webhook changes: found against wanted, without any account."""

import dataclasses
from typing import Any

import pytest

from controller.spacelift.webhooks import plan
from controller.spacelift.webhooks import policy as notification_policy
from controller.spacelift.webhooks.plan import CannotSetUp, Policy, SetupAction, Space, Webhook

URL = "https://hooks.example.com/webhooks/spacelift/default"
MARK = "stackchain:secret-0a1b2c3d"
WANTED = plan.DesiredSetup(name="stackchain", endpoint=URL, secret_mark=MARK)
WEBHOOK = Webhook(id="stackchain", name="stackchain", endpoint=URL, labels=(MARK,))
BODY = notification_policy.body("stackchain")
POLICY = Policy(id="stackchain", name="stackchain", body=BODY)


def wanted(**fields: Any) -> plan.DesiredSetup:
    return dataclasses.replace(WANTED, **fields)


def webhook(**fields: Any) -> Webhook:
    return dataclasses.replace(WEBHOOK, **fields)


def policy(**fields: Any) -> Policy:
    return dataclasses.replace(POLICY, **fields)


# The webhook


def test_a_new_webhook_is_enabled_retries_and_goes_to_the_root_space() -> None:
    step = plan.webhook_step(WANTED, None)

    assert (step.action, step.differences) == (SetupAction.CREATE, ())
    assert step.item == webhook(id="")
    assert (step.item.enabled, step.item.retry_on_failure) == (True, True)
    assert step.item.space == "root"


def test_a_webhook_as_wanted_is_unchanged() -> None:
    assert plan.webhook_step(WANTED, WEBHOOK).action is SetupAction.NONE


@pytest.mark.parametrize(
    ("found", "differences"),
    [
        ({"endpoint": "https://old.example.com"}, (f"endpoint https://old.example.com -> {URL}",)),
        ({"enabled": False}, ("enabled again",)),
        ({"retry_on_failure": False}, ("retries on failure",)),
        ({"labels": ()}, ("secret",)),
        ({"labels": ("stackchain:secret-ffffffff",)}, ("secret",)),
        ({"enabled": False, "labels": ()}, ("enabled again", "secret")),
    ],
)
def test_only_what_differs_is_updated(found: dict[str, Any], differences: tuple[str, ...]) -> None:
    step = plan.webhook_step(WANTED, webhook(**found))

    assert (step.action, step.differences) == (SetupAction.UPDATE, differences)
    assert step.item == WEBHOOK


def test_labels_of_people_stay_and_their_order_is_no_difference() -> None:
    found = webhook(labels=("team:net", MARK, "prod"))

    assert plan.webhook_step(WANTED, found).action is SetupAction.NONE
    step = plan.webhook_step(wanted(secret_mark="stackchain:secret-1"), found)
    assert step.item.labels == ("team:net", "prod", "stackchain:secret-1")


@pytest.mark.parametrize(
    ("space", "expected", "differences"),
    [(None, "net", ()), ("net", "net", ()), ("apps", "apps", ("space net -> apps",))],
)
def test_what_exists_stays_in_its_space_unless_another_is_named(
    space: str | None, expected: str, differences: tuple[str, ...]
) -> None:
    of_webhook = plan.webhook_step(wanted(space=space), webhook(space="net"))
    of_policy = plan.policy_step(wanted(space=space), policy(space="net"), endpoint_id="stackchain")

    assert (of_webhook.item.space, of_webhook.differences) == (expected, differences)
    assert (of_policy.item.space, of_policy.differences) == (expected, differences)


@pytest.mark.parametrize("space", ["net", None])
def test_what_is_new_goes_to_the_named_space(space: str | None) -> None:
    expected = space or "root"

    assert plan.webhook_step(wanted(space=space), None).item.space == expected
    step = plan.policy_step(wanted(space=space), None, endpoint_id="stackchain")
    assert step.item.space == expected


# The secret's mark


def test_the_mark_tells_secrets_apart_without_showing_them() -> None:
    mark = plan.secret_mark("a long enough secret", name="stackchain")

    assert mark == plan.secret_mark("a long enough secret", name="stackchain")
    assert mark != plan.secret_mark("another long secret!", name="stackchain")
    assert mark != plan.secret_mark("a long enough secret", name="other")
    prefix, _, digest = mark.rpartition("-")
    assert prefix == "stackchain:secret"
    assert len(digest) == 8, "short, so that it leaves many secrets possible"


# The policy


def test_a_new_policy_routes_to_the_webhook_by_its_id() -> None:
    step = plan.policy_step(WANTED, None, endpoint_id="stackchain-2")

    assert step.action is SetupAction.CREATE
    assert step.item.type == "NOTIFICATION"
    assert step.item.body == notification_policy.body("stackchain-2")


def test_a_policy_as_wanted_is_unchanged() -> None:
    step = plan.policy_step(WANTED, POLICY, endpoint_id="stackchain")

    assert step.action is SetupAction.NONE


@pytest.mark.parametrize(
    ("found", "differences"),
    [
        ({"body": BODY + '\nwebhook contains {"endpoint_id": "x"} if true\n'}, ("body",)),
        ({"body": notification_policy.body("other")}, ("body",)),
        ({"description": ""}, ("description",)),
        ({"body": "", "description": ""}, ("body", "description")),
    ],
)
def test_a_policy_that_differs_is_overwritten(
    found: dict[str, Any], differences: tuple[str, ...]
) -> None:
    step = plan.policy_step(WANTED, policy(**found), endpoint_id="stackchain")

    assert (step.action, step.differences) == (SetupAction.UPDATE, differences)
    assert step.item == POLICY


@pytest.mark.parametrize("body", [BODY.replace("\n", "\r\n"), BODY.strip(), BODY + "\n\n"])
def test_ends_of_lines_are_no_difference(body: str) -> None:
    step = plan.policy_step(WANTED, policy(body=body), endpoint_id="stackchain")

    assert step.action is SetupAction.NONE


def test_a_policy_of_another_type_is_left_alone() -> None:
    for decide in (
        lambda found: plan.policy_step(WANTED, found, endpoint_id="stackchain"),
        lambda found: plan.policy_removal("stackchain", found),
    ):
        with pytest.raises(CannotSetUp, match=r"type PLAN .* --name"):
            decide(policy(type="PLAN"))


# Removal


def test_what_is_there_is_removed_and_what_is_not_is_absent() -> None:
    assert plan.webhook_removal("stackchain", WEBHOOK).action is SetupAction.REMOVE
    assert plan.webhook_removal("stackchain", None).action is SetupAction.ABSENT
    assert plan.policy_removal("stackchain", POLICY).action is SetupAction.REMOVE
    assert plan.policy_removal("stackchain", None).action is SetupAction.ABSENT


# Finding it


def test_an_object_is_found_by_its_exact_name() -> None:
    found = [webhook(name="stackchain-2"), webhook(id="x"), webhook(name="Stackchain")]

    assert plan.one_named("stackchain", found, kind="webhooks") == webhook(id="x")
    assert plan.one_named("other", found, kind="webhooks") is None


def test_two_of_one_name_are_named_and_left_to_people() -> None:
    found = [webhook(id="b"), webhook(id="a")]

    with pytest.raises(CannotSetUp, match=r"2 webhooks named stackchain \(a, b\)"):
        plan.one_named("stackchain", found, kind="webhooks")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("stackchain", "stackchain"), ("Stack Chain (prod)", "stack-chain-prod"), ("---", "")],
)
def test_the_id_that_is_expected_of_a_name(name: str, expected: str) -> None:
    assert plan.slug(name) == expected


# Spaces

TREE = [
    Space(id="root"),
    Space(id="net", parent="root", inherits=True),
    Space(id="net-prod", parent="net", inherits=True),
    Space(id="apps", parent="root", inherits=False),
    Space(id="apps-prod", parent="apps", inherits=True),
    Space(id="hidden-parent", parent="secret", inherits=True),
]


@pytest.mark.parametrize(
    ("of", "uncovered"),
    [
        ("root", ("apps", "apps-prod", "hidden-parent")),
        ("net", ("apps", "apps-prod", "hidden-parent", "root")),
        ("apps", ("hidden-parent", "net", "net-prod", "root")),
        ("apps-prod", ("apps", "hidden-parent", "net", "net-prod", "root")),
    ],
)
def test_a_policy_covers_its_space_and_those_that_inherit_down_from_it(
    of: str, uncovered: tuple[str, ...]
) -> None:
    assert plan.uncovered_spaces(TREE, of=of) == uncovered


def test_spaces_in_a_circle_are_uncovered_and_come_to_an_end() -> None:
    circle = [Space(id="a", parent="b", inherits=True), Space(id="b", parent="a", inherits=True)]

    assert plan.uncovered_spaces(circle, of="root") == ("a", "b")


def test_a_space_that_is_not_visible_is_told_with_those_that_are() -> None:
    plan.check_space("net", TREE)

    with pytest.raises(CannotSetUp, match=r"no space prod, or .* apps, apps-prod, hidden-parent"):
        plan.check_space("prod", TREE)
    with pytest.raises(CannotSetUp, match="sees none"):
        plan.check_space("root", [])
