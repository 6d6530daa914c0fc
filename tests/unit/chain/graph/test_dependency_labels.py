"""Labels that name an upstream stack, and those that only look as if they did."""

import pytest

from controller.chain.graph import dependency_labels as labels
from controller.config import settings

DEFAULT = settings.DEFAULT_LABEL_PREFIXES


@pytest.mark.parametrize(
    ("label", "upstream"),
    [
        ("dependsOn:vpc", "vpc"),
        ("dependsOn: vpc", "vpc"),
        ("  dependsOn:vpc ", "vpc"),
        ("dependsOn:vpc-prod_1.x", "vpc-prod_1.x"),
        ("dependsOn:", None),
        ("dependsOn:x,y", None),
        ("dependsOn:x y", None),
        ("dependsOn:x\u200b", None),
        ("dependson:vpc", None),
        ("depends-on:vpc", None),
        ("team:vpc", None),
    ],
)
def test_a_label_names_one_upstream_stack_or_none(label: str, upstream: str | None) -> None:
    assert labels.upstreams([label], DEFAULT) == ({upstream} if upstream else set())


def test_several_prefixes_count() -> None:
    found = labels.upstreams(["after:a", "needs=b", "dependsOn:c"], ("after:", "needs="))

    assert found == {"a", "b"}


@pytest.mark.parametrize(
    "label",
    [
        "depends-on:x",
        "depends_on:x",
        "DependsOn:x",
        "dependson:x",
        "depends on: x",
        "dependsOn=x",
        "dependsOn:x,y",
        "dependsOn:",
        "dependsOn",
    ],
)
def test_what_looks_like_a_dependency_and_is_none(label: str) -> None:
    assert labels.look_alikes([label, "dependsOn:vpc", "dependsOn: vpc"], DEFAULT) == [label]


@pytest.mark.parametrize("label", ["team:x", "depends", "", ":", "dependsOnVpc", "on:x", "東京:x"])
def test_other_labels_do_not_look_like_one(label: str) -> None:
    assert labels.look_alikes([label], DEFAULT) == []


def test_what_looks_like_one_follows_the_prefixes() -> None:
    assert labels.look_alikes(["run-after:x", "depends-on:x"], ("runAfter:",)) == ["run-after:x"]


def test_dependents_are_searched_with_and_without_a_blank() -> None:
    assert labels.searched(["a"], ("dependsOn:", "after=")) == [
        "after= a",
        "after=a",
        "dependsOn: a",
        "dependsOn:a",
    ]


def test_what_people_write_instead_is_known() -> None:
    found = labels.misspelled(["a"], DEFAULT)

    assert found == ["DependsOn:a", "depends-on:a", "depends_on:a", "dependson:a"]
    assert labels.look_alikes(found, DEFAULT) == found
    assert {labels.named_by(label) for label in found} == {"a"}
