"""What the operator knows of the search attributes of its namespace, and how long."""

import asyncio
import contextlib
import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice import v1 as operatorservice
from temporalio.common import TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from controller.temporal import registered_attributes, search_attributes
from controller.temporal.operator import starter
from tests.support import builders

KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
TEXT = IndexedValueType.INDEXED_VALUE_TYPE_TEXT
ALL = dict.fromkeys(search_attributes.NAMES, KEYWORD)


@dataclasses.dataclass(kw_only=True)
class OperatorService:
    """Answers what the namespace has; None: it refuses."""

    attributes: dict[str, Any] | None
    asked: int = 0

    async def list_search_attributes(
        self, request: operatorservice.ListSearchAttributesRequest, **_: Any
    ) -> operatorservice.ListSearchAttributesResponse:
        self.asked += 1
        await asyncio.sleep(0)
        if self.attributes is None:
            raise RPCError("no", RPCStatusCode.PERMISSION_DENIED, b"")
        assert request.namespace == "here"
        return operatorservice.ListSearchAttributesResponse(custom_attributes=self.attributes)


def known(service: OperatorService) -> registered_attributes.KnownAttributes:
    client = SimpleNamespace(operator_service=service, namespace="here")
    return registered_attributes.KnownAttributes(lambda: cast(Any, client))


@pytest.mark.parametrize(
    ("attributes", "are_there"),
    [
        pytest.param(ALL, True, id="all"),
        pytest.param(ALL | {"Other": TEXT}, True, id="all, and others"),
        pytest.param({}, False, id="none"),
        pytest.param({"StackChainName": KEYWORD}, False, id="one"),
        pytest.param(ALL | {"SpaceliftStack": TEXT}, False, id="one of another type"),
        pytest.param(None, False, id="Temporal does not say"),
    ],
)
async def test_attributes_are_set_only_where_all_can_be(
    attributes: dict[str, Any] | None, are_there: bool
) -> None:
    assert await known(OperatorService(attributes=attributes)).are_there() is are_there


async def test_runs_that_start_at_once_ask_once_and_none_of_them_goes_without() -> None:
    service = OperatorService(attributes=ALL)
    attributes = known(service)

    answers = await asyncio.gather(*(attributes.are_there() for _ in range(5)))

    assert answers == [True] * 5
    assert service.asked == 1


async def test_what_the_server_has_refused_is_not_tried_at_each_start() -> None:
    service = OperatorService(attributes=ALL)
    attributes = known(service)
    assert await attributes.are_there()

    attributes.refused()

    assert not await attributes.are_there()
    assert service.asked == 1


def test_a_run_without_attributes_gives_its_stacks_none_and_changes_none() -> None:
    assert search_attributes.of_stack(TypedSearchAttributes.empty, "vpc") is None
    assert search_attributes.new_reason(TypedSearchAttributes.empty, "StackFailed") is None


def test_a_run_says_its_reason_only_where_it_is_a_new_one() -> None:
    own = search_attributes.of_chain(namespace="team", name="prod", reason="Progressing")

    assert search_attributes.new_reason(own, "Progressing") is None
    update = search_attributes.new_reason(own, "StackFailed")
    assert update is not None
    assert (update.key, update.value) == (search_attributes.CHAIN_REASON, "StackFailed")


def test_the_execution_of_a_stack_is_found_by_its_chain_and_its_stack() -> None:
    own = search_attributes.of_chain(namespace="team", name="prod", reason="Progressing")

    found = search_attributes.of_stack(own, "vpc")

    assert found is not None
    assert {pair.key.name: pair.value for pair in found} == {
        "StackChainName": "prod",
        "StackChainNamespace": "team",
        "SpaceliftStack": "vpc",
    }


@pytest.mark.parametrize(
    ("refusal", "tries"),
    [
        pytest.param(None, ["with"], id="taken"),
        pytest.param(RPCStatusCode.INVALID_ARGUMENT, ["with", "without"], id="one has gone"),
        pytest.param(RPCStatusCode.UNAVAILABLE, ["with"], id="the server is away"),
    ],
)
async def test_a_run_starts_without_what_the_server_does_not_take(
    refusal: RPCStatusCode | None, tries: list[str]
) -> None:
    attributes = known(OperatorService(attributes=ALL))
    workflows = starter.ChainWorkflows(
        lambda: cast(Any, None), installation="here", task_queue="queue", attributes=attributes
    )
    tried: list[str] = []

    async def start(wanted: TypedSearchAttributes | None) -> Any:
        tried.append("with" if wanted is not None else "without")
        if wanted is not None and refusal is not None:
            raise RPCError("no", refusal, b"")

    with contextlib.suppress(RPCError):
        await workflows._with_attributes(builders.make_ref(), start)

    assert tried == tries
    assert await attributes.are_there() is (refusal is not RPCStatusCode.INVALID_ARGUMENT)
