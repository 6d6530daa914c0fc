import re

import graphql
import pytest

from controller.spacelift import documents
from controller.spacelift.models import RunKey

FIXED = [value for value in vars(documents).values() if isinstance(value, documents.Document)]


def keys(count: int) -> list[RunKey]:
    return [RunKey(stack_id=f"stack-{n}", run_id=f"01R{n}") for n in range(count)]


@pytest.mark.parametrize(
    ("count", "size"), [(1, 1), (2, 5), (5, 5), (6, 20), (20, 20), (21, 50), (50, 50)]
)
def test_a_request_is_padded_to_the_next_size_with_its_last_object(count: int, size: int) -> None:
    document, variables = documents.get_runs(keys(count))
    stacks, stack_variables = documents.get_stacks([f"stack-{n}" for n in range(count)])

    assert document.text.count("stack(id:") == stacks.text.count("stack(id:") == size
    assert variables[f"s{size - 1}"] == stack_variables[f"s{size - 1}"] == f"stack-{count - 1}"
    assert variables[f"r{size - 1}"] == f"01R{count - 1}"
    assert len(variables) == 2 * size


@pytest.mark.parametrize("count", [0, 51])
def test_one_document_reads_1_to_50_objects(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        documents.get_runs(keys(count))
    with pytest.raises(ValueError, match="1 to 50"):
        documents.get_stacks(["vpc"] * count)


def test_there_are_only_four_texts_however_many_runs_are_read() -> None:
    texts = {documents.get_runs(keys(count))[0].text for count in range(1, 51)}

    assert len(texts) == 4


def sized() -> list[documents.Document]:
    of_runs = [documents.get_runs(keys(size))[0] for size in documents.SIZES]
    of_stacks = [documents.get_stacks(["vpc"] * size)[0] for size in documents.SIZES]
    of_holds = [documents.get_stack_holds(["vpc"] * size)[0] for size in documents.SIZES]
    of_newest = [documents.get_newest_runs(["vpc"] * size)[0] for size in documents.SIZES]
    return of_runs + of_stacks + of_holds + of_newest


@pytest.mark.parametrize("document", FIXED + sized(), ids=lambda document: document.name)
def test_documents_parse_use_each_variable_and_bear_their_name(
    document: documents.Document,
) -> None:
    (operation,) = graphql.parse(document.text).definitions
    assert isinstance(operation, graphql.OperationDefinitionNode)
    declared = {definition.variable.name.value for definition in operation.variable_definitions}
    body = document.text[document.text.index("{") :]

    assert operation.name is not None
    assert operation.name.value == document.name
    assert operation.operation.value == document.kind.lower()
    assert declared == set(re.findall(r"\$(\w+)", body))


@pytest.mark.parametrize(
    "document",
    [document for document in FIXED + sized() if document.kind == "Query"],
    ids=lambda document: document.name,
)
def test_every_query_asks_who_is_asking(document: documents.Document) -> None:
    assert "viewer { id" in document.text
