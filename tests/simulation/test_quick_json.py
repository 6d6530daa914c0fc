"""Payloads of a simulation are those of the SDK, byte by byte, and so is what is read of them."""

import dataclasses
from typing import Any

import pytest
import temporalio.converter
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    CompositePayloadConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)

from controller.chain.run import progress
from controller.temporal import messages
from tests.simulation import chain_runs
from tests.simulation.temporal import quick_json
from tests.workflows.world import World

_SDK = JSONPlainPayloadConverter()
_CONVERTED: set[type | None] = set()


class BothConverters(quick_json.QuickJSONConverter):
    """Converts in both ways, which have to agree."""

    def to_payload(self, value: Any) -> Payload | None:
        """Return the payload that both make."""
        payload = super().to_payload(value)
        assert payload == _SDK.to_payload(value)
        return payload

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Return the value that both read."""
        value = super().from_payload(payload, type_hint)
        expected = _SDK.from_payload(payload, type_hint)
        assert (type(value), value) == (type(expected), expected)
        _CONVERTED.add(type_hint)
        return value


class BothPayloadConverter(CompositePayloadConverter):
    """All of the SDK's payloads, with JSON in both ways."""

    def __init__(self) -> None:
        super().__init__(
            *(
                BothConverters() if isinstance(one, JSONPlainPayloadConverter) else one
                for one in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


def test_all_that_a_chain_sends_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    both = dataclasses.replace(
        temporalio.converter.DataConverter.default, payload_converter_class=BothPayloadConverter
    )
    monkeypatch.setattr(quick_json, "DATA_CONVERTER", both)
    world = World("a>b", "a~c", "b>d")
    world.ends["d"] = "FAILED"

    async def scenario(run: chain_runs.ChainRun) -> None:
        handle = await run.harness.start()
        known = await handle.result()

        assert known.phase == "Failed"

    chain_runs.simulate(world, scenario, seed=1)

    assert {messages.ChainInput, messages.StackExecutionInput, progress.ChainProgress} <= _CONVERTED


@dataclasses.dataclass
class Tree:
    """A type that contains itself."""

    name: str
    size: float = 0.0
    below: "list[Tree]" = dataclasses.field(default_factory=list)
    pair: tuple[str, ...] = ()
    either: int | str | None = None


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (Tree, '{"name":"a","below":[{"name":"b","size":2}],"pair":["x","y"],"either":"z"}'),
        (Tree, '{"name":"a","unknown":1}'),
        (Tree, '{"size":1}'),
        (Tree, '{"name":1}'),
        (Tree, '{"name":"a","below":{}}'),
        (Tree, '{"name":"a","below":3}'),
        (Tree, "[]"),
        (int, "1.5"),
        (float, "1"),
        (bool, "1"),
        (str, "null"),
        (list[int], '"12"'),
        (dict[str, int], '{"a":1}'),
        (dict[str, Tree], '{"a":{"name":"b"}}'),
        (tuple[int, str], '[1,"a"]'),
        (progress.StackReport | None, "null"),
    ],
)
def test_what_does_not_fit_fails_in_the_same_way(hint: Any, text: str) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=text.encode())

    assert _outcome(quick_json.QuickJSONConverter(), payload, hint) == _outcome(_SDK, payload, hint)


def _outcome(converter: JSONPlainPayloadConverter, payload: Payload, hint: Any) -> object:
    try:
        return converter.from_payload(payload, hint)
    except Exception as error:
        return type(error)
