"""The verdict on a definition, from what the API server publishes of it."""

from typing import Any

import pytest

from controller.api import definition_fields
from controller.kube import definition_check

Json = dict[str, Any]


def groups(*versions: str) -> Json:
    ours = {"name": "stackchain.dev", "versions": [{"version": item} for item in versions]}
    return {"groups": [{"name": "apps", "versions": []}, *([ours] if versions else [])]}


def resources(*verbs: str) -> Json:
    return {"resources": [{"name": "stackchains", "verbs": list(verbs)}]} if verbs else {}


@pytest.mark.parametrize(
    ("listed", "found", "said"),
    [
        pytest.param(groups("v1alpha1"), resources("get", "patch"), None, id="served"),
        pytest.param(groups(), {}, "is not in this cluster, or serves no version", id="missing"),
        pytest.param(groups(), resources("get", "patch"), "is not in this cluster", id="unlisted"),
        pytest.param(groups("v1", "v1beta1"), {}, "it serves v1, v1beta1.", id="unserved"),
        pytest.param(groups("v1alpha1"), resources("get"), "is being deleted", id="going"),
    ],
)
def test_why_stackchains_are_not_served(listed: Json, found: Json, said: str | None) -> None:
    problem = definition_check.unserved(listed, found)

    assert problem is None if said is None else said in (problem or "")


def schema_of(*fields: str) -> Json:
    schema: Json = {}
    for field in fields:
        node = schema
        for name in field.split("."):
            node = node.setdefault("properties", {}).setdefault(name, {})
    return schema


def published(*fields: str) -> Json:
    kind = {"group": "stackchain.dev", "kind": "StackChain", "version": "v1alpha1"}
    ours = {**schema_of(*fields), "x-kubernetes-group-version-kind": [kind]}
    return {"components": {"schemas": {"other": {}, "dev.stackchain.v1alpha1.StackChain": ours}}}


NEEDED = definition_fields.FIELDS


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param(NEEDED, None, id="the same"),
        pytest.param({*NEEDED, "spec.later"}, None, id="newer"),
        pytest.param(
            {name for name in NEEDED if not name.startswith("spec.graph")},
            "it lacks spec.graph. Apply",
            id="a field with all below it",
        ),
        pytest.param(
            NEEDED - {"status.lastHandled.run"}, "it lacks status.lastHandled.run", id="one"
        ),
        pytest.param({"spec"}, "spec.activeDeadlineSeconds, ", id="many"),
    ],
)
def test_a_definition_that_is_older_names_what_it_lacks(fields: set[str], said: str | None) -> None:
    problem = definition_check.lacking(published(*fields))

    assert problem is None if said is None else said in (problem or "")


def test_fields_of_list_items_and_of_maps_are_below_them() -> None:
    item = {"properties": {"id": {}}}
    schema = {"properties": {"list": {"items": item}, "map": {"additionalProperties": item}}}

    assert sorted(definition_check.fields_of(schema)) == ["list", "list.id", "map", "map.id"]


def test_what_is_not_published_is_not_said_to_lack_anything() -> None:
    assert definition_check.lacking({}) is None
