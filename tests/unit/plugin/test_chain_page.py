"""What the page shows of a chain agrees with what `explain` says of it."""

import json
from typing import Any
from urllib import parse as urlparse

import pytest

from controller.api import v1alpha1
from controller.chain.run import holds
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
    words = ("means", "holds")
    assert {one["id"]: [one[word] for word in words] for one in found["stacks"]} == {
        key: [one[word] for word in words] for key, one in detail["advice"].items()
    }
    assert all(
        detail["advice"][one["id"]]["do"] in (one["do"], f"{one['do']} Then retry it")
        for one in found["stacks"]
    )
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
    assert (need["do"], need["ask"]) == ("If it may start, approve it", "Approve")
    assert need["command"] == (
        "kubectl stackchain approve staged production --context kind -n team-a"
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


def test_the_next_time_of_the_schedule_is_a_field_of_the_page_and_no_note() -> None:
    """A note has it in UTC, the field in the viewer's own time zone."""
    body = body_of("nightly")
    next_time = body["status"]["schedule"]["nextTime"]

    documents = chain_page.describe(body)

    assert documents.row["nextTime"] == next_time
    assert next_time not in " ".join(documents.detail["notes"])
    assert next_time in " ".join(explanation.explain(v1alpha1.parse(body)).notes)


ENDED = [
    ("StackFailed", "Failed", "Retry", "kubectl stackchain retry prod -n team-b"),
    ("RunCanceled", "Canceled", "Retry", "kubectl stackchain retry prod -n team-b"),
    ("DeadlineExceeded", "TimedOut", "Retry", "kubectl stackchain retry prod -n team-b"),
]


@pytest.mark.parametrize(("reason", "phase", "ask", "command"), ENDED)
def test_what_to_do_names_the_button_where_the_page_has_it(
    reason: str, phase: str, ask: str, command: str
) -> None:
    stacks = [samples.stack("a", "Canceled", reason="ChainCanceled")]
    ready = ("False", reason, "x")
    body = samples.chain("prod", stacks, ready=ready, phase=phase, namespace="team-b")

    detail = chain_page.describe(body).detail

    assert (detail["ask"], detail["command"]) == (ask, command)
    assert ask in detail["possible"]["actions"]
    assert "annotation" not in detail["do"]
    assert not detail["do"].endswith(".")


def test_a_button_that_is_not_there_is_not_named() -> None:
    """A chain that is being deleted takes no retry."""
    stacks = [samples.stack("a", "Canceled", reason="ChainCanceled")]
    body = samples.chain("prod", stacks, ready=("False", "RunCanceled", "x"), phase="Canceled")
    body["metadata"]["deletionTimestamp"] = samples.at(0)

    assert chain_page.describe(body).detail["ask"] == ""


def test_a_suspended_chain_is_resumed_by_its_button() -> None:
    body = samples.chain("prod", [], ready=("Unknown", "Suspended", "x"), namespace="team-b")
    body["spec"]["suspend"] = True

    detail = chain_page.describe(body).detail

    assert (detail["do"], detail["ask"]) == ("To continue, resume the chain", "Resume")


def test_a_stack_that_may_be_retried_names_its_button_and_command() -> None:
    body = samples.platform()

    advice = chain_page.describe(body).detail["advice"]

    assert advice["monitoring"]["actions"] == ["Retry", "Bypass"]
    assert (advice["monitoring"]["do"], advice["monitoring"]["ask"]) == (
        "Open the run at the link and fix the cause. Then retry it",
        "Retry",
    )
    assert advice["monitoring"]["command"] == (
        "kubectl stackchain retry platform --stack monitoring -n platform"
    )
    assert (advice["database"]["ask"], advice["database"]["command"]) == ("", "")


def test_each_reason_that_occurs_is_explained_once() -> None:
    detail = chain_page.describe(body_of("fleet-500")).detail

    stacks = detail["resource"]["status"]["stacks"]
    assert set(detail["meanings"]) == {one["reason"] for one in stacks}
    assert len(json.dumps(detail["meanings"])) < 4096
    assert detail["meanings"]["UpstreamPending"]["means"] == "An upstream stack has not ended yet."


def test_a_reason_of_a_newer_operator_has_no_meaning() -> None:
    body = samples.chain(
        "a", [samples.stack("a", "Waiting", reason="New")], ready=("True", "x", "")
    )

    assert chain_page.describe(body).detail["meanings"] == {}


@pytest.mark.parametrize("chain", ["team-b/other", ""])
def test_a_stack_that_another_chain_has_names_the_chain(chain: str) -> None:
    holder = holds.HoldingChain(chain=f"{chain} run 3" if chain else "", waits_for_person=True)
    meaning = holds.of_chain("vpc", holder)
    stack = samples.stack("vpc", "Waiting", reason=str(meaning.reason), message=meaning.message)
    body = samples.chain("a", [stack], ready=("Unknown", "Blocked", "x"))

    assert chain_page.describe(body).detail["advice"]["vpc"]["chain"] == chain


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
        "with --port, or omit --port to use any free port."
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
