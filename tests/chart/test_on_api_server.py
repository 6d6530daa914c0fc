"""What the chart renders, sent to a real API server: valid, restricted, installed and removed."""

import base64
import dataclasses
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.config import mounted_keys
from devenv.control_plane import binaries, server
from tests.support import charts, processes
from tests.support import helm as helms
from tests.support import kube as kube_support
from tests.support import kubectl as kubectls
from tests.support import temporal as temporal_support
from tests.support.waiting import eventually

CI_FILES = sorted(helms.CI_VALUES.glob("*.yaml"))

# Of products that are not part of Kubernetes; `test_switches` has their shape.
FOREIGN_GROUPS = ("gateway.networking.k8s.io/", "keda.sh/", "monitoring.coreos.com/")


@pytest.fixture(scope="module")
async def restricted(kube: kube_support.KubeApi) -> AsyncIterator[str]:
    """A namespace where the API server refuses every pod that is not `restricted`."""
    name = temporal_support.unique("restricted")
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    await kube.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    for team in ("team-a", "team-b"):
        if await kube.find(f"/api/v1/namespaces/{team}") is None:
            await kube.create_namespace(team)
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    await eventually(lambda: kube.find(account), what="the service account default is there")
    yield name
    for namespace in (name, "team-a", "team-b"):
        await kube.delete(f"/api/v1/namespaces/{namespace}")


@pytest.fixture(scope="module")
def helm_there(helm: helms.Helm, restricted: str) -> helms.Helm:
    return dataclasses.replace(helm, namespace=restricted)


@pytest.mark.parametrize("file", CI_FILES, ids=lambda file: file.stem)
async def test_every_object_is_valid(
    helm_there: helms.Helm, control_plane: server.ControlPlane, tmp_path: Path, file: Path
) -> None:
    """By a dry run on the server, which also refuses unknown fields."""
    # Pods need a service account that exists; see the next test.
    bodies = [
        body
        for body in helm_there.template(file)
        if body["kind"] != "Pod" and not body["apiVersion"].startswith(FOREIGN_GROUPS)
    ]

    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(yaml.safe_dump_all(bodies))

    code, output = await processes.kubectl(
        control_plane,
        *("apply", "--server-side", "--force-conflicts", "--dry-run=server"),
        *("--validate=strict", f"--filename={rendered}"),
    )

    assert code == 0, output
    assert output.count("(server dry run)") == len(bodies), output
    # Where Pod Security would refuse the pods of a Deployment, it warns.
    assert "Warning" not in output


@pytest.mark.parametrize("file", CI_FILES, ids=lambda file: file.stem)
async def test_every_pod_is_restricted(
    helm_there: helms.Helm, kube: kube_support.KubeApi, restricted: str, file: Path
) -> None:
    pods = charts.Objects(helm_there.template(file)).pods()

    for component, template in pods.items():
        answer = await create_pod(kube, restricted, template["spec"])
        assert answer.is_success, f"{component}: {answer.text}"


async def test_a_pod_that_is_not_restricted_is_refused(
    helm_there: helms.Helm, kube: kube_support.KubeApi, restricted: str
) -> None:
    """The tests above can fail."""
    spec = charts.Objects(helm_there.template(CI_FILES[0])).pods()["worker"]["spec"]
    spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True

    answer = await create_pod(kube, restricted, spec)

    assert answer.status_code == 403
    assert 'violates PodSecurity "restricted' in answer.json()["message"]


async def create_pod(kube: kube_support.KubeApi, namespace: str, spec: charts.Body) -> Any:
    # The API server also asks for the objects that a pod names; only its shape is asked for here.
    foreign = ("priorityClassName", "imagePullSecrets")
    plain = {key: value for key, value in spec.items() if key not in foreign}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "dry-run-"},
        "spec": {**plain, "serviceAccountName": "default"},
    }
    path = f"/api/v1/namespaces/{namespace}/pods"
    return await kube.request("POST", path, json=body, params={"dryRun": "All"})


# Installed


@pytest.fixture(scope="module")
async def empty_plane(
    control_plane_binaries: binaries.Binaries, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[server.ControlPlane]:
    """An API server that does not know StackChains yet."""
    directory = tmp_path_factory.mktemp("empty") / "control-plane"
    async with server.ControlPlane(control_plane_binaries, directory) as plane:
        yield plane


@pytest.fixture
def installing(helm: helms.Helm, empty_plane: server.ControlPlane) -> Iterator[helms.Helm]:
    """Helm on that API server; a release that a test leaves is removed after it."""
    there = dataclasses.replace(helm, kubeconfig=empty_plane.kubeconfig)
    yield there
    there("uninstall", "release", f"--namespace={there.namespace}", "--ignore-not-found")


@pytest.fixture
def kubectl(empty_plane: server.ControlPlane) -> kubectls.Kubectl:
    return kubectls.Kubectl(plane=empty_plane, namespace="default")


CRD = "stackchains.stackchain.dev"
SPEC = {"roots": {"stackIds": ["vpc"]}}


async def test_the_definition_and_its_resources_live_through_upgrade_and_removal(
    installing: helms.Helm, kubectl: kubectls.Kubectl, tmp_path: Path
) -> None:
    values = charts.values()

    older_chart(installing, tmp_path).install(values=values)
    await is_served(kubectl)

    async def is_taken() -> bool:
        return (await kubectl.apply(SPEC))[0] == 0

    await eventually(is_taken, what="a StackChain is taken")

    async def has_no_short_name() -> bool:
        # The API server may serve the names of an earlier definition for a moment.
        return not await knows_the_short_name(kubectl)

    await eventually(has_no_short_name, what="the short name is not known")
    installing.upgrade(values={**values, "worker": {"replicas": 5}})
    await eventually(lambda: knows_the_short_name(kubectl))
    _, replicas = await kubectl(
        *("get", "deployment", "--namespace", installing.namespace, "release-stackchain-worker"),
        "--output=jsonpath={.spec.replicas}",
    )
    installing("uninstall", "release", f"--namespace={installing.namespace}")
    code, kept = await kubectl("get", "schain", "--output=name")
    again = installing.install(values=values)
    installing("uninstall", "release", f"--namespace={installing.namespace}")
    _, left = await kubectl(
        "get", "all,sa,role,rolebinding,cm,secret,pdb,lease", "-A", "--output=name"
    )
    _, cluster = await kubectl("get", "clusterrole,clusterrolebinding", "--output=name")

    assert replicas == "5"
    assert (code, kept) == (0, "stackchain.stackchain.dev/chain\n")
    assert "STATUS: deployed" in again
    assert "release-stackchain" not in left
    assert "stackchain-operator" not in left
    assert "release-stackchain" not in cluster


async def knows_the_short_name(kubectl: kubectls.Kubectl) -> bool:
    return (await kubectl("get", "schain"))[0] == 0


def older_chart(helm: helms.Helm, folder: Path) -> helms.Helm:
    """Return Helm with a chart whose definition knows no short name yet."""
    chart = folder / "stackchain"
    shutil.copytree(helms.CHART, chart)
    file = chart / "files" / "crds" / f"{CRD}.yaml"
    text = file.read_text()
    assert "    shortNames: [schain]\n" in text
    file.write_text(text.replace("    shortNames: [schain]\n", ""))
    return dataclasses.replace(helm, chart=chart)


async def test_the_definition_goes_if_so_asked(
    installing: helms.Helm, kubectl: kubectls.Kubectl
) -> None:
    installing.install(values=charts.values({"crds.keep": False}))
    await is_served(kubectl)
    installing("uninstall", "release", f"--namespace={installing.namespace}", "--wait=legacy")

    async def is_gone() -> bool:
        return (await kubectl("get", "crd", CRD))[0] != 0

    await eventually(is_gone)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param({}, id="beside one for all"),
        pytest.param(
            {
                "watchNamespaces": ["default"],
                "installation.id": "some",
                "crds.enabled": False,
            },
            id="beside one for some",
        ),
    ],
)
async def test_a_second_release_for_all_namespaces_is_refused_and_the_first_is_named(
    installing: helms.Helm, first: dict[str, Any]
) -> None:
    second = dataclasses.replace(installing, namespace="second")
    installing.install(values=charts.values(first))

    with pytest.raises(helms.HelmRefused) as refused:
        second.install(values=charts.values())
    installing.upgrade(values=charts.values({**first, "worker.replicas": 3}))
    installing("uninstall", "release", f"--namespace={installing.namespace}")

    said = f"the release release in the namespace {installing.namespace} also serves namespaces"
    assert f"- watchNamespaces: {said} of this cluster;" in str(refused.value)


async def is_served(kubectl: kubectls.Kubectl) -> None:
    # More than kubectl's own thirty seconds.
    established = ("--for=condition=Established", "--timeout=120s")

    async def is_established() -> bool:
        # An error, too, while a new definition has no conditions.
        code, output = await kubectl("wait", *established, f"crd/{CRD}")
        assert code == 0, output
        return True

    await eventually(is_established)


async def test_the_signing_key_stays_until_a_new_one_is_asked_for(
    installing: helms.Helm, kubectl: kubectls.Kubectl
) -> None:
    async def keys() -> list[str]:
        code, encoded = await kubectl(
            *("get", "secret", "--namespace", installing.namespace, "release-stackchain-signing"),
            "--output=jsonpath={.data.signing-keys}",
        )
        assert code == 0, encoded
        return base64.b64decode(encoded).decode().split("\n")

    found = []
    installing.install(values=charts.values())
    found.append(await keys())
    for generation in (1, 2, 2, 3):
        installing.upgrade(values=charts.values({"signing.generation": generation}))
        found.append(await keys())
    installing("uninstall", "release", f"--namespace={installing.namespace}")

    (first,), (second, *_), (third, *_) = found[0], found[2], found[4]
    assert found == [[first], [first], [second, first], [second, first], [third, second]]
    assert len({first, second, third}) == 3
    assert all(len(key) >= mounted_keys.SHORTEST_KEY for key in (first, second, third))


# What each of them may besides those before.
LAST_VERBS = {"view": "get", "edit": "delete", "admin": "deletecollection"}


async def test_people_who_may_view_edit_or_administer_may_do_so_with_stackchains(
    installing: helms.Helm, kubectl: kubectls.Kubectl
) -> None:
    installing.install(values=charts.values({"rbac.aggregatedRoles": ["view", "edit", "admin"]}))
    for role in ("view", "edit", "admin"):
        await kubectl(
            "create", "rolebinding", f"a-{role}", f"--clusterrole={role}", f"--user={role}"
        )

    async def may(user: str, verb: str) -> bool:
        code, _ = await kubectl("auth", "can-i", verb, "stackchains.stackchain.dev", f"--as={user}")
        return code == 0

    async def are_aggregated() -> bool:
        return all([await may(user, verb) for user, verb in LAST_VERBS.items()])

    await eventually(are_aggregated)
    allowed = {
        user: [
            verb
            for verb in ("get", "create", "delete", "deletecollection")
            if await may(user, verb)
        ]
        for user in (*LAST_VERBS, "nobody")
    }
    _, status = await kubectl(
        *("auth", "can-i", "patch", "stackchains.stackchain.dev"),
        *("--subresource=status", "--as=admin"),
    )

    assert allowed == {
        "view": ["get"],
        "edit": ["get", "create", "delete"],
        "admin": ["get", "create", "delete", "deletecollection"],
        "nobody": [],
    }
    # The status is the operator's word.
    assert status.strip() == "no"
