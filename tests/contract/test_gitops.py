"""What kstatus, Argo CD and Flux make of every situation, from the object that the server returns.

Given: each situation of docs/status.md as `chain.status` projects it, stored on a real API server.
Argo CD's script is run by Lua 5.1, Flux's expressions by the server's own CEL: an admission policy
warns of each that is true. Asserted: all three say the same, in their own words.
"""

import dataclasses
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from controller.api import v1alpha1
from controller.api.reasons import ChainReason
from controller.api.v1alpha1 import Phase
from tests.support import kube as kube_support
from tests.support import temporal as temporal_support
from tests.support import verdicts, waiting
from tests.support.builders import make_stack
from tests.support.kubectl import Kubectl
from tests.support.situations import SITUATIONS, SUCCEEDED, ended, projected

Body = dict[str, Any]

SPEC: Body = {"roots": {"stackIds": ["vpc"]}}
PAGE = Path(__file__).parents[2] / "docs" / "gitops.md"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
ROWS = [pytest.param(found, *expected, id=name) for name, found, expected in SITUATIONS]


def test_every_reason_of_a_chain_is_in_a_situation() -> None:
    found = (item.condition("Ready") for _, item, _ in SITUATIONS)

    assert {ready.reason for ready in found if ready} == set(ChainReason)


# The API server as the engine of Flux's expressions


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """A StackChain whose status can be set for one look, and what is true of it then."""

    kube: kube_support.KubeApi
    path: str

    async def look(self, body: Body) -> tuple[Body, set[str]]:
        """Return the object with that status, and the names of the expressions that are true."""
        response = await self.kube.request(
            "PATCH",
            f"{self.path}/status",
            params={"dryRun": "All"},
            json=body,
            headers={"Content-Type": kube_support.MERGE_PATCH},
        )
        response.raise_for_status()
        warnings = " ".join(response.headers.get_list("warning"))
        assert "error" not in warnings, warnings
        found: Body = response.json()
        return found, set(re.findall(r"true:(\w+)", warnings))


@pytest.fixture(scope="module")
async def engine(kube: kube_support.KubeApi) -> AsyncIterator[Engine]:
    """An admission policy that warns of each expression that is true, in a separate namespace."""
    name = temporal_support.unique("flux")
    await kube.create_namespace(name)
    await kube.create(POLICIES, policy(name))
    await kube.create(BINDINGS, binding(name))
    stackchains = kube_support.StackChains(kube, name)
    await stackchains.create("chain", SPEC)
    running = Engine(kube=kube, path=stackchains.path("chain"))
    ready = v1alpha1.status_to_dict(projected(ended(SUCCEEDED)))

    async def is_in_force() -> bool:
        _, matching = await running.look({"status": ready})
        return bool(matching)

    # A server takes up a new policy a moment later.
    await waiting.eventually(is_in_force)
    yield running
    await kube.delete(f"{BINDINGS}/{name}")
    await kube.delete(f"{POLICIES}/{name}")
    await kube.delete(f"/api/v1/namespaces/{name}")


def policy(name: str) -> Body:
    rule = {
        "apiGroups": [v1alpha1.GROUP],
        "apiVersions": [v1alpha1.VERSION],
        "operations": ["UPDATE"],
        "resources": ["stackchains/status"],
    }
    return {
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [
                {"expression": f"!({as_server_has_it(text)})", "message": f"true:{key}"}
                for key, text in verdicts.flux_expressions().items()
            ],
        },
    }


def as_server_has_it(expression: str) -> str:
    """To Flux the parts of the resource are variables, to an admission policy parts of `object`."""
    return re.sub(r"(?<![\w.])(status|spec|metadata)\.", r"object.\1.", expression)


def binding(name: str) -> Body:
    return {
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Warn"],
            "matchResources": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}
            },
        },
    }


# Verdicts


@pytest.mark.parametrize(("found", "kstatus", "health"), ROWS)
async def test_all_tools_agree_on_each_situation(
    engine: Engine, found: v1alpha1.Status, kstatus: str, health: str
) -> None:
    resource, matching = await engine.look({"status": v1alpha1.status_to_dict(found)})

    assert verdicts.kstatus(resource) == kstatus
    assert verdicts.flux(resource, matching) == kstatus
    assert verdicts.argo_cd(resource)[0] == health
    # So that nothing depends on the order in which Flux evaluates them.
    assert len(matching) <= 1


async def test_a_resource_that_no_operator_has_seen_is_in_progress(engine: Engine) -> None:
    """Tools that look right after an apply must not count it as done."""
    resource, matching = await engine.look({"metadata": {"labels": {"x": "1"}}})

    assert resource["status"] == {"observedGeneration": -1}
    assert verdicts.kstatus(resource) == "InProgress"
    assert verdicts.flux(resource, matching) == "InProgress"
    assert matching == {"inProgress"}
    assert verdicts.argo_cd(resource)[0] == "Progressing"


async def test_argo_cd_shows_reason_and_message(engine: Engine) -> None:
    found = projected(ended(make_stack("a", Phase.FAILED)))
    resource, _ = await engine.look({"status": v1alpha1.status_to_dict(found)})

    _, message = verdicts.argo_cd(resource)

    ready = found.condition("Ready")
    assert ready is not None
    assert message == f"StackFailed: {ready.message}"


@pytest.mark.parametrize("missing", ["status", "conditions", "Ready", "observedGeneration"])
def test_argo_cd_takes_a_status_without_its_parts_for_progressing(missing: str) -> None:
    """Objects that another version wrote must not make the script fail."""
    found = v1alpha1.status_to_dict(projected(ended(SUCCEEDED)))
    if missing == "Ready":
        found["conditions"] = [c for c in found["conditions"] if c["type"] != "Ready"]
    found.pop(missing, None)
    resource = {"metadata": {"generation": 1}, "status": found}
    if missing == "status":
        del resource["status"]

    assert verdicts.argo_cd(resource)[0] == "Progressing"


async def test_a_resource_that_is_being_deleted_is_terminating(
    kube: kube_support.KubeApi, stackchains: kube_support.StackChains
) -> None:
    await stackchains.create("going", SPEC)
    await kube.patch(stackchains.path("going"), {"metadata": {"finalizers": ["test.dev/held"]}})

    await stackchains.delete("going")

    assert verdicts.kstatus(await stackchains.get("going")) == "Terminating"
    await kube.patch(stackchains.path("going"), {"metadata": {"finalizers": None}})


# kubectl wait


Write = Callable[[v1alpha1.Status], Awaitable[None]]


@pytest.fixture
async def write(stackchains: kube_support.StackChains) -> Write:
    """Write the status of a StackChain `chain`."""
    await stackchains.create("chain", SPEC)

    async def write_status(found: v1alpha1.Status) -> None:
        body = {"status": v1alpha1.status_to_dict(found)}
        await stackchains.kube.patch(f"{stackchains.path('chain')}/status", body)

    return write_status


@pytest.mark.parametrize(
    ("name", "condition", "returns"),
    [
        ("succeeded", "Ready", True),
        ("running", "Ready", False),
        ("a stack failed", "Ready", False),
        ("a stack failed", "Stalled", True),
        ("running on after a failure", "Stalled", False),
        ("waiting for a person", "AwaitingConfirmation", True),
        ("running", "AwaitingConfirmation", False),
        ("suspended with work left", "Ready", False),
        ("suspended with work left", "Suspended", True),
    ],
)
async def test_kubectl_wait_returns_with_the_condition(
    kubectl: Kubectl, write: Write, name: str, condition: str, returns: bool
) -> None:
    (found,) = (item for title, item, _ in SITUATIONS if title == name)
    await write(found)

    # What holds already returns at once; a busy API server may take a second over that.
    timeout = "60s" if returns else "1s"
    code, output = await kubectl(
        "wait", "schain/chain", f"--for=condition={condition}", f"--timeout={timeout}"
    )

    assert (code == 0) is returns, output


async def test_kubectl_wait_does_not_take_the_run_of_an_older_spec_for_success(
    kubectl: Kubectl, write: Write, stackchains: kube_support.StackChains
) -> None:
    await write(projected(ended(SUCCEEDED)))
    await stackchains.set_spec("chain", roots={"stackIds": ["dns"]})

    code, output = await kubectl("wait", "schain/chain", "--for=condition=Ready", "--timeout=1s")

    assert code != 0, output


# The page


@pytest.mark.parametrize(
    ("file", "indentation"), [("health.lua", "    "), ("flux-health.yaml", "")]
)
def test_the_page_has_the_files_as_they_are(file: str, indentation: str) -> None:
    lines = (verdicts.GITOPS / file).read_text(encoding="utf-8").splitlines()
    embedded = "\n".join(f"{indentation}{line}" if line else "" for line in lines)
    page = PAGE.read_text(encoding="utf-8")

    assert embedded in page
    assert f"(gitops/{file})" in page


def test_the_page_shows_every_verdict() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for _, _, (kstatus, health) in SITUATIONS:
        assert re.search(rf"^\|.*`{kstatus}`.*`{health}`.*\|$", page, re.MULTILINE)
