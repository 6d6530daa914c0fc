"""The policies in examples/policies, on a real API server: what they let through or stop.

Both are for the whole cluster or for a namespace with a fixed name; here they are for the test's
own namespace.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually

POLICIES = Path(__file__).parents[2] / "examples" / "policies"


def chain(namespace: str, name: str, **spec: Any) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "stackchain.dev/v1alpha1",
            "kind": "StackChain",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"roots": {"stackIds": ["a"]}, **spec},
        }
    )


@pytest.fixture
async def policy(kubectl: Kubectl, namespace: str) -> AsyncIterator[None]:
    """The admission policy, bound to the namespace of the test alone."""
    policy, binding = yaml.safe_load_all((POLICIES / "admission-policy.yaml").read_text())
    selector = binding["spec"]["matchResources"]["namespaceSelector"]
    selector["matchLabels"] = {"kubernetes.io/metadata.name": namespace}
    code, output = await kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([policy, binding]))
    assert code == 0, output

    async def is_in_force() -> bool:
        _, output = await kubectl(
            "create",
            "--dry-run=server",
            "-f",
            "-",
            stdin=chain(namespace, "x", commitSHA="0123abcd"),
        )
        return "may not be set in this namespace" in output

    await eventually(is_in_force, 60, what="the policy is in force")
    yield
    await kubectl("delete", "-f", str(POLICIES / "admission-policy.yaml"))


REFUSED = [
    ({"operation": "Destroy", "destroyConfirmation": "c"}, "operation may not be Destroy"),
    ({"confirmationPolicy": "Auto"}, "confirmationPolicy may not be Auto"),
    ({"runtimeEnvironment": [{"name": "A", "value": "1"}]}, "runtimeEnvironment may not be set"),
    ({"commitSHA": "0123abcd"}, "commitSHA may not be set"),
]


@pytest.mark.usefixtures("policy")
async def test_the_admission_policy_holds_where_no_label_lifts_it(
    kubectl: Kubectl, namespace: str
) -> None:
    async def create(name: str, **spec: Any) -> tuple[int, str]:
        return await kubectl("apply", "-f", "-", stdin=chain(namespace, name, **spec))

    answers = [await create("c", **spec) for spec, _ in REFUSED]
    plain = await create("plain")
    finalized = await kubectl(
        *("patch", "schain", "plain", "--namespace", namespace, "--type=merge"),
        '--patch={"metadata":{"finalizers":["example.com/x"]}}',
    )
    edited = await create("plain", confirmationPolicy="Auto")
    await kubectl("label", "namespace", namespace, "stackchain.dev/trusted=true")

    async def is_lifted() -> bool:
        return (await create("plain", confirmationPolicy="Auto"))[0] == 0

    for (code, output), (_, why) in zip(answers, REFUSED, strict=True):
        assert code != 0
        assert why in output
    assert plain[0] == 0, plain[1]
    assert finalized[0] == 0, finalized[1]
    assert "confirmationPolicy may not be Auto" in edited[1]
    await eventually(is_lifted, 30, what="the label lifts the policy")
    await kubectl(
        *("patch", "schain", "plain", "--namespace", namespace, "--type=merge"),
        '--patch={"metadata":{"finalizers":null}}',
    )


async def test_the_quota_bounds_the_chains_of_a_namespace(kubectl: Kubectl, namespace: str) -> None:
    quota = yaml.safe_load((POLICIES / "resource-quota.yaml").read_text())
    quota["metadata"]["namespace"] = namespace
    quota["spec"]["hard"] = dict.fromkeys(quota["spec"]["hard"], "1")
    code, output = await kubectl("apply", "-f", "-", stdin=yaml.safe_dump(quota))
    assert code == 0, output

    # What the quota controller does, which the tests' control plane does not run.
    (resource,) = quota["spec"]["hard"]
    counted = json.dumps({"status": {"hard": {resource: "1"}, "used": {resource: "0"}}})
    code, output = await kubectl(
        *("patch", "resourcequota", "stackchains", "--subresource=status", "--type=merge"),
        f"--patch={counted}",
    )
    assert code == 0, output
    names = (f"c{number}" for number in range(1000))

    async def is_full() -> str:
        # The API server knows of a new quota a moment later.
        code, output = await kubectl("create", "-f", "-", stdin=chain(namespace, next(names)))
        return output if code else ""

    refusal = await eventually(is_full, 30, what="the quota is used up")

    assert "exceeded quota: stackchains" in refusal
