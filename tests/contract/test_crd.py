"""The definition on a real API server: what it takes, what it refuses and how it says so.

Given: objects as people write them, and statuses as the operator writes them. Asserted: what the
server answers, and what kubectl shows.
"""

import asyncio
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.api import v1alpha1
from controller.api.reasons import ChainReason, StackReason
from controller.api.v1alpha1 import Phase
from controller.chain import status
from controller.dev import tools
from controller.dev.control_plane import definitions, server
from tests.support import kube as kube_support
from tests.support import waiting
from tests.support.builders import (
    RUN_URL,
    T0,
    T3,
    make_execution,
    make_facts,
    make_progress,
    make_ref,
    make_stack,
)

Body = dict[str, Any]

CRD_NAME = "stackchains.stackchain.dev"
SPEC: Body = {"roots": {"stackIds": ["vpc"]}}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Kubectl:
    """The real kubectl as the administrator of the control plane."""

    plane: server.ControlPlane
    namespace: str

    async def __call__(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        program = tools.find_program("kubectl", install="")
        process = await asyncio.create_subprocess_exec(
            str(program),
            f"--kubeconfig={self.plane.kubeconfig}",
            f"--namespace={self.namespace}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate(stdin.encode())
        return process.returncode or 0, output.decode()

    async def apply(self, spec: Body, name: str = "chain") -> tuple[int, str]:
        document = yaml.safe_dump(kube_support.stack_chain(name, spec))
        return await self("apply", "--filename=-", stdin=document)


@pytest.fixture
def kubectl(control_plane: server.ControlPlane, namespace: str) -> Kubectl:
    return Kubectl(plane=control_plane, namespace=namespace)


def crd() -> Body:
    (file,) = definitions.CRD_FOLDER.glob("*.yaml")
    document: Body = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def schema() -> Body:
    (version,) = crd()["spec"]["versions"]
    found: Body = version["schema"]["openAPIV3Schema"]
    return found


# The definition


async def test_the_definition_is_served_as_written_and_structural(
    kube: kube_support.KubeApi,
) -> None:
    found = await kube.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{CRD_NAME}")

    conditions = {item["type"]: item["status"] for item in found["status"]["conditions"]}
    assert conditions["Established"] == "True"
    assert conditions["NamesAccepted"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"
    assert found["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == schema()


def test_the_definition_is_that_of_the_code() -> None:
    spec = crd()["spec"]

    assert spec["group"] == v1alpha1.GROUP
    assert spec["names"]["plural"] == v1alpha1.PLURAL
    assert spec["names"]["kind"] == v1alpha1.KIND
    assert spec["versions"][0]["name"] == v1alpha1.VERSION


def fields(part: Body, path: str) -> Iterator[tuple[str, Body]]:
    for name, field in part.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field.get("items", field), f"{path}.{name}")


SPEC_FIELDS = dict(fields(schema()["properties"]["spec"], "spec"))
STATUS_FIELDS = dict(fields(schema()["properties"]["status"], "status"))


@pytest.mark.parametrize("path", [*SPEC_FIELDS, *STATUS_FIELDS])
def test_every_field_is_described_in_whole_sentences(path: str) -> None:
    text = (SPEC_FIELDS | STATUS_FIELDS)[path]["description"]

    assert text[0].isupper()
    assert text.endswith(".")


@pytest.fixture
async def explain(kubectl: Kubectl) -> Kubectl:
    """kubectl once it can explain: a server tells of a new definition's fields a moment later."""

    async def can_explain() -> bool:
        code, output = await kubectl("explain", "schain.spec.parallelism")
        return code == 0 and "Default: 10" in " ".join(output.split())

    await waiting.eventually(can_explain, 30)
    return kubectl


async def test_kubectl_explain_shows_every_field_with_its_description(explain: Kubectl) -> None:
    code, output = await explain("explain", "stackchain", "--recursive")
    assert code == 0, output
    for path in SPEC_FIELDS | STATUS_FIELDS:
        assert re.search(rf"^\s*{path.rsplit('.', 1)[1]}\t", output, re.MULTILINE), path

    for part in ("spec", "spec.roots.stackIds", "status.latestRun", "status.stacks"):
        code, output = await explain("explain", f"stackchain.{part}")
        assert code == 0, output
        shown = " ".join(output.split())
        described = SPEC_FIELDS | STATUS_FIELDS
        for path in described:
            if path.rpartition(".")[0] == part:
                assert " ".join(described[path]["description"].split()) in shown


async def test_kubectl_explain_shows_allowed_values_and_defaults(explain: Kubectl) -> None:
    _, sources = await explain("explain", "schain.spec.graph.sources")
    _, parallelism = await explain("explain", "schain.spec.parallelism")

    assert "Labels: stack labels of the form dependsOn:<stack id>" in " ".join(sources.split())
    assert "Default: 10" in " ".join(parallelism.split())


# What is taken


async def test_what_is_left_out_gets_its_default(stackchains: kube_support.StackChains) -> None:
    created = await stackchains.create("minimal", SPEC)

    assert created["spec"] == {
        "connectionName": "default",
        "roots": {"stackIds": ["vpc"]},
        "graph": {"sources": ["Dependencies", "Labels"]},
        "parallelism": 10,
    }
    assert v1alpha1.parse(created).spec == v1alpha1.StackChainSpec(
        roots=v1alpha1.Roots(stack_ids=("vpc",))
    )


ACCEPTED = [
    pytest.param(SPEC, id="the least"),
    pytest.param({**SPEC, "graph": {}}, id="an empty graph"),
    pytest.param({**SPEC, "graph": None, "parallelism": None}, id="nulls for defaults"),
    pytest.param({**SPEC, "graph": {"sources": ["Labels"]}}, id="labels only"),
    pytest.param({**SPEC, "graph": {"sources": ["Labels", "Dependencies"]}}, id="both sources"),
    pytest.param({**SPEC, "parallelism": 1}, id="one at a time"),
    pytest.param({**SPEC, "parallelism": 500}, id="all at once"),
    pytest.param({**SPEC, "connectionName": "a"}, id="a connection of one letter"),
    pytest.param({**SPEC, "connectionName": "x" * 63}, id="a connection of 63 letters"),
    pytest.param({"roots": {"stackIds": [f"s{i}" for i in range(64)]}}, id="64 roots"),
    pytest.param({"roots": {"stackIds": ["A_b-1.c", "x" * 128]}}, id="ids of all kinds"),
]


@pytest.mark.parametrize("spec", ACCEPTED)
async def test_what_the_definition_takes_the_operator_can_read(
    stackchains: kube_support.StackChains, spec: Body
) -> None:
    created = await stackchains.create("accepted", spec)

    read = v1alpha1.parse(created).spec
    assert list(read.roots.stack_ids) == created["spec"]["roots"]["stackIds"]
    assert list(read.graph.sources) == created["spec"]["graph"]["sources"]
    assert read.parallelism == created["spec"]["parallelism"]
    assert read.connection_name == created["spec"]["connectionName"]


async def test_a_name_of_63_characters_is_taken(stackchains: kube_support.StackChains) -> None:
    created = await stackchains.create("x" * 63, SPEC)

    assert v1alpha1.parse(created).ref.name == "x" * 63


# What is refused

REFUSED = [
    pytest.param({}, ["spec.roots", "Required"], id="no roots"),
    pytest.param({"roots": {}}, ["spec.roots.stackIds", "Required"], id="no stack ids"),
    pytest.param(
        {"roots": {"stackIds": []}},
        ["spec.roots.stackIds", "at least 1"],
        id="an empty list of roots",
    ),
    pytest.param(
        {"roots": {"stackIds": [f"s{i}" for i in range(65)]}},
        ["spec.roots.stackIds", "at most 64"],
        id="65 roots",
    ),
    pytest.param(
        {"roots": {"stackIds": ["vpc", "vpc"]}},
        ["spec.roots.stackIds[1]", "Duplicate"],
        id="a root twice",
    ),
    pytest.param(
        {"roots": {"stackIds": [""]}},
        ["spec.roots.stackIds[0]", "at least 1"],
        id="an empty stack id",
    ),
    pytest.param(
        {"roots": {"stackIds": ["x" * 129]}},
        ["spec.roots.stackIds[0]", "128"],
        id="a stack id of 129 characters",
    ),
    pytest.param(
        {"roots": {"stackIds": ["My VPC"]}},
        ["spec.roots.stackIds[0]", "must be a stack id, the last part of the stack's URL"],
        id="a stack's name",
    ),
    pytest.param(
        {"roots": {"stackIds": ["https://acme.app.spacelift.io/stack/vpc"]}},
        ["spec.roots.stackIds[0]", "the last part of the stack's URL"],
        id="a stack's URL",
    ),
    pytest.param(
        {"roots": {"stackIds": "vpc"}},
        ["spec.roots.stackIds", "must be of type array"],
        id="one stack id without a list",
    ),
    pytest.param(
        {**SPEC, "graph": {"sources": []}},
        ["spec.graph.sources", "at least 1"],
        id="no source",
    ),
    pytest.param(
        {**SPEC, "graph": {"sources": ["Labels", "Labels"]}},
        ["spec.graph.sources[1]", "Duplicate"],
        id="a source twice",
    ),
    pytest.param(
        {**SPEC, "graph": {"sources": ["Native"]}},
        ["spec.graph.sources[0]", "Unsupported value", '"Dependencies", "Labels"'],
        id="an unknown source",
    ),
    pytest.param(
        {**SPEC, "parallelism": 0},
        ["spec.parallelism", "greater than or equal to 1"],
        id="no parallelism",
    ),
    pytest.param(
        {**SPEC, "parallelism": 501},
        ["spec.parallelism", "less than or equal to 500"],
        id="more than a chain may hold",
    ),
    pytest.param(
        {**SPEC, "parallelism": "10"},
        ["spec.parallelism", "must be of type integer"],
        id="a number as text",
    ),
    pytest.param(
        {**SPEC, "connectionName": ""},
        ["spec.connectionName", "at least 1"],
        id="an empty connection name",
    ),
    pytest.param(
        {**SPEC, "connectionName": "x" * 64},
        ["spec.connectionName", "63"],
        id="a connection name of 64 letters",
    ),
    pytest.param(
        {**SPEC, "connectionName": "Prod_EU"},
        ["spec.connectionName", "lower case letters, digits and dashes"],
        id="a connection name in capitals",
    ),
]


@pytest.mark.parametrize(("spec", "parts"), REFUSED)
async def test_what_is_wrong_is_refused_with_field_and_remedy(
    kubectl: Kubectl, spec: Body, parts: list[str]
) -> None:
    code, output = await kubectl.apply(spec)

    assert code != 0
    for part in parts:
        assert part in output


async def test_a_name_that_is_too_long_is_refused(kubectl: Kubectl) -> None:
    code, output = await kubectl.apply(SPEC, name="x" * 64)

    assert code != 0
    assert "metadata.name must be no more than 63 characters; choose a shorter name" in output


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({**SPEC, "paralelism": 3}, "spec.paralelism"),
        ({**SPEC, "graph": {"source": ["Labels"]}}, "spec.graph.source"),
        ({"roots": {"stackIds": ["vpc"], "stackID": "x"}}, "spec.roots.stackID"),
        ({**SPEC, "suspend": True}, "spec.suspend"),
    ],
)
async def test_a_field_that_does_not_exist_is_refused(
    kubectl: Kubectl, spec: Body, field: str
) -> None:
    code, output = await kubectl.apply(spec)

    assert code != 0
    assert f'unknown field "{field}"' in output


async def test_the_connection_cannot_be_changed_and_the_message_says_what_to_do(
    kubectl: Kubectl,
) -> None:
    await kubectl.apply({**SPEC, "connectionName": "one"})

    code, output = await kubectl.apply({**SPEC, "connectionName": "two"})

    assert code != 0
    assert "spec.connectionName" in output
    assert "connectionName is immutable; create another StackChain and delete this one" in output


async def test_the_default_connection_cannot_be_changed_either(kubectl: Kubectl) -> None:
    await kubectl.apply(SPEC)

    code, output = await kubectl.apply({**SPEC, "connectionName": "two"})

    assert code != 0
    assert "immutable" in output


async def test_everything_else_can_be_edited(kubectl: Kubectl) -> None:
    await kubectl.apply(SPEC)

    code, output = await kubectl.apply(
        {"roots": {"stackIds": ["dns"]}, "graph": {"sources": ["Labels"]}, "parallelism": 3}
    )

    assert code == 0, output


def test_every_rule_of_the_definition_has_a_row_here() -> None:
    """A rule that is added without a row would never have been seen to refuse anything."""
    texts = Path(__file__).read_text(encoding="utf-8")
    rules = re.findall(r"'message': ['\"](.+?)['\"]}", str(list(_validations(schema()))))

    assert len(rules) == 4
    for message in rules:
        # Any half of the message will do.
        assert any(part.strip() in texts for part in re.split(r"[;,]", message)), message


def _validations(part: Any) -> Iterator[Body]:
    if isinstance(part, dict):
        yield from part.get("x-kubernetes-validations", [])
        for value in part.values():
            yield from _validations(value)
    elif isinstance(part, list):
        for value in part:
            yield from _validations(value)


# What kubectl shows


async def test_kubectl_get_has_its_columns(
    kubectl: Kubectl, stackchains: kube_support.StackChains
) -> None:
    await write_status(stackchains, "columns", full_status())

    _, narrow = await kubectl("get", "schain")
    _, wide = await kubectl("get", "stackchain", "--output=wide")

    heading, row = narrow.splitlines()
    assert heading.split() == ["NAME", "READY", "REASON", "PROGRESS", "FAILED", "STARTED", "AGE"]
    assert row.split()[:5] == ["columns", "False", "StackFailed", "1/4", "1"]
    assert wide.splitlines()[0].split()[7:] == ["MESSAGE", "TRIGGER", "RUN", "WORKFLOW"]
    assert "https://temporal.example.com/run" in wide


async def test_stackchains_are_found_by_short_name_and_category(kubectl: Kubectl) -> None:
    await kubectl.apply(SPEC, name="found")

    for name in ("schain", "stackchain", "stackchains", "spacelift"):
        code, output = await kubectl("get", name, "--output=name")

        assert code == 0, output
        assert output.strip() == "stackchain.stackchain.dev/found"


async def test_kubectl_wait_understands_the_conditions(
    kubectl: Kubectl, stackchains: kube_support.StackChains
) -> None:
    await write_status(stackchains, "waits", full_status())

    code, output = await kubectl("wait", "schain/waits", "--for=condition=Stalled", "--timeout=10s")

    assert code == 0, output


# Statuses


def full_status() -> v1alpha1.Status:
    """Return a status in which every field of every part has a value."""
    known = make_progress(
        make_stack("a", Phase.SUCCEEDED, name="A", added=1, changed=2, deleted=3),
        make_stack("b", Phase.FAILED, depends_on="a", run_state="FAILED"),
        make_stack(
            "c",
            Phase.SKIPPED,
            depends_on="b",
            reason=StackReason.UPSTREAM_NOT_SUCCEEDED,
            message="Not run, because 'b' failed.",
            blocked_by="b",
        ),
        make_stack("d", Phase.CANCELED),
    )
    facts = make_facts(make_execution(), known, url="https://temporal.example.com/run")
    found = status.project(make_ref(), v1alpha1.Status(), facts, now=T3)
    pending = v1alpha1.PendingRun(trigger="RunToken", message="Waits for run 1 to end.")
    asks = v1alpha1.Handled(spec="0" * 16, run="token")
    return dataclasses.replace(found, pending_run=pending, last_handled=asks)


async def write_status(
    stackchains: kube_support.StackChains, name: str, new: v1alpha1.Status
) -> Body:
    """Write a status as the operator does, and return what the server keeps of it."""
    await stackchains.create(name, SPEC)
    written = await stackchains.kube.patch(
        f"{stackchains.path(name)}/status", {"status": v1alpha1.status_to_dict(new)}
    )
    kept: Body = written["status"]
    return kept


async def test_no_field_of_a_status_is_dropped(stackchains: kube_support.StackChains) -> None:
    kept = await write_status(stackchains, "full", full_status())

    assert kept == v1alpha1.status_to_dict(full_status())
    assert v1alpha1.read_status(kept) == full_status()


def test_the_full_status_is_full() -> None:
    """Every field that the code has, and every one that the definition has, is in it."""

    def paths(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield f"{path}.{name}"
                yield from paths(inner, f"{path}.{name}")
        elif isinstance(value, list):
            for inner in value:
                yield from paths(inner, path)

    assert set(paths(v1alpha1.status_to_dict(full_status()), "status")) == set(STATUS_FIELDS)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.PENDING])
async def test_every_phase_of_a_stack_can_be_stored(
    stackchains: kube_support.StackChains, phase: Phase
) -> None:
    facts = make_facts(make_execution(), make_progress(make_stack("a", phase)))
    found = status.project(make_ref(), v1alpha1.Status(), facts, now=T0)

    kept = await write_status(stackchains, "phase", found)

    assert v1alpha1.read_status(kept) == found


@pytest.mark.parametrize("reason", list(ChainReason))
async def test_every_reason_can_be_stored(
    stackchains: kube_support.StackChains, reason: ChainReason
) -> None:
    problem = status.Problem(reason=reason, message="It is so.", is_retrying=True)
    facts = make_facts(None, problem=problem)
    found = status.project(make_ref(), v1alpha1.Status(), facts, now=T0)

    kept = await write_status(stackchains, "reason", found)

    assert v1alpha1.read_status(kept) == found


async def test_a_chain_of_500_stacks_fits_into_its_status(
    stackchains: kube_support.StackChains,
) -> None:
    names = [f"platform-prod-eu-central-1-service-{number:03}" for number in range(500)]
    stacks = [
        make_stack(
            name,
            Phase.FAILED if place % 2 else Phase.SUCCEEDED,
            depends_on=names[max(0, place - 10) : place],
            name=f"Platform prod eu-central-1 service {place:03}",
            message="m" * 200,
            run_state="FINISHED",
            added=100,
            changed=100,
            deleted=100,
        )
        for place, name in enumerate(names)
    ]
    for stack in stacks:
        stack.run_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
        stack.run_url = RUN_URL.format(stack=stack.id, run=stack.run_id)
    facts = make_facts(make_execution(), make_progress(*stacks))
    found = status.project(make_ref(), v1alpha1.Status(), facts, now=T0)

    kept = await write_status(stackchains, "large", found)

    assert v1alpha1.read_status(kept) == found


async def test_the_densest_graph_with_the_longest_texts_still_fits(
    stackchains: kube_support.StackChains,
) -> None:
    """A status that the server refuses would hide the whole chain."""
    names = [f"{place:03}{'x' * 61}" for place in range(500)]
    stacks = [
        make_stack(name, Phase.FAILED, depends_on=names[:place], message="ü" * 512)
        for place, name in enumerate(names)
    ]
    facts = make_facts(make_execution(), make_progress(*stacks))
    found = status.project(make_ref(), v1alpha1.Status(), facts, now=T0)

    kept = await write_status(stackchains, "dense", found)

    assert v1alpha1.read_status(kept) == found
    assert len(kept["stacks"]) == 500


async def test_a_dependent_with_a_longer_id_than_a_root_may_have_can_be_stored(
    stackchains: kube_support.StackChains,
) -> None:
    long = "x" * 400
    stacks = [make_stack("a", Phase.SUCCEEDED), make_stack(long, Phase.FAILED, depends_on="a")]
    facts = make_facts(make_execution(), make_progress(*stacks))
    found = status.project(make_ref(), v1alpha1.Status(), facts, now=T0)

    kept = await write_status(stackchains, "long", found)

    assert v1alpha1.read_status(kept) == found


async def test_writing_the_spec_does_not_touch_the_status_nor_the_other_way_round(
    stackchains: kube_support.StackChains,
) -> None:
    kept = await write_status(stackchains, "apart", full_status())

    await stackchains.kube.patch(
        stackchains.path("apart"), {"spec": {"parallelism": 3}, "status": {"stacks": None}}
    )
    await stackchains.kube.patch(
        f"{stackchains.path('apart')}/status", {"spec": {"parallelism": 4}}
    )

    found = await stackchains.get("apart")
    assert found["spec"]["parallelism"] == 3
    assert found["status"] == kept
