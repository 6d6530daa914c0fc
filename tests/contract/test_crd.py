"""The definition on a real API server: what it is, what it takes, and what kubectl shows of it.

Given: objects as people write them. Asserted: what the server makes of them, and what kubectl
shows. Refusals are in `test_crd_refusals.py`, statuses are in `test_crd_status.py`.
"""

import asyncio
import re
from typing import Any

import pytest

from controller.api import definition_fields, v1alpha1
from controller.kube import definition_check
from devenv.control_plane import server
from tests.support import definition, product_client, spec_values, waiting
from tests.support import kube as kube_support
from tests.support.builders import T0
from tests.support.kubectl import Kubectl

Body = dict[str, Any]

CRD_NAME = "stackchains.stackchain.dev"
SPEC: Body = {"roots": {"stackIds": ["vpc"]}}

SPEC_FIELDS = definition.spec_fields()
STATUS_FIELDS = definition.status_fields()


# The definition


async def test_the_definition_is_served_as_written_and_structural(
    kube: kube_support.KubeApi,
) -> None:
    found = await kube.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{CRD_NAME}")

    conditions = {item["type"]: item["status"] for item in found["status"]["conditions"]}
    assert conditions["Established"] == "True"
    assert conditions["NamesAccepted"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"
    assert found["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == definition.schema()


def test_the_definition_is_that_of_the_code() -> None:
    spec = definition.crd()["spec"]

    assert spec["group"] == v1alpha1.GROUP
    assert spec["names"]["plural"] == v1alpha1.PLURAL
    assert spec["names"]["kind"] == v1alpha1.KIND
    assert spec["versions"][0]["name"] == v1alpha1.VERSION


def test_the_operator_asks_the_cluster_for_every_field_of_the_definition() -> None:
    """If it fails: `controller/api/definition_fields.py` has one line for each field."""
    fields = set(definition_check.fields_of(definition.schema()))

    ours = {name for name in fields if name.partition(".")[0] in ("spec", "status")}
    assert sorted(ours) == sorted(definition_fields.FIELDS)


async def test_the_published_definition_has_every_field(
    control_plane: server.ControlPlane,
) -> None:
    async with product_client.connected(control_plane.kubeconfig) as asking:
        served = definition_check.Definition(asking)

        await asyncio.wait_for(served.wait(), 60)

        assert await served.check() is None


@pytest.mark.parametrize("path", [*SPEC_FIELDS, *STATUS_FIELDS])
def test_every_field_is_described_in_whole_sentences(path: str) -> None:
    text = (SPEC_FIELDS | STATUS_FIELDS)[path]["description"]

    assert text[0].isupper()
    assert text.endswith(".")


@pytest.mark.parametrize(
    "path", [path for path, field in SPEC_FIELDS.items() if field["type"] != "object"]
)
def test_every_description_names_the_default_that_the_field_has(path: str) -> None:
    field = SPEC_FIELDS[path]
    described = re.search(r"(?<!\w)Default: ([^.,]+)[.,]", field["description"])
    words = {"both": ["Dependencies", "Labels"], "true": True, "false": False}

    if "default" not in field:
        assert described is None or described[1] in ("none", "no limit")
        return
    assert described is not None
    assert words.get(described[1], described[1]) in (field["default"], str(field["default"]))


@pytest.fixture
async def explain(kubectl: Kubectl) -> Kubectl:
    """kubectl once it can explain: a server knows a new definition's fields a moment later."""

    async def can_explain() -> bool:
        code, output = await kubectl("explain", "schain.spec.parallelism")
        return code == 0 and "Default: 10" in " ".join(output.split())

    await waiting.eventually(can_explain)
    return kubectl


async def test_kubectl_explain_shows_every_field_with_its_description(explain: Kubectl) -> None:
    code, output = await explain("explain", "stackchain", "--recursive")
    assert code == 0, output
    for path in SPEC_FIELDS | STATUS_FIELDS:
        assert re.search(rf"^\s*{path.rsplit('.', 1)[1]}\t", output, re.MULTILINE), path

    parts = (
        "spec",
        "spec.roots",
        "spec.graph",
        "spec.graph.exclude",
        "spec.retry",
        "spec.runtimeEnvironment",
        "spec.schedule",
        "spec.triggers",
        "status.schedule",
        "status.latestRun",
        "status.stacks",
    )
    for part in parts:
        code, output = await explain("explain", f"stackchain.{part}")
        assert code == 0, output
        shown = " ".join(output.split())
        described = SPEC_FIELDS | STATUS_FIELDS
        for path in described:
            if path.rpartition(".")[0] == part:
                assert " ".join(described[path]["description"].split()) in shown, path


async def test_kubectl_explain_shows_allowed_values_and_defaults(explain: Kubectl) -> None:
    _, sources = await explain("explain", "schain.spec.graph.sources")
    _, parallelism = await explain("explain", "schain.spec.parallelism")
    _, operation = await explain("explain", "schain.spec.operation")

    assert "Labels: stack labels of the form dependsOn:<stack id>" in " ".join(sources.split())
    assert "Default: 10" in " ".join(parallelism.split())
    assert re.search(r"ENUM:\s+Apply\s+Plan\s+Destroy\s", operation)


# What is taken


async def test_what_is_left_out_gets_its_default(stackchains: kube_support.StackChains) -> None:
    created = await stackchains.create("minimal", SPEC)

    defaults = {
        path.removeprefix("spec."): field["default"]
        for path, field in SPEC_FIELDS.items()
        # A part has the defaults of its fields; what is left out as a whole has none.
        if "default" in field
        if field["type"] != "object"
        if not path.startswith(("spec.schedule.", "spec.stages.", "spec.window."))
    }
    assert created["spec"] == SPEC | spec_values.spec_of(defaults)
    assert v1alpha1.parse(created).spec == v1alpha1.StackChainSpec(
        roots=v1alpha1.Roots(stack_ids=("vpc",))
    )


FULL_SPEC = spec_values.full_spec(
    # What contradicts the others.
    without=("roots.labels", "destroyConfirmation", "graph.includeRoots"),
    **{"roots.stackIds": ["vpc"], "operation": "Apply", "graph.direction": "Downstream"},
)
DESTROY = {"operation": "Destroy", "destroyConfirmation": "accepted"}
LONGEST_LIST = [f"{number:0128}" for number in range(64)]

ACCEPTED = [
    pytest.param(SPEC, id="the least"),
    pytest.param(FULL_SPEC, id="everything set"),
    pytest.param({"roots": {"labels": ["layer:base"]}}, id="roots by label"),
    *(
        pytest.param({**SPEC, "schedule": {"cron": cron}}, id=f"the cron {cron}")
        for cron in ("*/5 * * * *", "0 6 * * MON-FRI", "15,45 0-6/2 1 jan,jul *", "@daily")
    ),
    *(
        pytest.param(
            {**SPEC, "schedule": {"cron": "@daily", "timeZone": zone}}, id=f"the time zone {zone}"
        )
        for zone in ("UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5")
    ),
    pytest.param({**SPEC, "graph": {}, "retry": {}}, id="empty parts"),
    pytest.param(
        {**SPEC, "graph": None, "parallelism": None, "retry": {"limit": None}, "suspend": None},
        id="nulls for defaults",
    ),
    pytest.param(
        {
            "roots": {"stackIds": ["vpc", "dns"]},
            "graph": {"includeRoots": False, "exclude": {"stackIds": [], "labels": []}},
            "commitSHA": "",
            "runtimeEnvironment": [],
        },
        id="empty values, as templates leave them",
    ),
    pytest.param({**SPEC, "graph": {"exclude": {}}}, id="nothing excluded"),
    pytest.param({**SPEC, "graph": {"sources": ["Labels"]}}, id="labels only"),
    pytest.param({**SPEC, "graph": {"sources": ["Labels", "Dependencies"]}}, id="both sources"),
    pytest.param({**SPEC, "graph": {"direction": "Upstream", "maxDepth": 1}}, id="one step up"),
    pytest.param({**SPEC, "graph": {"direction": "RootsOnly"}}, id="the roots alone"),
    pytest.param({**SPEC, "graph": {"includeRoots": False}}, id="dependents alone"),
    pytest.param({**SPEC, **DESTROY}, id="destroy, confirmed"),
    pytest.param({**SPEC, **DESTROY, "confirmationPolicy": "Auto"}, id="destroy without a person"),
    pytest.param({**SPEC, "operation": "Plan", "failurePolicy": "FailFast"}, id="plan"),
    pytest.param({**SPEC, "commitSHA": "abcdef1"}, id="a short commit"),
    pytest.param({**SPEC, "commitSHA": "a" * 64}, id="a commit of SHA-256"),
    pytest.param(
        {
            **SPEC,
            "confirmationDeadlineSeconds": 600,
            "stackDeadlineSeconds": 600,
            "activeDeadlineSeconds": 600,
        },
        id="all deadlines alike",
    ),
    pytest.param(
        {**SPEC, "retry": {"backoffSeconds": 600, "maxBackoffSeconds": 600}},
        id="equal pauses",
    ),
    pytest.param(
        {**SPEC, "runtimeEnvironment": [{"name": "_a1", "value": ""}]}, id="an empty variable"
    ),
    pytest.param(
        {
            **SPEC,
            "runtimeEnvironment": [
                {"name": "n" * 96, "value": "v" * 4000},
                {"name": "m" * 96, "value": "\u00fc" * 2000},
            ],
        },
        id="variables of 8,192 bytes",
    ),
    pytest.param({"roots": {"stackIds": ["A_b-1.c", "x" * 128]}}, id="ids of all kinds"),
    pytest.param(
        {"roots": {"stackIds": ["vpc"]}, "graph": {"exclude": {"stackIds": LONGEST_LIST}}},
        id="64 excluded stacks",
    ),
]


@pytest.mark.parametrize("spec", ACCEPTED)
async def test_what_the_definition_takes_the_operator_reads_as_it_is(
    stackchains: kube_support.StackChains, spec: Body
) -> None:
    created = await stackchains.create("accepted", spec)

    read = spec_values.manifest_of(v1alpha1.parse(created).spec)
    assert _without_blanks(read) == _without_blanks(created["spec"])


def _without_blanks(value: Any) -> Any:
    """An absent value, an empty one and null mean the same; false and 0 are values."""
    if isinstance(value, dict):
        inner = {key: _without_blanks(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item not in (None, "", [], {})}
    return [_without_blanks(item) for item in value] if isinstance(value, list) else value


async def test_a_name_of_63_characters_is_taken(stackchains: kube_support.StackChains) -> None:
    created = await stackchains.create("x" * 63, SPEC)

    assert v1alpha1.parse(created).ref.name == "x" * 63


async def test_tokens_are_read_from_their_annotations(
    stackchains: kube_support.StackChains,
) -> None:
    created = await stackchains.create("tokens", SPEC, run="again", retry="7", cancel="8")

    read = v1alpha1.parse(created)
    assert (read.run_token, read.retry_token, read.cancel_token) == ("again", "7", "8")


# What kubectl shows


FAILED: Body = {
    "conditions": [
        {
            "type": type_,
            "status": value,
            "reason": "StackFailed",
            "message": "1 of 4 stacks failed.",
            "lastTransitionTime": T0,
            "observedGeneration": 1,
        }
        for type_, value in (("Ready", "False"), ("Reconciling", "False"), ("Stalled", "True"))
    ],
    "latestRun": {
        "number": 3,
        "phase": "Failed",
        "cause": "RunToken",
        "progress": "1/4",
        "startTime": T0,
        "estimatedCompletionTime": "2026-03-01T10:09:00Z",
        "workflowUrl": "https://temporal.example.com/run",
        "summary": {"failed": 1},
        "changes": {"stacks": 2, "added": 5, "changed": 4, "deleted": 0, "text": "+5 ~4 -0"},
    },
    "schedule": {"nextTime": "2026-03-02T06:00:00Z"},
}


async def write_failed(stackchains: kube_support.StackChains, name: str, spec: Body) -> None:
    await stackchains.create(name, spec)
    await stackchains.kube.patch(f"{stackchains.path(name)}/status", {"status": FAILED})


async def test_kubectl_get_has_its_columns(
    kubectl: Kubectl, stackchains: kube_support.StackChains
) -> None:
    spec = {**SPEC, "operation": "Plan", "suspend": True}
    await write_failed(stackchains, "columns", spec)

    _, narrow = await kubectl("get", "schain")
    _, wide = await kubectl("get", "stackchain", "--output=wide")

    heading, row = narrow.splitlines()
    columns = [
        "NAME",
        "READY",
        "REASON",
        "RUN",
        "OPERATION",
        "PROGRESS",
        "FAILED",
        "CHANGES",
        "NEXT",
        "AGE",
    ]
    assert heading.split() == columns
    assert re.search(
        r"columns +False +StackFailed +3 +Plan +1/4 +1 +\+5 ~4 -0 +2026-03-02T06:00:00Z ", row
    )
    heading, row = wide.splitlines()
    assert heading.split()[10:] == ["CAUSE", "SUSPENDED", "ESTIMATED", "MESSAGE"]
    assert re.search(r"RunToken +true +2026-03-01T10:09:00Z +1 of 4 stacks failed\.$", row.rstrip())


async def test_kubectl_finds_the_chains_of_one_operation(
    kubectl: Kubectl, stackchains: kube_support.StackChains
) -> None:
    await stackchains.create("applies", SPEC)
    await stackchains.create("plans", {**SPEC, "operation": "Plan"})

    code, output = await kubectl(
        "get", "schain", "--field-selector=spec.operation=Plan", "--output=name"
    )

    assert (code, output.strip()) == (0, "stackchain.stackchain.dev/plans")


async def test_stackchains_are_found_by_short_name_and_category(kubectl: Kubectl) -> None:
    await kubectl.apply(SPEC, name="found")

    for name in ("schain", "stackchain", "stackchains", "spacelift"):
        code, output = await kubectl("get", name, "--output=name")

        assert code == 0, output
        assert output.strip() == "stackchain.stackchain.dev/found"


async def test_kubectl_wait_understands_the_conditions(
    kubectl: Kubectl, stackchains: kube_support.StackChains
) -> None:
    await write_failed(stackchains, "waits", SPEC)

    code, output = await kubectl("wait", "schain/waits", "--for=condition=Stalled", "--timeout=60s")

    assert code == 0, output
