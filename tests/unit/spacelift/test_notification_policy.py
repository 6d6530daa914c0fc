"""The notification policy for Spacelift, run by a real Rego engine.

The inputs have the shape that Spacelift documents for notification policies; all values are made
up.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import regopy

from controller.chain.run import run_snapshots, run_states, stack_reports
from controller.spacelift.webhooks import policy
from tests.support import rego

ROOT = Path(__file__).parents[3]
POLICY = policy.body("stackchain")

# Each state with those that a run of any type can be in right before, as Spacelift documents them.
PREDECESSORS = {
    "QUEUED": [],
    "READY": ["QUEUED"],
    "PREPARING": ["READY"],
    "INITIALIZING": ["PREPARING"],
    "PLANNING": ["INITIALIZING", "PREPARING_REPLAN"],
    "UNCONFIRMED": ["PLANNING"],
    "PENDING_REVIEW": ["PLANNING"],
    "CONFIRMED": ["UNCONFIRMED"],
    "PREPARING_APPLY": ["CONFIRMED"],
    "APPLYING": ["PLANNING", "PREPARING_APPLY"],
    "REPLAN_REQUESTED": ["UNCONFIRMED"],
    "PREPARING_REPLAN": ["REPLAN_REQUESTED"],
    "PERFORMING": ["PREPARING", "INITIALIZING"],
    "DESTROYING": ["INITIALIZING", "PLANNING", "PREPARING_APPLY"],
    "FINISHED": ["PLANNING", "APPLYING", "PERFORMING", "DESTROYING", "PENDING_REVIEW"],
    "FAILED": ["QUEUED", "READY", "PREPARING", "INITIALIZING", "PLANNING", "APPLYING"],
    "CANCELED": ["QUEUED", "READY"],
    "DISCARDED": ["QUEUED", "READY", "UNCONFIRMED"],
    "STOPPED": ["INITIALIZING", "PLANNING"],
    "SKIPPED": ["QUEUED"],
}
UNKNOWN = "SOME_STATE_OF_NEXT_YEAR"
STACK = {
    "id": "network-prod",
    "name": "Network prod",
    "state": "PLANNING",
    "labels": ["env:prod"],
    "space": {"id": "prod-01J0000000000000000000", "name": "prod", "labels": []},
    "autodeploy": False,
    "administrative": False,
    "branch": "main",
    "locked_by": None,
    "repository": "infra",
    "namespace": "acme",
    "project_root": None,
    "worker_pool": {"id": "", "name": "", "labels": [], "public": True},
}
SENT = {
    "account": "acme",
    "run_id": "01KDX0000000000000000000RA",
    "stack_id": "network-prod",
    "stack_labels": ["env:prod"],
    "type": "TRACKED",
    "state": "FINISHED",
    "ordinal": 6,
    "updated_at_ns": 1767225600123456789,
    "metadata": ["stackchain team/prod run 3"],
    "triggered_by": "api::01JKEY00000000000000000001",
}


def updated(state: str = "FINISHED", **fields: Any) -> dict[str, Any]:
    """Return the input of a run that came to a state; fields of the run on top."""
    history = ["QUEUED", "READY", "PREPARING", "INITIALIZING", "PLANNING", state]
    run = {
        "id": "01KDX0000000000000000000RA",
        "type": "TRACKED",
        "state": state,
        "branch": "main",
        "commit": {"author": "jdoe", "branch": "main", "hash": "4f0c2d9", "message": "Resize"},
        "created_at": 1767225510000000000,
        "updated_at": 1767225600123456789,
        "command": "",
        "changes": [],
        "creator_session": {"login": "api::01JKEY00000000000000000001", "machine": True},
        "drift_detection": False,
        "flags": [],
        "runtime_config": {"environment": {}, "project_root": "", "runner_image": ""},
        "states_history": [{"new_state": entry} for entry in history],
        "triggered_by": "api::01JKEY00000000000000000001",
        "user_provided_metadata": ["stackchain team/prod run 3"],
        "based_on_local_workspace": False,
    }
    return {
        "account": {"name": "acme"},
        "webhook_endpoints": [{"id": "stackchain", "labels": []}, {"id": "other", "labels": []}],
        "run_updated": {
            "state": state,
            "note": "",
            "username": "",
            "policy_receipts": [],
            "timing": [{"state": "QUEUED", "duration": 231000000}],
            "urls": {"run": "https://acme.app.spacelift.io/stack/network-prod/run/01KDX"},
            "run": {**run, **fields},
            "stack": STACK,
        },
    }


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return the input without the field at a path."""
    name, *below = path
    if not below:
        return {key: value for key, value in document.items() if key != name}
    return {**document, name: without(document[name], *below)}


def routed(document: object) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = rego.evaluate(POLICY, "webhook", document)
    return requests


def payload(document: object) -> dict[str, Any]:
    (request,) = routed(document)
    assert request["endpoint_id"] == "stackchain"
    found: dict[str, Any] = request["payload"]
    return found


# What is sent


def test_a_run_that_went_on_is_routed_once_to_the_endpoint_with_what_the_receiver_reads() -> None:
    assert routed(updated()) == [{"endpoint_id": "stackchain", "payload": SENT}]


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("run_updated", "run", "states_history"), "ordinal", 0),
        (("run_updated", "run", "user_provided_metadata"), "metadata", []),
        (("run_updated", "stack", "labels"), "stack_labels", []),
        (("run_updated", "run", "triggered_by"), "triggered_by", None),
        (("run_updated", "run", "updated_at"), "updated_at_ns", None),
        (("run_updated", "run", "type"), "type", None),
        (("run_updated", "run", "state"), "state", "FINISHED"),
        (("run_updated", "state"), "state", "FINISHED"),
        (("run_updated", "run", "drift_detection"), "state", "FINISHED"),
        (("account", "name"), "account", None),
        (("account",), "account", None),
        (("webhook_endpoints",), "state", "FINISHED"),
    ],
    ids=lambda part: ".".join(part) if isinstance(part, tuple) else None,
)
def test_a_field_that_is_missing_costs_no_notification(
    path: tuple[str, ...], key: str, value: object
) -> None:
    """Published schemas differ; a rule that touches a missing field would say nothing at all."""
    assert payload(without(updated(), *path)) == {**SENT, key: value}


@pytest.mark.parametrize(
    ("field", "key", "value"),
    [
        ("states_history", "ordinal", 0),
        ("user_provided_metadata", "metadata", []),
        ("triggered_by", "triggered_by", None),
        ("state", "state", "FINISHED"),
    ],
)
def test_a_field_that_is_null_costs_no_notification(field: str, key: str, value: object) -> None:
    document = updated()
    document["run_updated"]["run"][field] = None

    assert payload(document) == {**SENT, key: value}


def test_a_run_without_any_state_is_sent() -> None:
    document = without(updated(), "run_updated", "run", "state")

    assert payload(without(document, "run_updated", "state"))["state"] is None


# Which changes are sent


def test_every_state_has_its_predecessors_here() -> None:
    """Otherwise nothing would show that the policy distinguishes a state from its predecessors."""
    # Of PENDING nothing is documented.
    assert set(PREDECESSORS) == run_states.KNOWN - {"PENDING"}


@pytest.mark.parametrize(
    ("before", "after"),
    [(before, after) for after, befores in PREDECESSORS.items() for before in befores],
)
def test_every_change_that_a_follow_returns_for_is_sent(before: str, after: str) -> None:
    views = {
        stack_reports.summary(run_snapshots.RunSnapshot(run_id="01R", state=state))
        for state in (before, after)
    }
    is_news = len(views) > 1

    assert bool(routed(updated(after))) or not is_news


@pytest.mark.parametrize("state", ["QUEUED", "FINISHED", "FAILED", "CANCELED", "SKIPPED", UNKNOWN])
def test_creations_ends_and_unknown_states_are_sent(state: str) -> None:
    """Runs that Spacelift queues are adopted, and an end releases whoever waits for it."""
    assert payload(updated(state))["state"] == state


def test_half_of_the_changes_of_a_usual_run_are_not_sent() -> None:
    usual = ["QUEUED", "READY", "PREPARING", "INITIALIZING", "PLANNING", "APPLYING", "FINISHED"]

    assert [state for state in usual if routed(updated(state))] == [
        "QUEUED",
        "READY",
        "PREPARING",
        "FINISHED",
    ]


@pytest.mark.parametrize(
    ("changed_to", "is_now"), [("APPLYING", "FINISHED"), ("FINISHED", "APPLYING")]
)
def test_a_change_is_sent_if_either_state_matters(changed_to: str, is_now: str) -> None:
    document = updated(is_now)
    document["run_updated"]["state"] = changed_to

    assert payload(document)["state"] == is_now


@pytest.mark.parametrize(
    ("run_type", "is_sent"), [("PROPOSED", False), ("TRACKED", True), (None, True)]
)
def test_of_drift_detection_only_runs_that_can_hold_a_stack_are_sent(
    run_type: str | None, is_sent: bool
) -> None:
    assert bool(routed(updated(type=run_type, drift_detection=True))) is is_sent


@pytest.mark.parametrize("run_type", ["PROPOSED", "TRACKED", "DESTROY", "TASK", UNKNOWN])
def test_runs_of_every_type_are_sent(run_type: str) -> None:
    """A task holds its stack; which proposed runs are a chain's cannot be known."""
    assert payload(updated(type=run_type))["type"] == run_type


@pytest.mark.parametrize(
    "document",
    [
        {"internal_error": {"error": "boom", "message": "it broke", "severity": "ERROR"}},
        {"module_version": {"module": {"id": "vpc"}, "version": {"number": "1.0.0"}}},
        {"run_updated": None},
        without(updated(), "run_updated", "stack"),
        without(updated(), "run_updated", "run"),
        without(updated(), "run_updated", "run", "id"),
        {},
    ],
    ids=["internal error", "module", "null", "run of a module", "no run", "no run id", "nothing"],
)
def test_what_is_no_run_of_a_stack_is_not_sent(document: dict[str, Any]) -> None:
    assert routed({"account": {"name": "acme"}, **document}) == []


def test_the_page_lists_the_keys_that_are_sent() -> None:
    page = (ROOT / "docs/tasks/connect-webhooks.md").read_text(encoding="utf-8")

    keys = re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\| (`[a-z].*?) \|", page)))
    assert set(SENT) <= set(keys)


# The engine


def test_the_engine_refuses_a_policy_that_does_not_compile() -> None:
    with pytest.raises(regopy.RegoError, match="policy"):
        rego.evaluate(POLICY.replace("unseen_states := {", "unseen_states := ["), "webhook", {})


def test_the_policy_imports_what_the_older_engine_needs_and_not_what_it_refuses() -> None:
    """Policies are REGO_V0 unless they say otherwise, and `import rego.v1` was refused there."""
    for keyword in ("contains", "if", "in"):
        assert f"import future.keywords.{keyword}\n" in POLICY
    assert "import rego.v1" not in POLICY


# As it is registered


@pytest.mark.parametrize("endpoint_id", ["stackchain-2", 'a"; b', "\\n"])
def test_the_registered_policy_routes_to_the_webhook_that_it_is_made_for(endpoint_id: str) -> None:
    body = policy.body(endpoint_id)

    (request,) = rego.evaluate(body, "webhook", updated())

    assert request == {"endpoint_id": endpoint_id, "payload": SENT}
