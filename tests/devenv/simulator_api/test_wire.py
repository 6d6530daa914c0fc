"""The simulator's GraphQL as clients meet it: as strict as production, and as quirky."""

import base64
import json
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

from devenv.simulator.gql import schema
from tests.support import simulator_client
from tests.support.simulator_client import KEY, LOGIN, READER, TRIGGER

SLOW = {"durations": {"planning": 600}}


def claims_of(token: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


# -- documents -----------------------------------------------------------------------------------


# document -> the beginning of the error
REFUSED = {
    "unknown-field": ("{ viewer { id shoe } }", "Cannot query field 'shoe'"),
    "unknown-argument": ('{ stack(id: "a", x: 1) { id } }', "Unknown argument 'x'"),
    "unknown-enum": ('mutation { runTrigger(stack: "a", runType: NOW) { id } }', "Value 'NOW'"),
    "syntax": ("{ viewer { id }", "Syntax Error"),
    "empty": ("", "Syntax Error"),
    "metadata-is-no-field": (
        '{ stack(id: "a") { runs { userProvidedMetadata } } }',
        "Cannot query field",
    ),
}


@pytest.mark.parametrize(("document", "text"), REFUSED.values(), ids=REFUSED)
async def test_a_wrong_document_is_an_error_in_a_200(document: str, text: str) -> None:
    async with simulator_client.connect({"stacks": ["a"]}) as wire:
        await wire.login()

        answer = await wire.ask(document)

    assert answer["errors"][0]["message"].startswith(text)
    assert answer.get("data") is None


async def test_a_missing_variable_is_an_error_and_triggers_nothing() -> None:
    async with simulator_client.connect({"stacks": ["a"]}) as wire:
        await wire.login()

        assert "errors" in await wire.ask(TRIGGER)
        assert wire.simulator.account.runs == {}


async def test_an_empty_variable_list_is_accepted() -> None:
    async with simulator_client.connect({"stacks": ["a"]}) as wire:
        await wire.login()

        data = await wire.data("query GetStacks () { stacks { id } }")

    assert data == {"stacks": [{"id": "a"}]}


async def test_a_get_and_a_body_that_is_no_json_are_refused_by_http() -> None:
    async with simulator_client.connect({}) as wire:
        url = f"{wire.server.url}/graphql"
        async with wire.session.get(url) as got, wire.session.post(url, data="{") as posted:
            assert (got.status, posted.status) == (405, 400)


async def test_introspection_and_debug_info_need_no_token() -> None:
    async with simulator_client.connect({"behavior": {"unauthorizedMode": "B"}}) as wire:
        data = await wire.data('{ debugInfo { selfHostedVersion } __type(name: "Run") { name } }')

    assert data == {"debugInfo": {"selfHostedVersion": ""}, "__type": {"name": "Run"}}


# -- tokens --------------------------------------------------------------------------------------


async def test_a_token_names_the_base_url_as_its_only_audience() -> None:
    async with simulator_client.connect({}) as wire:
        claims = claims_of(await wire.login())

        assert claims["aud"] == [wire.server.url]
        assert (claims["iss"], claims["sub"]) == ("api-key", KEY["id"])


async def test_an_unknown_key_is_null_and_a_wrong_secret_an_error() -> None:
    async with simulator_client.connect({}) as wire:
        unknown = await wire.ask(LOGIN, id="x", secret="y")
        wrong = await wire.ask(LOGIN, id=KEY["id"], secret="y")
        await wire.admin("PATCH", "/behavior", {"wrongSecret": "null"})
        null = await wire.ask(LOGIN, id=KEY["id"], secret="y")

    assert unknown == {"data": {"apiKeyUser": None}}
    assert wrong["errors"][0]["message"] == "unauthorized"
    assert null == {"data": {"apiKeyUser": None}}


BAD_TOKENS = {"none": None, "empty": "Bearer ", "garbage": "Bearer x.y.z", "basic": "Basic eA=="}
LISTS = "{ viewer { id } stacks { id } searchStacks(input: {}) { edges { node { id } } } }"


@pytest.mark.parametrize("header", BAD_TOKENS.values(), ids=BAD_TOKENS)
async def test_without_a_good_token_lists_are_empty_and_the_rest_unauthorized(
    header: str | None,
) -> None:
    headers = {"Authorization": header} if header is not None else {}
    async with simulator_client.connect({"stacks": ["a"]}) as wire:
        lists = await wire.ask(LISTS, headers)
        single = await wire.ask('{ stack(id: "a") { id } }', headers)
        mutation = await wire.ask(TRIGGER, headers, s="a")

        assert lists == {"data": {"viewer": None, "stacks": [], "searchStacks": {"edges": []}}}
        assert single["data"] == {"stack": None}
        assert single["errors"][0]["message"] == mutation["errors"][0]["message"] == "unauthorized"
        assert wire.simulator.account.runs == {}


async def test_mode_b_answers_401_with_the_word_in_the_body() -> None:
    async with simulator_client.connect({"behavior": {"unauthorizedMode": "B"}}) as wire:
        async with wire.post("{ viewer { id } }") as response:
            status, text = response.status, await response.text()
        token = await wire.login()

    assert (status, text) == (401, "unauthorized")
    assert token


async def test_tokens_run_out_and_can_be_revoked() -> None:
    async with simulator_client.connect({"behavior": {"tokenLife": 0.05}}) as wire:
        await wire.login()
        while (await wire.data("{ viewer { id } }"))["viewer"] is not None:
            pass
        await wire.admin("PATCH", "/behavior", {"tokenLife": 60})
        await wire.login()
        before = await wire.data("{ viewer { id } }")
        await wire.admin("POST", "/tokens/revoke")
        after = await wire.data("{ viewer { id } }")

    assert before == {"viewer": {"id": KEY["id"]}}
    assert after == {"viewer": None}


async def test_a_reader_reads_and_changes_nothing() -> None:
    async with simulator_client.connect({"stacks": ["a"]}) as wire:
        await wire.login(READER)

        data = await wire.data('{ viewer { id } stack(id: "a") { id canWrite } }')
        assert data["stack"] == {"id": "a", "canWrite": False}
        assert await wire.error(TRIGGER, s="a") == "unauthorized"


async def test_a_key_sees_the_stacks_of_its_spaces_and_of_those_below() -> None:
    scenario = {
        "keys": [{**KEY, "spaces": ["net"]}],
        "spaces": {"net": {}, "net-eu": {"parent": "net"}, "apps": {}},
        "stacks": {"a": {"space": "net"}, "b": {"space": "net-eu"}, "c": {"space": "apps"}},
        "edges": ["a -> c"],
    }
    async with simulator_client.connect(scenario) as wire:
        await wire.login()

        data = await wire.data(
            '{ stacks { id } stack(id: "c") { id } '
            'a: stack(id: "a") { isDependedOnBy { stackId } } }'
        )
        assert [stack["id"] for stack in data["stacks"]] == ["a", "b"]
        assert data["stack"] is None
        assert data["a"] == {"isDependedOnBy": [{"stackId": "c"}]}
        assert await wire.error(TRIGGER, s="c") == "unauthorized"


# -- reading -------------------------------------------------------------------------------------


async def test_what_is_missing_is_null_or_not_found() -> None:
    async with simulator_client.connect({"stacks": ["a", "b"]}) as wire:
        await wire.login()
        run = await wire.trigger("a")
        document = (
            'query ($r: ID!) { none: stack(id: "x") { id } '
            'own: stack(id: "a") { run(id: $r) { id } } '
            'other: stack(id: "b") { run(id: $r) { id } runResourceState(id: $r) { id } } }'
        )

        data = await wire.data(document, r=run)
        missing = await wire.error('{ runStack(runId: "x") { id } }')
        stack = await wire.data("query ($r: ID!) { runStack(runId: $r) { id } }", r=run)

    assert data == {
        "none": None,
        "own": {"run": {"id": run}},
        "other": {"run": None, "runResourceState": None},
    }
    assert missing == "not found"
    assert stack == {"runStack": {"id": "a"}}


async def test_search_pages_hold_fifty_at_most_and_cursors_lead_through_all() -> None:
    names = [f"s{number:03}" for number in range(120)]
    document = (
        "query ($i: SearchInput!) { searchStacks(input: $i) "
        "{ edges { node { id } } pageInfo { endCursor hasNextPage hasPreviousPage } } }"
    )
    found: list[str] = []
    sizes = []
    async with simulator_client.connect({"stacks": names}) as wire:
        await wire.login()
        cursor = None
        while True:
            # Every member may be null: spacectl sends them all.
            search = {"first": 100, "after": cursor, "predicates": None, "orderBy": None}
            page = (await wire.data(document, i=search))["searchStacks"]
            sizes.append(len(page["edges"]))
            found += [edge["node"]["id"] for edge in page["edges"]]
            cursor = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break

    assert sizes == [50, 50, 20]
    assert found == names


PREDICATES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "label": ({"field": "label", "constraint": {"stringMatches": ["x"]}}, ["a"]),
    "exclude": (
        {"field": "label", "constraint": {"stringMatches": ["x"]}, "exclude": True},
        ["b", "c"],
    ),
    "state": ({"field": "state", "constraint": {"enumEquals": ["FINISHED"]}}, ["b"]),
    "locked": ({"field": "locked", "constraint": {"booleanEquals": [True]}}, ["c"]),
    "repository": ({"field": "repository", "constraint": {"stringMatches": ["r"]}}, ["b"]),
}


@pytest.mark.parametrize(("predicate", "stacks"), PREDICATES.values(), ids=PREDICATES)
async def test_stacks_are_found_by_predicate(predicate: dict[str, Any], stacks: list[str]) -> None:
    scenario = {
        "stacks": {
            "a": {"labels": ["x", "y"]},
            "b": {"state": "FINISHED", "repository": "r"},
            "c": {"lockedBy": "ann"},
        }
    }
    document = "query ($i: SearchInput!) { searchStacks(input: $i) { edges { node { id } } } }"
    async with simulator_client.connect(scenario) as wire:
        await wire.login()

        data = await wire.data(document, i={"predicates": [predicate]})
        wrong = {**predicate, "field": "shoe"}
        assert "shoe" in await wire.error(document, i={"predicates": [wrong]})

    assert [edge["node"]["id"] for edge in data["searchStacks"]["edges"]] == stacks


async def test_run_lists_page_by_before_newest_first() -> None:
    scenario = {"stacks": {"a": SLOW}, "behavior": {"runsPageSize": 2}}
    document = 'query ($b: ID) { stack(id: "a") { runs(before: $b) { id } } }'
    pages = []
    async with simulator_client.connect(scenario) as wire:
        await wire.login()
        runs = [await wire.trigger("a") for _ in range(5)]
        before = None
        while page := (await wire.data(document, b=before))["stack"]["runs"]:
            pages.append([run["id"] for run in page])
            before = page[-1]["id"]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert sum(pages, []) == runs[::-1]  # noqa: RUF017 - five entries


async def test_runs_proposed_runs_and_tasks_are_lists_of_their_own() -> None:
    document = (
        'mutation { t: runTrigger(stack: "a") { id } '
        'p: runTrigger(stack: "a", runType: PROPOSED) { id } '
        'k: taskCreate(stack: "a", command: "ls") { id } }'
    )
    async with simulator_client.connect({"stacks": {"a": SLOW}}) as wire:
        await wire.login()
        made = await wire.data(document)
        lists = '{ stack(id: "a") { runs { id } proposedRuns { id } tasks { id } } }'
        stack = (await wire.data(lists))["stack"]

    assert stack == {
        "runs": [made["t"]],
        "proposedRuns": [made["p"]],
        "tasks": [made["k"]],
    }


async def test_a_new_run_may_be_missing_from_lists_for_a_while() -> None:
    scenario = {"stacks": {"a": SLOW}, "clock": "virtual", "behavior": {"runsLag": 3}}
    document = (
        'query ($r: ID!) { stack(id: "a") { runs { id } run(id: $r) { id } } '
        "searchRuns(input: {}) { edges { node { run { id } } } } }"
    )
    async with simulator_client.connect(scenario) as wire:
        await wire.login()
        run = await wire.trigger("a")
        early = await wire.data(document, r=run)
        await wire.admin("POST", "/clock", {"advance": 3})
        late = await wire.data(document, r=run)

    assert early["stack"] == {"runs": [], "run": {"id": run}}
    assert early["searchRuns"]["edges"] == []
    assert late["stack"]["runs"] == [{"id": run}]


async def test_history_is_newest_first() -> None:
    scenario = {"stacks": {"a": SLOW}, "clock": "virtual"}
    document = (
        'query ($r: ID!) { stack(id: "a") { run(id: $r) '
        "{ history { state stateVersion terminal hasLogs } } } }"
    )
    async with simulator_client.connect(scenario) as wire:
        await wire.login()
        run = await wire.trigger("a")
        await wire.admin("POST", "/clock", {"advance": 5})
        history = (await wire.data(document, r=run))["stack"]["run"]["history"]

    states = [entry["state"] for entry in history]
    assert states == ["PLANNING", "INITIALIZING", "PREPARING", "READY", "QUEUED"]
    assert [entry["stateVersion"] for entry in history] == [4, 3, 2, 1, 0]
    assert history[0] == {
        "state": "PLANNING",
        "stateVersion": 4,
        "terminal": False,
        "hasLogs": True,
    }


async def test_the_log_of_a_past_phase_is_finished() -> None:
    scenario = {"stacks": {"a": SLOW}, "clock": "virtual"}
    fields = "{ exists finished hasMore nextToken messages { message } }"
    document = (
        'query ($r: ID!) { stack(id: "a") { run(id: $r) '
        f"{{ past: logs(state: PREPARING) {fields} now: logs(state: PLANNING) {fields} "
        f'end: logs(state: PLANNING, token: "end") {fields} '
        f"none: logs(state: APPLYING) {fields} }} }} }}"
    )
    async with simulator_client.connect(scenario) as wire:
        await wire.login()
        run = await wire.trigger("a")
        await wire.admin("POST", "/clock", {"advance": 5})
        logs = (await wire.data(document, r=run))["stack"]["run"]

    assert (logs["past"]["finished"], logs["past"]["nextToken"]) == (True, None)
    assert (logs["now"]["finished"], logs["now"]["nextToken"]) == (False, "end")
    assert logs["end"]["messages"] == []
    assert (logs["none"]["exists"], logs["none"]["finished"]) == (False, True)


# -- changing ------------------------------------------------------------------------------------


async def test_two_triggers_make_two_runs() -> None:
    async with simulator_client.connect({"stacks": {"a": SLOW}}) as wire:
        await wire.login()

        first, second = [(await wire.data(TRIGGER, s="a"))["runTrigger"] for _ in range(2)]

    assert first["id"] < second["id"]
    assert first["triggeredBy"] == f"api::{KEY['id']}"
    assert (first["state"], first["type"]) == ("QUEUED", "TRACKED")


async def test_metadata_is_recorded_and_shown_only_by_switch() -> None:
    header = "spacelift-user-provided-run-metadata"
    document = '{ stack(id: "a") { runs { userProvidedMetadata } } }'
    confirm = 'mutation { runConfirm(stack: "a") { id } }'
    scenario = {"stacks": ["a"], "clock": "virtual"}
    async with simulator_client.connect(scenario) as wire:
        await wire.login()
        await wire.ask(TRIGGER, {header: "first"}, s="a")
        await wire.admin("POST", "/clock", {"advance": 60})
        await wire.ask(confirm, {header.upper(): "second"})
        await wire.ask('mutation { runComment(stack: "a", run: "x", body: "b") { body } }')
        await wire.admin("PATCH", "/behavior", {"exposeMetadata": True})

        data = await wire.data(document)
        runs = (await wire.admin("GET", "/runs"))["runs"]

    assert data["stack"]["runs"] == [{"userProvidedMetadata": ["first", "second"]}]
    assert runs[0]["metadata"] == ["first", "second"]


# what is asked of a stack `a` (disabled `off`, locked `mine`) -> part of the refusal
REFUSALS = {
    "unknown-stack": ('mutation { runTrigger(stack: "x") { id } }', "not found"),
    "unknown-commit": ('mutation { runTrigger(stack: "a", commitSha: "x") { id } }', "commit"),
    "task-type": ('mutation { runTrigger(stack: "a", runType: TASK) { id } }', "TASK"),
    "disabled": ('mutation { runTrigger(stack: "off") { id } }', "disabled"),
    "locked": ('mutation { runTrigger(stack: "mine") { id } }', "locked"),
    "force-proposed": (
        'mutation { runTrigger(stack: "a", runType: PROPOSED, forceApply: SINGLE) { id } }',
        "force-applied",
    ),
    "bad-yaml": (
        'mutation { runTrigger(stack: "a", runtimeConfig: {yaml: "["}) { id } }',
        "YAML",
    ),
    "unknown-run": ('mutation { runConfirm(stack: "a", run: "x") { id } }', "not found"),
    "no-blocker": ('mutation { runConfirm(stack: "a") { id } }', "not blocked"),
    "cycle": (
        'mutation { stackDependencyCreate(input: {stackId: "a", dependsOnStackId: "b"}) { id } }',
        "cycle",
    ),
    "unknown-upstream": (
        'mutation { stackDependencyCreate(input: {stackId: "a", dependsOnStackId: "x"}) { id } }',
        "dependency stack x not found",
    ),
    "delete-upstream": ('mutation { stackDelete(id: "a") { id } }', "dependents"),
    "double-lock": ('mutation { stackLock(id: "mine") { id } }', "locked"),
    "replan": (
        'mutation { runTargetedReplan(stack: "a", run: "x", targets: []) { id } }',
        "not found",
    ),
    "priority-on-public-pool": (
        'mutation { runPrioritizeSet(stack: "a", run: "RUN", prioritize: true) { id } }',
        "private",
    ),
    "review-nothing": (
        'mutation { runReview(stack: "a", run: "RUN", decision: APPROVE) { id } }',
        "approval",
    ),
    "local-preview": (
        'mutation { runProposeLocalWorkspace(stack: "a", workspace: "w") { id } }',
        "local preview",
    ),
    "github-token": ('mutation { oauthUser(token: "x") { jwt } }', "unauthorized"),
}


@pytest.mark.parametrize(("document", "text"), REFUSALS.values(), ids=REFUSALS)
async def test_what_spacelift_would_refuse_is_refused(document: str, text: str) -> None:
    stacks = {"off": {"disabled": True}, "mine": {"lockedBy": "ann"}, "a": SLOW}
    async with simulator_client.connect({"stacks": stacks, "edges": ["a -> b"]}) as wire:
        await wire.login()
        if "RUN" in document:
            document = document.replace("RUN", await wire.trigger("a"))

        assert text in await wire.error(document)


async def test_a_batch_is_one_wave_and_lists_the_runs_on_dependents() -> None:
    scenario = {
        "keys": [{**KEY, "spaces": ["net"]}],
        "spaces": {"net": {}},
        "stacks": {"a": {"space": "net", **SLOW}, "b": {"space": "net"}, "c": {}},
        "edges": ["a -> b -> c"],
    }
    document = (
        "mutation ($i: RunTriggerBatchInput!) "
        "{ runTriggerBatch(input: $i) { runs { runId run { stackId triggeredBy } } } }"
    )
    async with simulator_client.connect(scenario) as wire:
        await wire.login()
        data = await wire.data(document, i={"stacks": [{"stack": "a"}, {"stack": "b"}]})

    shown = [item["run"] for item in data["runTriggerBatch"]["runs"]]
    login = f"api::{KEY['id']}"
    assert shown == [
        {"stackId": "a", "triggeredBy": login},
        {"stackId": "b", "triggeredBy": login},
        None,
    ]


async def test_a_deleted_stack_is_deleting_first_and_null_then() -> None:
    document = '{ stack(id: "a") { deleting } }'
    async with simulator_client.connect({"stacks": ["a"], "clock": "virtual"}) as wire:
        await wire.login()
        await wire.data('mutation { stackDelete(id: "a") { id } }')
        first = await wire.data(document)
        await wire.admin("POST", "/clock", {"advance": 1})
        then = await wire.data(document)

    assert (first, then) == ({"stack": {"deleting": True}}, {"stack": None})


async def test_edges_and_references_are_made_read_and_removed() -> None:
    reference = '{outputName: "o", inputName: "TF_VAR_o", type: "ENVIRONMENT_VARIABLE"}'
    async with simulator_client.connect({"stacks": ["a", "b"]}) as wire:
        await wire.login()
        create = (
            "mutation { stackDependencyCreate(input: "
            '{stackId: "b", dependsOnStackId: "a"}) { id referenceCount } }'
        )
        edge = (await wire.data(create))["stackDependencyCreate"]["id"]
        add = (
            "mutation ($e: ID!) { stackDependenciesAddReference("
            f"stackDependencyID: $e, reference: {reference}) {{ id }} }}"
        )
        made = (await wire.data(add, e=edge))["stackDependenciesAddReference"]["id"]
        read = (
            '{ stack(id: "b") { dependsOn { id dependsOnStackId referenceCount } '
            'dependency(id: "", dependsOnStackId: "a") { id '
            'reference(inputName: "TF_VAR_o") { id outputName } } } }'
        )
        stack = (await wire.data(read))["stack"]
        await wire.data(
            "mutation ($r: ID!) { stackDependenciesDeleteReference(id: $r) { id } }", r=made
        )
        await wire.data("mutation ($e: ID!) { stackDependencyDelete(id: $e) { id } }", e=edge)
        gone = (await wire.data(read))["stack"]

    assert stack["dependsOn"] == [{"id": edge, "dependsOnStackId": "a", "referenceCount": 1}]
    assert stack["dependency"]["reference"] == {"id": made, "outputName": "o"}
    assert gone == {"dependsOn": [], "dependency": None}


# -- everything resolves -------------------------------------------------------------------------


def select(type_: GraphQLObjectType, depth: int) -> str:
    """Select all fields of a type, some levels deep."""
    parts = []
    for name, field in type_.fields.items():
        arguments = argument_texts(field)
        inner = get_named_type(field.type)
        if is_leaf_type(inner):
            parts.append(name + arguments)
        elif depth and isinstance(inner, GraphQLObjectType):
            parts.append(f"{name}{arguments} {{ {select(inner, depth - 1)} }}")
        elif depth and isinstance(inner, GraphQLUnionType):
            members = " ".join(
                f"... on {member.name} {{ {aliased(member)} }}" for member in inner.types
            )
            parts.append(f"{name} {{ __typename {members} }}")
    return " ".join(parts) or "__typename"


def aliased(member: GraphQLObjectType) -> str:
    return " ".join(f"{member.name}_{name}: {name}" for name in member.fields)


def argument_texts(field: GraphQLField) -> str:
    values = {"state": "PLANNING", "input": "{}", "id": "$id", "runId": "$run"}
    texts = [
        f"{name}: {values[name]}"
        for name, argument in field.args.items()
        if isinstance(argument.type, GraphQLNonNull)
    ]
    return f"({', '.join(texts)})" if texts else ""


async def test_every_field_of_the_schema_resolves() -> None:
    query = schema.load().query_type
    assert query is not None
    endpoint = "http://127.0.0.1:9/"
    scenario = {
        "clock": "virtual",
        "workerPools": {"a": {"workers": 2}},
        "spaces": {"a": {}},
        "stacks": {
            "up": {"outputs": {"o": "1"}},
            "a": {
                "workerPool": "a",
                "space": "a",
                "outputs": {"o": "1", "p": {"value": "2", "sensitive": True}},
                "driftReconcile": True,
                "dependsOn": [{"stack": "up", "references": [{"output": "o", "input": "I"}]}],
            },
        },
        "webhooks": [
            {"kind": "stack", "stack": "a", "endpoint": endpoint, "enabled": False},
            {"kind": "named", "name": "a", "endpoint": endpoint, "enabled": False},
            {"kind": "audit", "endpoint": endpoint, "enabled": False},
        ],
    }
    config = (
        'mutation { stackConfigAdd(stack: "a", config: '
        '{id: "X", type: ENVIRONMENT_VARIABLE, value: "1", writeOnly: false}) { id } }'
    )
    async with simulator_client.connect(scenario) as wire:
        await wire.login()
        await wire.data(config)
        run = await wire.trigger("up")
        task = 'mutation { taskCreate(stack: "a", command: "ls") { id } }'
        await wire.data(task)
        await wire.admin("POST", "/clock", {"advance": 3})
        for name, field in query.fields.items():
            type_ = get_named_type(field.type)
            assert isinstance(type_, GraphQLObjectType)
            selection = f"{name}{argument_texts(field)} {{ {select(type_, 3)} }}"
            used = [f"${v}: ID!" for v in ("id", "run") if f"${v}" in selection]
            head = f"query ({', '.join(used)})" if used else "query"

            answer = await wire.ask(f"{head} {{ {selection} }}", id="a", run=run)

            assert "errors" not in answer, (name, answer["errors"])
            assert answer["data"][name] is not None
