"""The documents that the client sends are valid under the schema that Spacelift's clients imply."""

import json
import re
from pathlib import Path

import graphql
import pytest

from controller.chain.run import run_states
from controller.spacelift import documents
from controller.spacelift.models import RunKey
from controller.spacelift.webhooks import documents as webhook_documents
from devenv import simulator
from devenv.simulator.model import states

KEY = RunKey(stack_id="vpc", run_id="01R")
FIXED = [
    value
    for module in (documents, webhook_documents)
    for value in vars(module).values()
    if isinstance(value, documents.Document)
]
OF_RUNS = [documents.get_runs([KEY] * size)[0] for size in documents.SIZES]
OF_STACKS = [documents.get_stacks(["vpc"] * size)[0] for size in documents.SIZES]
OF_HOLDS = [documents.get_stack_holds(["vpc"] * size)[0] for size in documents.SIZES]
OF_TIMES = [documents.get_run_times([KEY] * size)[0] for size in documents.SIZES]
OF_ENDS = [
    documents.end_runs(call, [KEY] * size, ["why"] * size)[0]
    for call in (documents.CANCEL_RUN, documents.DISCARD_RUN, documents.STOP_RUN)
    for size in documents.SIZES
]
OF_NEWEST = [documents.get_newest_runs(["vpc"] * size)[0] for size in documents.SIZES]


PAGE = Path(__file__).parents[2] / "docs/tasks/connect-webhooks.md"


def blocks(language: str) -> list[str]:
    """Return the blocks of a language on the page that says how to do it by hand."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found


@pytest.fixture(scope="module")
def schema() -> graphql.GraphQLSchema:
    path = Path(str(simulator.__file__)).with_name("schema.graphql")
    return graphql.build_schema(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "document",
    FIXED + OF_RUNS + OF_STACKS + OF_HOLDS + OF_NEWEST + OF_TIMES + OF_ENDS,
    ids=lambda document: document.name,
)
def test_a_document_is_valid(schema: graphql.GraphQLSchema, document: documents.Document) -> None:
    assert graphql.validate(schema, graphql.parse(document.text)) == []


def test_states_of_runs_are_those_of_the_schema(schema: graphql.GraphQLSchema) -> None:
    """The simulator has them from a separate source, and would never answer one that it lacks."""
    in_schema = schema.get_type("RunState")

    assert isinstance(in_schema, graphql.GraphQLEnumType)
    assert set(in_schema.values) == run_states.KNOWN
    assert {str(state) for state in states.RunState} == run_states.KNOWN


def test_search_variables_fit_their_input_type(schema: graphql.GraphQLSchema) -> None:
    variables = documents.search_stacks([["team:net"], ["prod"]], after="cursor")

    assert graphql.utilities.coerce_input_value(variables["input"], schema.get_type("SearchInput"))


def test_page_variables_fit_their_input_type(schema: graphql.GraphQLSchema) -> None:
    variables = webhook_documents.page(after=None)

    assert graphql.utilities.coerce_input_value(variables["input"], schema.get_type("SearchInput"))


def test_the_documented_calls_are_valid_and_take_the_documented_values(
    schema: graphql.GraphQLSchema,
) -> None:
    calls = [line for block in blocks("graphql") for line in block.splitlines()]
    (values,) = [json.loads(block) for block in blocks("json")]

    assert [graphql.validate(schema, graphql.parse(call)) for call in calls] == [[], []]
    for name, input_type in (
        ("webhook", "NamedWebhooksIntegrationInput"),
        ("policy", "PolicyCreateInput"),
    ):
        assert graphql.utilities.coerce_input_value(values[name], schema.get_type(input_type))
