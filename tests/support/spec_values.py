"""For each field of the spec one value that is not its default, and whole specs made of them.

A new field has its row here; all tests that want every field set take it from here.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from controller.api import json_fields, v1alpha1

Body = dict[str, Any]

# Of fields that are not part of another one. Lists are values as a whole.
OTHER_VALUES: Mapping[str, Any] = {
    "connectionName": "prod",
    "roots.stackIds": ["a", "b"],
    "roots.labels": ["layer:other"],
    "graph.direction": "Upstream",
    "graph.sources": ["Labels"],
    "graph.includeRoots": False,
    "graph.maxDepth": 3,
    "graph.maxStacks": 60,
    "graph.exclude.stackIds": ["x"],
    "graph.exclude.labels": ["x"],
    "window.cron": "0 8 * * 1-5",
    "window.durationSeconds": 36000,
    "window.timeZone": "Europe/Berlin",
    "stages": [
        {
            "name": "test",
            "labels": ["env:test"],
            "soakSeconds": 0,
            "approval": "Required",
            "window": {"cron": "0 9 * * 1-4", "durationSeconds": 7200, "timeZone": "UTC"},
        }
    ],
    "operation": "Plan",
    "destroyConfirmation": "chain",
    "commitSHA": "abcdef1",
    "runtimeEnvironment": [{"name": "a", "value": "1"}],
    "startPolicy": "OnRequest",
    "runToken": "release 41",
    "schedule.cron": "0 7 * * *",
    "schedule.timeZone": "Europe/Berlin",
    "schedule.startingDeadlineSeconds": 60,
    "triggers": [{"type": "RootRunFinished"}],
    "dependsOn": [{"name": "network"}],
    "suspend": True,
    "parallelism": 3,
    "nativeRuns": "Replace",
    "concurrencyPolicy": "Replace",
    "failurePolicy": "FailFast",
    "retry.limit": 3,
    "retry.backoffSeconds": 5,
    "retry.maxBackoffSeconds": 60,
    "confirmationPolicy": "Auto",
    "confirmationLimits.maxAdded": 5,
    "confirmationLimits.maxChanged": 6,
    "confirmationLimits.maxDeleted": 0,
    "confirmationDeadlineSeconds": 70,
    "stackDeadlineSeconds": 80,
    "activeDeadlineSeconds": 90,
    "deletionPolicy": "Orphan",
    "historyLimit": 3,
}


def spec_of(values: Mapping[str, Any]) -> Body:
    """Return the spec in which the fields at these paths are set."""
    spec: Body = {}
    for path, value in values.items():
        *parts, last = path.split(".")
        place = spec
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = value
    return spec


def manifest_of(spec: v1alpha1.StackChainSpec) -> Body:
    """Return a spec as a manifest has it, where the policies are fields of the spec itself."""
    written = _written(spec)
    policies = written.pop("policies")
    return {**written, **policies}


def _written(fields: Any) -> Any:
    """Return a value with all of its fields, including empty ones."""
    if dataclasses.is_dataclass(fields):
        return {
            json_fields.name_of(field): _written(getattr(fields, field.name))
            for field in dataclasses.fields(fields)
        }
    return [_written(item) for item in fields] if isinstance(fields, tuple) else fields


def full_spec(*, without: Iterable[str], **others: Any) -> Body:
    """Return a spec with another value for every field but some; `others` win."""
    left_out = set(without)
    assert left_out <= set(OTHER_VALUES)
    chosen = {path: value for path, value in OTHER_VALUES.items() if path not in left_out}
    return spec_of({**chosen, **others})
