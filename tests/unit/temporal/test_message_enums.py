"""Newer workers and operators may say what this version does not know (ADR 0026).

A field that describes something tolerates any word: it is a string, or its enumeration maps an
unknown word to a known one. A field that says what to do refuses unknown words, since doing
something else would be worse than nothing.
"""

import dataclasses
import enum
import typing
from collections.abc import Iterator
from types import ModuleType

import pytest
from temporalio import workflow
from temporalio.converter import DataConverter

from controller.api import spec
from controller.api.v1alpha1 import Phase
from controller.chain.news import notifications
from controller.chain.run import newer_runs, progress, run_snapshots
from controller.temporal import messages, notification_messages, start_messages
from controller.temporal import worker as workers

UNKNOWN = "NobodyKnowsThis"
INSTRUCTIONS = frozenset(
    value
    for value in vars(spec).values()
    if isinstance(value, type) and issubclass(value, enum.Enum)
) | {progress.LiveRequestKind}


def classes_of(module: ModuleType) -> Iterator[type]:
    for value in vars(module).values():
        if isinstance(value, type) and dataclasses.is_dataclass(value):
            yield value


def parts(hint: object) -> Iterator[type]:
    """Yield the classes in a type hint, and those in the fields of the dataclasses among them."""
    seen: set[object] = set()
    open_hints = [hint]
    while open_hints:
        current = open_hints.pop()
        if isinstance(current, typing.TypeVar) or current in seen:
            continue
        seen.add(current)
        open_hints.extend(typing.get_args(current))
        if not isinstance(current, type):
            continue
        yield current
        if dataclasses.is_dataclass(current):
            open_hints.extend(typing.get_type_hints(current).values())


def hints_of(function: object) -> list[object]:
    return list(typing.get_type_hints(function).values())


def crossing() -> list[object]:
    """Return what crosses Temporal, as workflows, their handlers, activities and memos say it."""
    modules = (messages, start_messages, notification_messages)
    found: list[object] = [item for module in modules for item in classes_of(module)]
    found += [progress.ChainProgress, progress.StackReport]
    for defined in (*workers.WORKFLOWS, *workers.NOTIFY_WORKFLOWS):
        definition = workflow._Definition.must_from_class(defined)
        found += hints_of(definition.run_fn)
        for signal in definition.signals.values():
            found += hints_of(signal.fn)
        for query in definition.queries.values():
            found += hints_of(query.fn)
    # What activities return besides.
    return [*found, run_snapshots.RunSnapshot, newer_runs.NewestRun, notifications.Notification]


ENUMS = sorted(
    {part for hint in crossing() for part in parts(hint) if issubclass(part, enum.Enum)},
    key=lambda item: item.__qualname__,
)


@pytest.mark.parametrize("kind", [item for item in ENUMS if item not in INSTRUCTIONS])
def test_a_word_that_is_not_known_is_no_reason_to_fail(kind: type[enum.Enum]) -> None:
    assert isinstance(kind(UNKNOWN), kind)


@pytest.mark.parametrize("kind", [item for item in ENUMS if item in INSTRUCTIONS])
def test_what_is_to_be_done_has_to_be_known(kind: type[enum.Enum]) -> None:
    with pytest.raises(ValueError, match=UNKNOWN):
        kind(UNKNOWN)


def test_a_reason_of_a_newer_worker_arrives_as_it_is() -> None:
    held = progress.StackMeaning(phase=Phase.WAITING, reason=UNKNOWN, message="It waits.")
    found = messages.FindStackRunResult(newest_run_id="0", held=held)
    converter = DataConverter.default.payload_converter

    (read,) = converter.from_payloads(converter.to_payloads([found]), [messages.FindStackRunResult])

    assert read == found


def test_the_walk_finds_enumerations_at_any_depth() -> None:
    names = {item.__name__ for item in ENUMS}

    assert {"Phase", "NativeRuns", "Direction"} <= names
