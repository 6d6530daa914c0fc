import json
from typing import Any

import httpx
import pytest

from controller.api import v1alpha1
from controller.chain.graph import adoption
from controller.chain.run import run_states
from controller.spacelift import account_session, client, errors
from controller.spacelift.models import RunKey, RunRecord, StackEdge, StackHold, Viewer

ME = {"viewer": {"id": "me"}}
KEY = RunKey(stack_id="vpc", run_id="01RUN1")


async def test_the_viewer_is_whom_the_key_belongs_to(account: Any, spacelift: Any) -> None:
    account.script = [{"viewer": {"id": "api::01K", "name": None}}]

    assert await spacelift.get_viewer() == Viewer(id="api::01K", name="")


async def test_a_stack_is_read_with_its_edges(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    upstream = {"stackId": "eks", "dependsOnStackId": "vpc"}
    dependent = {"stackId": "app", "dependsOnStackId": "eks"}
    account.script = [
        ME
        | {
            "a0": stack_json(
                "eks",
                labels=["b", "a"],
                isDisabled=True,
                dependsOn=[upstream],
                isDependedOnBy=[dependent],
            )
        }
    ]

    stack = (await spacelift.get_stacks(["eks"]))["eks"]

    assert stack.labels == ("a", "b")
    assert stack.is_disabled
    assert stack.depends_on == (StackEdge(upstream_id="vpc", dependent_id="eks"),)
    assert stack.is_depended_on_by == (StackEdge(upstream_id="eks", dependent_id="app"),)


async def test_stacks_are_read_50_at_a_time_and_each_once(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    names = [f"stack-{n}" for n in range(120)]
    account.script = [lambda request: ME | _aliased(request, stack_json)]

    stacks = await spacelift.get_stacks([*names, "stack-0", "stack-119"])

    assert list(stacks) == names
    assert all(stacks[name].id == name for name in names)
    assert [len(body["variables"]) for body in account.bodies] == [50, 50, 20]


async def test_missing_and_invisible_stacks_are_none(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    data = ME | {"a0": stack_json("vpc"), "a1": None, "a2": None, "a3": None, "a4": None}
    denied = {"message": "unauthorized", "path": ["a2"]}
    account.script = [httpx.Response(200, json={"data": data, "errors": [denied]})]

    stacks = await spacelift.get_stacks(["vpc", "gone", "hidden"])

    assert stacks["vpc"].id == "vpc"
    assert stacks["gone"] is stacks["hidden"] is None
    assert len(account.exchanges) == 1


HELD = {
    "isDisabled": True,
    "lockedBy": "jdoe",
    "lockedAt": 1_767_225_600,
    "lockNote": "mending it",
    "blocker": {"id": "01R", "state": "APPLYING"},
}
HOLD = StackHold(
    is_disabled=True,
    locked_by="jdoe",
    locked_at=1_767_225_600,
    lock_note="mending it",
    blocker_id="01R",
    blocker_state="APPLYING",
)


async def test_what_holds_stacks_is_read_together(account: Any, spacelift: Any) -> None:
    free = {"isDisabled": False, "lockedBy": "", "lockedAt": None, "blocker": None}
    account.script = [ME | {"a0": HELD, "a1": free, "a2": None, "a3": None, "a4": None}]

    holds = await spacelift.get_stack_holds(["vpc", "eks", "gone"])

    assert holds == {"vpc": HOLD, "eks": StackHold(), "gone": None}
    assert len(account.exchanges) == 1


async def test_a_run_comes_with_what_holds_its_stack(
    account: Any, spacelift: Any, run_json: Any
) -> None:
    account.script = [ME | {"a0": HELD | {"run": run_json("01RUN1")}}]

    run = (await spacelift.get_runs([KEY]))[KEY]

    assert (run.run_id, run.hold) == ("01RUN1", HOLD)


async def test_the_newest_runs_of_many_stacks_come_in_one_request(
    account: Any, spacelift: Any, run_json: Any
) -> None:
    runs = [
        {key: run_json(run_id)[key] for key in ("id", "state", "type", "triggeredBy")}
        for run_id in ("01RUN1", "01RUN2")
    ]
    account.script = [
        ME | {"a0": {"runs": runs}, "a1": {"runs": []}, "a2": None, "a3": None, "a4": None}
    ]

    found = await spacelift.get_newest_runs(["vpc", "eks", "gone"])

    assert [run.run_id for run in found["vpc"].runs] == ["01RUN2", "01RUN1"]
    assert (found["eks"].runs, found["gone"]) == ((), None)
    assert len(account.requests) == 1


async def test_the_newest_run_comes_with_what_holds_the_stack(
    account: Any, spacelift: Any, run_json: Any
) -> None:
    page = {"runs": [run_json("01RUN1"), run_json("01RUN2")]}
    account.script = [ME | {"stack": HELD | page}, ME | {"stack": HELD | {"runs": []}}]

    newest, hold = await spacelift.get_newest_run("vpc")
    none, _ = await spacelift.get_newest_run("vpc", run_type="PROPOSED")

    assert (newest.run_id, hold, none) == ("01RUN2", HOLD, None)
    assert "proposedRuns" in account.bodies[-1]["query"]
    assert "proposedRuns" not in account.bodies[0]["query"]


async def test_nothing_asked_is_nothing_sent(account: Any, spacelift: Any) -> None:
    assert await spacelift.get_stacks([]) == {}
    assert await spacelift.get_runs([]) == {}
    assert await spacelift.list_stacks_by_labels([]) == []
    assert account.requests == []


async def test_only_stacks_that_carry_a_label_verbatim_are_listed(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    nodes = [
        stack_json("b", labels=["dependsOn:vpc"]),
        stack_json("a", labels=["x", "dependsOn:vpc"]),
        stack_json("near", labels=["dependsOn:vpc-2"]),
        stack_json("case", labels=["dependson:vpc"]),
    ]
    account.script = [ME | {"searchStacks": _page(nodes, None)}]

    stacks = await spacelift.list_stacks_by_labels(["dependsOn:vpc"])

    assert [stack.id for stack in stacks] == ["a", "b"]
    assert account.bodies[0]["variables"]["input"] == {
        "first": 50,
        "after": None,
        "predicates": [
            {"field": "label", "constraint": {"stringMatches": ["dependsOn:vpc"]}},
        ],
    }


async def test_stacks_with_all_labels_are_searched_with_one_predicate_for_each(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    nodes = [
        stack_json("b", labels=["net", "prod"]),
        stack_json("a", labels=["prod", "x", "net"]),
        stack_json("one", labels=["net"]),
    ]
    account.script = [ME | {"searchStacks": _page(nodes, None)}]

    stacks = await spacelift.list_stacks_with_labels(["net", "prod"], limit=9)

    assert [stack.id for stack in stacks] == ["a", "b"]
    assert account.bodies[0]["variables"]["input"]["predicates"] == [
        {"field": "label", "constraint": {"stringMatches": ["net"]}},
        {"field": "label", "constraint": {"stringMatches": ["prod"]}},
    ]


async def test_stacks_are_searched_by_text_in_one_request(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    account.script = [ME | {"searchStacks": _page([stack_json("vpc-prod")], "cursor-1")}]

    stacks = await spacelift.list_stacks_like("vpc")

    assert [stack.id for stack in stacks] == ["vpc-prod"]
    assert account.bodies[0]["variables"]["input"] == {"first": 50, "fullTextSearch": "vpc"}


async def test_a_search_for_stacks_with_all_labels_ends_once_there_are_too_many(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    account.script = [
        ME | {"searchStacks": _page([stack_json("a", labels=["net"])], "cursor-1")},
        ME | {"searchStacks": _page([stack_json("b", labels=["net"])], "cursor-2")},
    ]

    stacks = await spacelift.list_stacks_with_labels(["net"], limit=1)

    assert [stack.id for stack in stacks] == ["a", "b"]
    assert len(account.bodies) == 2


async def test_a_search_goes_through_all_pages_of_all_chunks_of_labels(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    labels = [f"l{n:02}" for n in range(60)]
    account.script = [
        ME | {"searchStacks": _page([stack_json("a", labels=["l00"])], "cursor-1")},
        ME | {"searchStacks": _page([stack_json("b", labels=["l00", "l59"])], None)},
        ME | {"searchStacks": _page([stack_json("b", labels=["l00", "l59"])], None)},
    ]

    stacks = await spacelift.list_stacks_by_labels(labels)

    inputs = [body["variables"]["input"] for body in account.bodies]
    sizes = [len(each["predicates"][0]["constraint"]["stringMatches"]) for each in inputs]
    assert [stack.id for stack in stacks] == ["a", "b"]
    assert [each["after"] for each in inputs] == [None, "cursor-1", None]
    assert sizes == [50, 50, 10]


async def test_a_search_ends_at_an_empty_cursor(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    page = _page([stack_json("a", labels=["l"])], None)
    page["pageInfo"] = {"endCursor": "", "hasNextPage": True}
    account.script = [ME | {"searchStacks": page}]

    assert [stack.id for stack in await spacelift.list_stacks_by_labels(["l"])] == ["a"]


async def test_a_search_that_stands_still_is_an_error_not_an_incomplete_list(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    account.script = [ME | {"searchStacks": _page([stack_json("a", labels=["l"])], "same")}]

    with pytest.raises(errors.AmbiguousOutcome, match="incomplete"):
        await spacelift.list_stacks_by_labels(["l"])


class TestListRunsAfter:
    RUNS = tuple(f"01R{n:03}" for n in range(100))

    @pytest.fixture
    def pages(self, account: Any, run_json: Any) -> Any:
        """Runs 01R000 to 01R099 in pages of 10, newest first."""

        def app(request: httpx.Request) -> Any:
            before = _variables(request)["before"]
            older = [run for run in self.RUNS if before is None or run < before]
            page = [run_json(run) for run in sorted(older, reverse=True)[:10]]
            return ME | {"stack": {"id": "vpc", "runs": page}}

        account.script = [app]
        return account

    async def test_gives_newer_runs_only_newest_first(self, pages: Any, spacelift: Any) -> None:
        runs = await spacelift.list_runs_after("vpc", "01R074")

        assert [run.run_id for run in runs] == sorted(self.RUNS[75:], reverse=True)
        assert [body["variables"]["before"] for body in pages.bodies] == [
            None,
            "01R090",
            "01R080",
        ]
        assert {run.stack_id for run in runs} == {"vpc"}

    async def test_needs_one_page_when_nothing_is_newer(self, pages: Any, spacelift: Any) -> None:
        assert await spacelift.list_runs_after("vpc", "01R099") == []
        assert len(pages.requests) == 1

    async def test_without_a_run_reads_the_first_page_only(
        self, pages: Any, spacelift: Any
    ) -> None:
        runs = await spacelift.list_runs_after("vpc", None)

        assert [run.run_id for run in runs] == sorted(self.RUNS[90:], reverse=True)
        assert len(pages.requests) == 1

    async def test_goes_to_the_end_of_the_list(self, pages: Any, spacelift: Any) -> None:
        assert len(await spacelift.list_runs_after("vpc", "00000")) == 100

    async def test_stops_at_the_limit(self, pages: Any, spacelift: Any) -> None:
        runs = await spacelift.list_runs_after("vpc", "00000", limit=15)

        assert [run.run_id for run in runs] == sorted(self.RUNS[85:], reverse=True)
        assert len(pages.requests) == 2

    async def test_ends_although_before_is_ignored(
        self, account: Any, spacelift: Any, run_json: Any
    ) -> None:
        account.script = [ME | {"stack": {"runs": [run_json("01R2"), run_json("01R1")]}}]

        runs = await spacelift.list_runs_after("vpc", "01R0")

        assert [run.run_id for run in runs] == ["01R2", "01R1"]
        assert len(account.requests) == 2

    async def test_of_a_stack_that_cannot_be_seen_is_not_found(
        self, account: Any, spacelift: Any
    ) -> None:
        account.script = [ME | {"stack": None}]

        with pytest.raises(errors.SpaceliftObjectNotFound, match="stack vpc"):
            await spacelift.list_runs_after("vpc", None)

    async def test_reads_proposed_runs_from_their_own_list(
        self, pages: Any, spacelift: Any
    ) -> None:
        await spacelift.list_runs_after("vpc", None, run_type="PROPOSED")

        assert "runs: proposedRuns(" in pages.bodies[0]["query"]


async def test_runs_are_read_50_to_a_request(account: Any, spacelift: Any, run_json: Any) -> None:
    keys = [RunKey(stack_id=f"stack-{n % 7}", run_id=f"01R{n}") for n in range(71)]
    account.script = [lambda request: ME | _aliased_runs(request, run_json)]

    runs = await spacelift.get_runs([*keys, keys[0]])

    assert list(runs) == keys
    assert all(run.key == key for key, run in runs.items())
    assert [len(body["variables"]) for body in account.bodies] == [100, 100]
    assert account.requests[0].headers["Spacelift-GraphQL-Query"] == "GetRuns"


async def test_missing_and_invisible_runs_are_none(
    account: Any, spacelift: Any, run_json: Any
) -> None:
    keys = [RunKey(stack_id=stack_id, run_id="01R") for stack_id in "abcd"]
    data = ME | {"a0": {"run": run_json("01R")}, "a1": {"run": None}, "a2": None, "a3": None}
    failed = [
        {"message": "unauthorized", "path": ["a2"]},
        {"message": "not found", "path": ["a3", "run"]},
    ]
    account.script = [httpx.Response(200, json={"data": data, "errors": failed})]

    runs = await spacelift.get_runs(keys)

    assert [runs[key] is None for key in keys] == [False, True, True, True]


@pytest.mark.parametrize(
    ("message", "path", "expected"),
    [
        ("internal error", ["a1"], errors.AmbiguousOutcome),
        ("too many aliases", ["a1"], errors.SpaceliftRefused),
        ("unauthorized", ["a1", "run", "commit"], errors.PermissionDenied),
    ],
)
async def test_a_run_is_not_taken_for_missing_because_of_another_error(
    account: Any, spacelift: Any, run_json: Any, message: str, path: Any, expected: Any
) -> None:
    keys = [RunKey(stack_id=stack_id, run_id="01R") for stack_id in "abc"]
    data = ME | {"a0": {"run": run_json("01R")}, "a1": None, "a2": None}
    failed = [{"message": "unauthorized", "path": ["a2"]}, {"message": message, "path": path}]
    account.script = [httpx.Response(200, json={"data": data, "errors": failed})]

    with pytest.raises(expected):
        await spacelift.get_runs(keys)


async def test_a_run_comes_with_its_delta_and_newest_note(
    account: Any, spacelift: Any, run_json: Any
) -> None:
    delta = {"addCount": 1, "changeCount": 2, "deleteCount": 3}
    history = [{"state": "FAILED", "note": "plan denied"}, {"state": "QUEUED", "note": "old"}]
    run = run_json(
        state="FAILED", finished=True, triggeredBy="", delta=delta, history=history, commit=None
    )
    account.script = [ME | {"stack": {"id": "vpc", "run": run}}]

    assert await spacelift.get_run(KEY) == RunRecord(
        run_id="01RUN1",
        stack_id="vpc",
        state="FAILED",
        type="TRACKED",
        finished=True,
        delta=v1alpha1.Delta(added=1, changed=2, deleted=3),
        note="plan denied",
    )


async def test_a_missing_run_is_none(account: Any, spacelift: Any, failure: Any) -> None:
    account.script = [
        ME | {"stack": None},
        ME | {"stack": {"run": None}},
        failure("not found", "stack", "run", data=ME | {"stack": {"run": None}}),
    ]

    assert [await spacelift.get_run(KEY) for _ in range(3)] == [None, None, None]


async def test_a_run_in_an_unknown_state_is_read_as_it_is(
    account: Any, spacelift: Any, run_json: Any
) -> None:
    account.script = [ME | {"stack": {"run": run_json(state="PONDERING")}}]

    run = await spacelift.get_run(KEY)

    assert run.state == "PONDERING"
    assert not run.is_terminal


async def test_a_trigger_says_what_it_means_and_carries_the_marker(
    account: Any, spacelift: Any, run_json: Any
) -> None:
    account.script = [{"run": run_json()}]

    run = await spacelift.trigger_run("vpc", marker="team/chain-7", commit_sha="4f0c2d9")

    headers = account.requests[0].headers
    assert run.key == KEY
    assert account.bodies[0]["variables"] == {"stack": "vpc", "type": "TRACKED", "sha": "4f0c2d9"}
    assert headers["Spacelift-User-Provided-Run-Metadata"] == "team/chain-7"
    assert headers["Spacelift-Client-Type"] == "stackchain"
    assert headers["Spacelift-GraphQL-Mutation"] == "TriggerRun"
    assert str(account.requests[0].url) == "https://acme.app.spacelift.io/graphql"


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("a\r\nEvil: b", "a--Evil: b"),
        (" chaîne\x00 ", "cha-ne-"),
        ("x" * 600, "x" * 512),
    ],
)
async def test_a_marker_becomes_a_legal_header_value(
    account: Any, spacelift: Any, run_json: Any, marker: str, expected: str
) -> None:
    account.script = [{"run": run_json()}]

    await spacelift.trigger_run("vpc", marker=marker)

    headers = account.requests[0].headers
    assert headers["Spacelift-User-Provided-Run-Metadata"] == expected
    assert "Evil" not in headers


async def test_a_run_can_have_an_environment_of_its_own(
    account: Any, spacelift: Any, run_json: Any
) -> None:
    account.script = [{"run": run_json()}]

    await spacelift.trigger_run("vpc", marker="m", environment={"WAVE": "7"})
    await spacelift.trigger_run("vpc", marker="m", environment={})

    pairs = [{"key": "WAVE", "value": "7"}]
    assert account.bodies[0]["variables"]["config"] == {"environment": pairs}
    assert "runtimeConfig" not in account.bodies[1]["query"]


@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("confirm_run", "runConfirm"),
        ("discard_run", "runDiscard"),
        ("cancel_run", "runCancel"),
        ("stop_run", "runStop"),
    ],
)
async def test_acting_on_a_run_names_the_run_and_leaves_a_note(
    account: Any, spacelift: Any, run_json: Any, method: str, field: str
) -> None:
    account.script = [{"run": run_json(state="CONFIRMED")}]

    run = await getattr(spacelift, method)(KEY, note="chain 7 canceled")

    assert run.state == "CONFIRMED"
    assert f"run: {field}(" in account.bodies[0]["query"]
    assert account.bodies[0]["variables"] == {
        "stack": "vpc",
        "run": "01RUN1",
        "note": "chain 7 canceled",
    }
    assert "Spacelift-User-Provided-Run-Metadata" not in account.requests[0].headers


async def test_a_client_for_a_private_ca_trusts_that_file_only(tmp_path: Any, key: Any) -> None:
    with pytest.raises(FileNotFoundError):
        client.SpaceliftClient(
            account_session.AccountSession(
                endpoint="https://spacelift.corp.example",
                read_api_key=key,
                ca_file=str(tmp_path / "missing.pem"),
            )
        )


def _variables(request: httpx.Request) -> Any:
    return json.loads(request.content)["variables"]


def _aliased(request: httpx.Request, stack_json: Any) -> Any:
    variables = _variables(request)
    return {f"a{name[1:]}": stack_json(stack_id) for name, stack_id in variables.items()}


def _aliased_runs(request: httpx.Request, run_json: Any) -> Any:
    runs = {name: value for name, value in _variables(request).items() if name.startswith("r")}
    return {f"a{name[1:]}": {"run": run_json(run_id)} for name, run_id in runs.items()}


def _page(nodes: list[Any], cursor: str | None) -> Any:
    info = {"endCursor": cursor, "hasNextPage": cursor is not None}
    return {"edges": [{"node": node} for node in nodes], "pageInfo": info}


async def test_when_runs_started_and_ended_is_read_together(account: Any, spacelift: Any) -> None:
    def history(*entries: tuple[str, int]) -> dict[str, Any]:
        listed = [{"state": state, "timestamp": at} for state, at in reversed(entries)]
        return {"run": {"id": "x", "history": listed}}

    account.script = [
        ME
        | {
            "a0": history(("QUEUED", 1), ("READY", 2), ("PREPARING", 3), ("FINISHED", 9)),
            "a1": history(("QUEUED", 1), ("SKIPPED", 4)),
            "a2": history(("QUEUED", 1), ("PLANNING", 5)),
            "a3": {"run": None},
            "a4": None,
        }
    ]
    keys = [RunKey(stack_id="vpc", run_id=f"0{number}") for number in range(5)]

    found = await spacelift.get_run_times(keys)

    assert list(found.values()) == [
        adoption.RunTimes(started_at=3, ended_at=9),
        adoption.RunTimes(ended_at=4, is_usable=False),
        adoption.RunTimes(started_at=5),
        None,
        None,
    ]


def _wanted(*numbers: int) -> list[tuple[RunKey, str]]:
    return [(RunKey(stack_id="vpc", run_id=f"{number:02}"), f"why {number}") for number in numbers]


async def test_many_runs_are_ended_in_as_few_documents_as_hold_each_of_them_once(
    account: Any, spacelift: Any, run_json: Any
) -> None:
    canceled = run_json("01RUN1") | {"state": "CANCELED", "finished": True}
    account.script = [{f"a{position}": canceled for position in range(size)} for size in (5, 1, 1)]

    ended = await spacelift.end_runs(run_states.StopCall.CANCEL, _wanted(*range(7)))

    assert [run.state for run in ended.values()] == ["CANCELED"] * 7
    variables = [body["variables"] for body in account.bodies]
    assert [given["r0"] for given in variables] == ["00", "05", "06"]
    assert (variables[0]["r4"], variables[0]["n4"]) == ("04", "why 4")


async def test_what_became_of_each_run_is_told_apart_as_far_as_it_is_known(
    account: Any, spacelift: Any, run_json: Any
) -> None:
    account.script = [
        httpx.Response(
            200,
            json={
                "data": {"a0": run_json("01RUN1"), **dict.fromkeys(("a1", "a2", "a3", "a4"))},
                "errors": [
                    {"message": "run cannot be canceled: it is PLANNING", "path": ["a1"]},
                    {"message": "run 02 not found", "path": ["a2"]},
                    {"message": "internal error", "path": ["a3", "state"]},
                ],
            },
        )
    ]

    ended = await spacelift.end_runs(run_states.StopCall.CANCEL, _wanted(*range(5)))

    kinds = {key.run_id: type(end) for key, end in ended.items()}
    assert kinds == {
        "00": RunRecord,
        "01": errors.SpaceliftRefused,
        "02": errors.SpaceliftObjectNotFound,
    }


async def test_nothing_to_end_asks_for_nothing(account: Any, spacelift: Any) -> None:
    assert await spacelift.end_runs(run_states.StopCall.STOP, []) == {}
    assert not account.requests
