"""What a body says, and which bodies say nothing."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.webhook import payload
from tests.support import payloads

RUN_EVENT = {
    "account": "acme",
    "state": "UNCONFIRMED",
    "stateVersion": 6,
    "timestamp": 1767225600,
    "timestamp_millis": 1767225600123,
    "note": "",
    "event_source": "spacelift.io",
    "event_type": "run_state_changed_event",
    "run": {
        "id": "01KDX0000000000000000000RA",
        "branch": "main",
        "command": None,
        "commit": {"authorLogin": None, "hash": "4f0c2d9", "timestamp": 1767221000},
        "createdAt": 1767225510,
        "delta": {"added": 1, "changed": 2, "deleted": 0, "resources": 41},
        "driftDetection": False,
        "triggeredBy": "api::01JKEY00000000000000000001",
        "type": "TRACKED",
        "url": "https://acme.app.spacelift.io/stack/network-prod/run/01KDX0000000000000000000RA",
    },
    "stack": {
        "id": "network-prod",
        "name": "Network prod",
        "description": "",
        "labels": ["env:prod", "dependsOn:vpc"],
        "vcs": "github",
    },
    "workerPool": {"id": "01JPOOL0000000000000000001", "name": "private-eu"},
}
POLICY_EVENT = {
    "account": "acme",
    "run_id": "01KDX0000000000000000000RA",
    "stack_id": "network-prod",
    "stack_labels": ["env:prod"],
    "type": "TRACKED",
    "state": "FINISHED",
    "ordinal": 6,
    "updated_at_ns": 1767225600123456789,
    "metadata": ["stackchain team/network run 3"],
    "triggered_by": None,
}
AUDIT = {
    "account": "acme",
    "action": "stack.create",
    "actor": "source::login",
    "context": {"mutation": "stackCreate"},
    "data": {"ID": "network-prod", "args": {}},
    "remoteIP": "192.0.2.1",
    "timestamp": 1767225600123,
}
INTERNAL_ERROR = {
    "title": "Invalid trigger policy",
    "body": "...",
    "error": "policy evaluation",
    "severity": "ERROR",
    "account": "acme",
}


def dump(document: Any) -> bytes:
    return json.dumps(document).encode()


def event(**fields: Any) -> payload.RunNotification:
    return payload.RunNotification(stack_id="vpc", **fields)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param(
            RUN_EVENT,
            payload.RunNotification(
                stack_id="network-prod",
                run_id="01KDX0000000000000000000RA",
                run_type="TRACKED",
                state="UNCONFIRMED",
                labels=("dependsOn:vpc", "env:prod"),
            ),
            id="default payload",
        ),
        pytest.param(
            POLICY_EVENT,
            payload.RunNotification(
                stack_id="network-prod",
                run_id="01KDX0000000000000000000RA",
                run_type="TRACKED",
                state="FINISHED",
                labels=("env:prod",),
            ),
            id="notification policy",
        ),
        pytest.param({"stack": {"id": "vpc"}}, event(), id="nothing but the stack"),
        pytest.param({"stack_id": "vpc"}, event(), id="nothing but the stack's id"),
        pytest.param(
            {"stack": {"id": "vpc"}, "run": None, "state": None}, event(), id="nulls for the rest"
        ),
        pytest.param(
            {"stack": {"id": "vpc", "labels": "a"}, "run": {"id": 7, "type": []}, "state": {}},
            event(),
            id="other types for the rest",
        ),
        pytest.param(
            {"stack_id": "vpc", "stack_labels": ["b", 1, None, "a", "", "a"]},
            event(labels=("a", "b")),
            id="labels that are none",
        ),
        pytest.param(
            {"stack_id": "vpc", "state": "A NEW STATE"}, event(), id="a state with blanks is none"
        ),
        pytest.param(
            {"stack_id": "vpc", "state": "NEW_STATE"}, event(state="NEW_STATE"), id="a new state"
        ),
        pytest.param({"stack_id": "vpc", "action": "x"}, event(), id="a run event with an action"),
        pytest.param(
            {"stack_id": "Größe-1"}, payload.RunNotification(stack_id="Größe-1"), id="umlauts"
        ),
    ],
)
def test_a_notification_names_its_stack(
    document: dict[str, Any], said: payload.RunNotification
) -> None:
    assert payload.parse(dump(document)) == said


@pytest.mark.parametrize(
    ("document", "noise"),
    [
        pytest.param(AUDIT, payload.OtherNotification.AUDIT, id="audit"),
        pytest.param(INTERNAL_ERROR, payload.OtherNotification.INTERNAL_ERROR, id="internal error"),
        pytest.param({}, payload.OtherNotification.OTHER, id="probe"),
        pytest.param(
            {"run": {"id": "01R"}, "state": "FINISHED"},
            payload.OtherNotification.OTHER,
            id="module",
        ),
    ],
)
def test_what_is_about_no_stack_is_noise(
    document: dict[str, Any], noise: payload.OtherNotification
) -> None:
    assert payload.parse(dump(document)) is noise


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="broken"),
        pytest.param(b"\xff\xfe\xfd", id="no text"),
        pytest.param(b'{"stack_id": "vpc"} {}', id="two documents"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'"vpc"', id="text"),
        pytest.param(b"[" * 500_000, id="deep lists"),
        pytest.param(b'{"a":' * 200_000, id="deep objects"),
        pytest.param(b'{"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", id="deep and complete"),
        pytest.param(b'{"stack_id": "vpc", "a": ' + b"[" * 100 + b"]" * 100 + b"}", id="too deep"),
        pytest.param(b'{"a": ' + b"9" * 5_000 + b"}", id="a number that takes for ever"),
        pytest.param(dump({"stack_id": None}), id="null for the stack's id"),
        pytest.param(dump({"stack_id": 7}), id="number for the stack's id"),
        pytest.param(dump({"stack_id": ""}), id="empty id"),
        pytest.param(dump({"stack_id": "a b"}), id="id with a blank"),
        pytest.param(dump({"stack_id": "a\nb"}), id="id with a line break"),
        pytest.param(dump({"stack_id": "a\0"}), id="id with a null"),
        pytest.param(b'{"stack_id": "\\ud800"}', id="half a surrogate pair"),
        pytest.param(dump({"stack_id": "a" * 256}), id="endless id"),
        pytest.param(dump({"stack": "vpc"}), id="text for the stack"),
        pytest.param(dump({"stack": {}}), id="stack without id"),
        pytest.param(dump({"stack": {"id": ["vpc"]}}), id="list for the id"),
    ],
)
def test_what_names_no_stack_though_it_should_is_refused(body: bytes) -> None:
    with pytest.raises(payload.PayloadError) as refused:
        payload.parse(body)

    assert len(str(refused.value)) < 40, "it may quote nothing of the body"


@pytest.mark.parametrize(
    ("state", "run_type", "expected"),
    [
        ("FINISHED", "TRACKED", True),
        ("FINISHED", "PROPOSED", False),
        ("FAILED", "TRACKED", False),
        ("APPLYING", "TRACKED", False),
        ("", "", False),
    ],
)
def test_only_a_tracked_run_that_finished_may_start_chains(
    state: str, run_type: str, expected: bool
) -> None:
    assert event(state=state, run_type=run_type).is_finished_tracked_run is expected


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
known_keys = st.sampled_from(
    ["stack", "stack_id", "stack_labels", "run", "run_id", "type", "state", "labels", "id"]
)
noise_keys = st.sampled_from(["action", "error", "severity"])
values = scalars | st.lists(scalars, max_size=3)
objects = st.dictionaries(known_keys, values, max_size=4)
keys = known_keys | noise_keys
documents = objects | st.dictionaries(keys, values | objects, max_size=6) | values


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(b"[" * 99 + b"]" * 99, id="as deep as it may be"),
        pytest.param(b"[" + b"[]," * 1_000 + b"[]]", id="many beside one another"),
        pytest.param(b'"' + b"[{" * 1_000 + b'\\"[["', id="brackets in a text"),
    ],
)
def test_brackets_that_are_not_deep_are_fine(extra: bytes) -> None:
    event = payload.parse(b'{"stack_id": "vpc", "a": ' + extra + b"}")

    assert isinstance(event, payload.RunNotification)


def test_a_text_without_an_end_is_looked_at_once() -> None:
    # A look that began anew at each quote would take hours.
    with pytest.raises(payload.PayloadError):
        payload.parse(b"[" * 101 + b'"' + b'\\"' * 500_000)


@given(body=st.binary())
@example(body=b"\xef\xbb\xbf{}")
@example(body=b'{"stack_id": NaN}')
def test_no_bytes_make_it_fail(body: bytes) -> None:
    payloads.check_outcome(body)


@given(document=documents)
def test_no_document_makes_it_fail(document: Any) -> None:
    payloads.check_outcome(dump(document))


@given(document=documents)
@example(document=RUN_EVENT)
def test_a_document_that_is_cut_off_or_garbled_makes_it_fail_no_more(document: Any) -> None:
    body = dump(document)

    payloads.check_outcome(body[: len(body) // 2])
    payloads.check_outcome(body.replace(b'"', b"", 1))
    payloads.check_outcome(body + b"}")


new_keys = st.text(max_size=10).filter(lambda key: key not in {**POLICY_EVENT, **RUN_EVENT})


@given(extra=st.dictionaries(new_keys, values | objects, max_size=4))
def test_fields_that_come_to_be_change_nothing(extra: dict[str, Any]) -> None:
    assert payload.parse(dump(extra | POLICY_EVENT)) == payload.parse(dump(POLICY_EVENT))
    assert payload.parse(dump(extra | RUN_EVENT)) == payload.parse(dump(RUN_EVENT))
