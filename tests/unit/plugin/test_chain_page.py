"""What the page is told of a chain agrees with what `explain` says of it."""

from typing import Any
from urllib import parse as urlparse

import pytest

from controller.api import v1alpha1
from controller.display import tree
from controller.kube import errors
from controller.plugin import chain_page, explanation, output, page_command, page_sources
from controller.plugin.exit_codes import ExitCode
from tests.ui import page, samples

STATES = [
    ("fleet-100", "failed"),
    ("platform/platform", "failed"),
    ("team-a/platform", "person"),
    ("search", "blocked"),
    ("broken", "unreadable"),
    ("canary", "running"),
    ("paused", "suspended"),
    ("fresh", "idle"),
    ("billing", "fine"),
]


def body_of(name: str) -> dict[str, Any]:
    namespace, _, name = name.rpartition("/")
    found = [
        body
        for body in samples.all_kinds()
        if body["metadata"]["name"] == name and namespace in ("", body["metadata"]["namespace"])
    ]
    return found[0]


@pytest.mark.parametrize(("name", "state"), STATES)
def test_state(name: str, state: str) -> None:
    documents = chain_page.describe(body_of(name))

    assert (documents.row["state"], documents.detail["state"]) == (state, state)


READY = [
    ("Unknown", "Progressing", "False", "running"),
    ("Unknown", "Suspended", "False", "suspended"),
    ("Unknown", "AwaitingConfirmation", "False", "person"),
    ("Unknown", "AwaitingApproval", "False", "person"),
    ("False", "Deleting", "False", "running"),
    ("False", "TemporalUnreachable", "False", "blocked"),
    ("False", "UnknownStack", "True", "failed"),
    ("Unknown", "NotRequested", "False", "idle"),
    ("Unknown", "ReasonOfANewerOperator", "False", "running"),
]


@pytest.mark.parametrize(("status", "reason", "stalled", "state"), READY)
def test_state_by_conditions(status: str, reason: str, stalled: str, state: str) -> None:
    body = samples.chain("a", [], ready=(status, reason, "x"), is_stalled=stalled == "True")

    assert chain_page.describe(body).row["state"] == state


def test_a_chain_that_only_its_schedule_starts_says_so() -> None:
    schedule = {"digest": "d", "checkedTime": samples.at(0), "nextTime": samples.at(60)}
    body = samples.chain("a", [], ready=("Unknown", "NotRequested", "x"), schedule=schedule)

    row = chain_page.describe(body).row

    assert (row["state"], row["nextTime"]) == ("scheduled", samples.at(60))


def test_words_are_those_of_explain() -> None:
    body = samples.platform()

    detail = chain_page.describe(body).detail

    explained = explanation.explain(v1alpha1.parse(body))
    found = explanation.document(explained)
    assert {key: detail[key] for key in ("means", "notes")} == {
        key: found[key] for key in ("means", "notes")
    }
    assert detail["do"] == explanation.chain_advice(explained)
    words = ("means", "do", "holds")
    assert {one["id"]: [one[word] for word in words] for one in found["stacks"]} == {
        key: [one[word] for word in words] for key, one in detail["advice"].items()
    }
    assert [need["id"] for need in detail["needs"]] == ["monitoring", "database"]


def test_links_that_stand_below_are_left_out_of_the_headline() -> None:
    body = samples.platform()
    stacks = {one["id"]: one for one in body["status"]["stacks"]}
    link = stacks["monitoring"]["runUrl"]
    body["status"]["conditions"][0]["message"] = f"'monitoring' failed ({link}). Fix it."

    detail = chain_page.describe(body).detail

    assert detail["headline"] == "'monitoring' failed. Fix it."
    assert chain_page.describe(samples.body("a", "b", 1, {})).detail["headline"]


def test_a_stage_that_waits_for_an_approval_needs_someone() -> None:
    body = samples.staged()
    status = v1alpha1.parse(body).status

    detail = chain_page.describe(body, options=("--context", "kind")).detail

    (need,) = [one for one in detail["needs"] if one["stage"]]
    assert (need["id"], need["stage"], need["held"]) == ("", "production", 9)
    assert need["means"] == "A stage waits for a person to approve it (`approval: Required`)."
    assert need["do"] == (
        "If it may start, approve it: "
        "`kubectl stackchain approve staged production --context kind -n team-a`."
    )
    assert len(detail["needs"]) == tree.needs(status)
    assert (detail["do"], detail["command"]) == ("", "")


def test_stages_come_after_what_failed_and_before_what_others_hold_up() -> None:
    body = samples.staged(
        ready=("Unknown", "AwaitingConfirmation", "x"),
    )
    stacks = {one["id"]: one for one in body["status"]["stacks"]}
    stacks["dns"] |= {"phase": "Failed", "reason": "RunFailed"}
    stacks["cluster"] |= {"phase": "Waiting", "reason": "StackLocked"}
    stacks["network"] |= {"phase": "AwaitingConfirmation", "reason": "AwaitingConfirmation"}

    needs = chain_page.describe(body).detail["needs"]

    names = [one["id"] or one["stage"] for one in needs]
    assert names == ["dns", "production", "network", "cluster"]


def test_the_estimate_is_a_field_of_the_page_and_no_note() -> None:
    body = samples.staged()
    body["status"]["latestRun"]["estimatedCompletionTime"] = samples.at(600)

    detail = chain_page.describe(body).detail

    assert detail["resource"]["status"]["latestRun"]["estimatedCompletionTime"] == samples.at(600)
    assert samples.at(600) not in " ".join(detail["notes"])
    assert samples.at(600) in " ".join(explanation.explain(v1alpha1.parse(body)).notes)


@pytest.mark.parametrize(
    ("reason", "command"),
    [
        ("Suspended", "kubectl stackchain resume prod -n team-b"),
        ("AwaitingConfirmation", ""),
    ],
)
def test_the_next_command_names_the_namespace(reason: str, command: str) -> None:
    body = samples.chain("prod", [], ready=("Unknown", reason, "x"), namespace="team-b")

    assert chain_page.describe(body).detail["command"] == command


def test_of_what_a_stack_holds_up_the_first_are_named_and_all_are_counted() -> None:
    needs = chain_page.describe(body_of("fleet-500")).detail["needs"]

    most = max(needs, key=lambda need: need["held"])
    assert most["held"] > 20
    assert len(most["holds"]) == 20


def test_a_status_of_a_newer_operator_is_shown() -> None:
    body = samples.platform()
    body["status"]["stacks"][0] |= {"phase": "Paused", "somethingNew": {"a": [1]}}
    body["status"]["conditions"].append({"type": "New", "status": "Maybe"})

    documents = chain_page.describe(body)

    assert documents.detail["resource"]["status"]["stacks"][0]["phase"] == "Paused"
    assert documents.row["name"] == "platform"


def test_the_last_success_is_of_the_latest_run_or_of_the_history() -> None:
    failed = chain_page.describe(samples.platform())
    done = chain_page.describe(body_of("billing"))

    assert failed.row["succeededTime"] == samples.at(-7200 * 2 + 180 + 13 * 6)
    assert done.row["succeededTime"] == samples.at(220)


def denied(answer: str) -> errors.Denied:
    error = errors.Denied("403")
    error.answer = answer
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.Unauthenticated("401"), "log in again"),
        (denied("stackchains is forbidden"), "the verbs list and watch"),
        (errors.NotServed("404"), "has to install StackChain"),
        (errors.ApiUnreachable("refused"), "Trying again"),
        (errors.Throttled("429", retry_after_seconds=1), "Trying again"),
    ],
)
def test_a_problem_says_what_to_do(error: errors.KubeError, expected: str) -> None:
    for text in (page_sources.problem_text(error, "team"), page_sources.problem_text(error, None)):
        assert expected in text
        assert text[0].isupper()


async def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    async with page.serving(page.FakeWatch()) as server:
        port = urlparse.urlsplit(server.address()).port or 0
        with pytest.raises(OSError, match=r"(?i)address already in use") as taken:
            async with page.serving(page.FakeWatch(), port=port):
                pass

    error = page_command.port_error(port, taken.value)
    assert error.code is ExitCode.USAGE
    assert str(error) == (
        f"port {port} of 127.0.0.1 cannot be used (Address already in use); choose another one "
        "with --port, or leave --port out for any that is free."
    )


def test_an_event_is_shown_whoever_wrote_it() -> None:
    newer = {"eventTime": "2026-01-01T00:00:00.000000Z", "reason": "A\u202eB", "message": None}

    assert page_sources.event_document(newer) == {
        "time": "2026-01-01T00:00:00.000000Z",
        "type": "Normal",
        "reason": "AB",
        "message": "",
        "count": 1,
    }
    assert page_sources.event_document({})["time"] == ""


def test_stages_changes_and_other_chains_are_what_tree_shows() -> None:
    body = samples.staged()
    chain = v1alpha1.parse(body)
    document = output.tree_document(chain)

    detail = chain_page.describe(body).detail

    shown = [(one["name"], one["phase"], one["progress"]) for one in detail["stages"]]
    assert shown == [
        (one["name"], one["phase"], one["progress"]) for one in document["run"]["stages"]
    ]
    assert [one["waits"] for one in detail["stages"]] == [
        "",
        "waits for approval",
        "waits for earlier stages",
    ]
    assert detail["changes"] == document["run"]["changes"]["text"]
    assert detail["runsAfter"] == ["billing"]
    assert detail["possible"]["approvable"] == ["production"]
