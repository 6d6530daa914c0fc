"""The operator under the chart's own roles: it needs all of them and nothing else.

The API server's audit log says what it asked for, from its first request to its orderly end.
"""

import contextlib
import dataclasses
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import temporalio.client

from devenv import processes
from devenv import temporal_server as temporal_servers
from devenv.control_plane import binaries, credentials, definitions, server
from tests.support import audit, chains, charts
from tests.support import helm as helms
from tests.support import kube as kube_support
from tests.support import temporal as temporal_support
from tests.support.chains import account_document
from tests.support.waiting import eventually

Parts = chains.Parts

LEASE = "coordination.k8s.io"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Audited:
    """A control plane that knows StackChains, and writes down who asks what."""

    parts: Parts
    log: audit.AuditLog
    helm: helms.Helm


@pytest.fixture(scope="module")
async def audited(
    helm: helms.Helm,
    control_plane_binaries: binaries.Binaries,
    temporal_server: temporal_servers.TemporalServer,
    temporal_client: temporalio.client.Client,
    start_process: processes.Start,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Audited]:
    directory = tmp_path_factory.mktemp("audited")
    log = audit.AuditLog(directory)
    plane = server.ControlPlane(
        control_plane_binaries, directory / "control-plane", api_server_flags=log.flags()
    )
    async with plane:
        await definitions.apply(
            definitions.Cluster(kubeconfig=plane.kubeconfig, log_file=directory / "kubectl.log")
        )
        async with kube_support.KubeApi(plane.url, plane.token, plane.ca_file) as kube:
            parts = Parts(
                control_plane=plane,
                kube=kube,
                temporal_server=temporal_server,
                temporal_client=temporal_client,
                start=start_process,
            )
            yield Audited(
                parts=parts,
                log=log,
                helm=dataclasses.replace(helm, kubeconfig=plane.kubeconfig),
            )


class Release:
    """A release of the chart whose operator runs here, as its service account."""

    def __init__(self, audited: Audited, changes: dict[str, Any], directory: Path) -> None:
        self.audited = audited
        self.namespace = temporal_support.unique("release")
        self._values = charts.values(changes)
        self._helm = dataclasses.replace(audited.helm, namespace=self.namespace)
        self._directory = directory
        self.objects = charts.Objects(self._helm.template(values=self._values))

    @property
    def account(self) -> str:
        return str(self.objects.one("ServiceAccount", "operator")["metadata"]["name"])

    def requests(self) -> list[audit.Request]:
        return list(self.audited.log.requests(self.namespace, self.account))

    async def _has_its_rights(self) -> bool:
        """Whether the API server has taken in all bindings, which it does a moment later."""
        bindings = [*self.objects.of("RoleBinding"), *self.objects.of("ClusterRoleBinding")]
        for binding in bindings:
            if self.account not in [subject["name"] for subject in binding["subjects"]]:
                continue
            role = self._role_of(binding)
            for right in audit.granted(role["rules"]):
                if not await self._may(right, binding["metadata"].get("namespace", "")):
                    return False
        return True

    def _role_of(self, binding: charts.Body) -> charts.Body:
        ref, namespace = binding["roleRef"], binding["metadata"].get("namespace")
        (role,) = [
            role
            for role in self.objects.of(ref["kind"])
            if role["metadata"]["name"] == ref["name"]
            and role["metadata"].get("namespace", namespace) == namespace
        ]
        return role

    async def _may(self, right: audit.Right, namespace: str) -> bool:
        resource, _, subresource = right.resource.partition("/")
        asked = {
            "namespace": namespace,
            "verb": right.verb,
            "group": right.group,
            "resource": resource,
            "subresource": subresource,
            "name": right.name,
        }
        user = f"system:serviceaccount:{self.namespace}:{self.account}"
        answer = await self.audited.parts.kube.create(
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            {"spec": {"user": user, "resourceAttributes": asked}},
        )
        return bool(answer["status"]["allowed"])

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[chains.Installation]:
        """Install the chart and run operator and worker; the operator ends in an orderly way."""
        self._helm.install(values=self._values)
        await eventually(self._has_its_rights, what="the rights of the chart hold")
        environment = self.objects.environment("operator")
        names = ("STACKCHAIN_WATCH_NAMESPACES", "STACKCHAIN_INSTALLATION")
        options = chains.Options(
            namespace=self.namespace,
            kubeconfig=await self._kubeconfig(),
            # An empty one counts as not set, and takes away what the tests set otherwise.
            settings={name: environment.get(name, "") for name in names},
        )
        async with chains.installed(self.audited.parts, self._directory, options) as running:
            yield running
            await running.operator.stop()
        self._helm("uninstall", "release", f"--namespace={self.namespace}")

    async def _kubeconfig(self) -> Path:
        plane = self.audited.parts.control_plane
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{self.account}/token"
        answer = await self.audited.parts.kube.create(path, {"spec": {"expirationSeconds": 3600}})
        file = self._directory / f"{self.namespace}.kubeconfig"
        text = credentials.kubeconfig_text(
            server=plane.url,
            ca_file=plane.ca_file,
            user=self.account,
            token=answer["status"]["token"],
        )
        credentials.write_private(file, text)
        return file


async def told(chain: chains.Chain, reason: str) -> bool:
    reasons = await chain.events()
    assert reason in reasons, reasons
    return True


async def live_through_all(running: chains.Installation, namespace: str) -> None:
    """Take one chain through its life: created, run, asked again, and deleted while it runs."""
    account = await running.add_account(
        namespace, account_document("a -> b", stacks={"a": {}, "b": {"autodeploy": False}})
    )
    api = kube_support.StackChains(running.parts.kube, namespace)
    chain = chains.Chain("life", api)
    await api.create("life", {"connectionName": account.name, "roots": {"stackIds": ["a"]}})
    run = await account.run_in("b", "UNCONFIRMED")
    await account.act(run["id"], "confirm")
    await chain.ends("RunSucceeded")
    await eventually(lambda: told(chain, "RunSucceeded"))
    await api.annotate("life", run="again")
    await chain.shows("AwaitingConfirmation")
    await api.delete("life")
    await chain.is_gone()
    assert (await account.runs("b"))[-1]["state"] == "DISCARDED"


async def test_the_operator_needs_all_rights_of_the_chart_and_no_other(
    audited: Audited, tmp_path: Path
) -> None:
    release = Release(audited, {"crds.enabled": False}, tmp_path)
    roles = [*release.objects.of("Role"), release.objects.one("ClusterRole", "operator")]
    rights = audit.granted(rule for role in roles for rule in role["rules"])

    async with release.running() as running:
        namespace = temporal_support.unique("team")
        await audited.parts.kube.create_namespace(namespace)
        await live_through_all(running, namespace)
    requests = release.requests()

    assert [request for request in requests if not request.was_allowed] == []
    assert audit.used(rights, [request.right for request in requests]) == rights


@pytest.mark.parametrize("namespace_deletion", [True, False], ids=["cluster", "roles only"])
async def test_an_operator_of_some_namespaces_needs_its_rights_there_and_no_other(
    audited: Audited, tmp_path: Path, namespace_deletion: bool
) -> None:
    teams = [temporal_support.unique("team") for _ in range(2)]
    for team in teams:
        await audited.parts.kube.create_namespace(team)
    changes = {
        "watchNamespaces": teams,
        "installation.id": temporal_support.unique("teams"),
        "crds.enabled": False,
        "rbac.namespaceDeletion": namespace_deletion,
    }
    release = Release(audited, changes, tmp_path)

    async with release.running() as running:
        for team in teams:
            await live_through_all(running, team)
    requests = release.requests()

    assert [request for request in requests if not request.was_allowed] == []
    assert {request.namespace for request in requests} == {release.namespace, *teams}
    for role in release.objects.of("Role"):
        rights = audit.granted(role["rules"])
        asked = [r.right for r in requests if r.namespace == role["metadata"]["namespace"]]
        assert audit.used(rights, asked) == rights, role["metadata"]["namespace"]
    for role in release.objects.of("ClusterRole"):
        rights = audit.granted(role["rules"])
        assert audit.used(rights, [request.right for request in requests]) == rights


async def is_gone(audited: Audited, namespace: str) -> None:
    async def gone() -> bool:
        return await audited.parts.kube.find(f"/api/v1/namespaces/{namespace}") is None

    await eventually(gone, chains.SECONDS, what=f"{namespace} is gone")


async def test_a_watched_namespace_can_be_deleted_with_its_live_chains(
    audited: Audited, tmp_path: Path
) -> None:
    """By whoever may: its Roles go first, and the operator is killed in the middle of it."""
    kube = audited.parts.kube
    going, staying, foreign = (temporal_support.unique("team") for _ in range(3))
    for team in (going, staying, foreign):
        await kube.create_namespace(team)
    changes = {
        "watchNamespaces": [going, staying],
        "installation.id": temporal_support.unique("teams"),
        "crds.enabled": False,
    }
    release = Release(audited, changes, tmp_path)
    async with release.running() as running:
        document = account_document("a -> b", stacks={"a": {"durations": {"applying": 600}}})
        account = await running.add_account("going", document)
        api = kube_support.StackChains(kube, going)
        await api.create("live", {"connectionName": "going", "roots": {"stackIds": ["a"]}})
        await account.run_in("a", "APPLYING")

        # As the namespace controller may, in any order it likes.
        rights = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{going}"
        for kind in ("rolebindings", "roles"):
            await kube.delete(f"{rights}/{kind}/release-stackchain-operator")
        await kube.delete(f"/api/v1/namespaces/{going}")
        await chains.Chain("live", api).shows("Deleting")
        await running.operator.kill()
        await running.operator.start()
        await account.run_in("b", "CANCELED")
        await account.hurry()
        await is_gone(audited, going)
        await running.operator.stop()
        await running.operator.start()
        await live_through_all(running, staying)

        assert [run["state"] for run in await account.runs("a")] == ["FINISHED"]
        assert all(run["state"] != "FINISHED" for run in await account.runs("b"))
        foreigners = kube_support.StackChains(kube, foreign)
        await foreigners.create("theirs", {"roots": {"stackIds": ["a"]}})
        status = await refused_as_operator(audited, release, foreigners.path("theirs"))
        assert "This operator serves other namespaces" in status
        await foreigners.delete("theirs")


async def refused_as_operator(audited: Audited, release: Release, path: str) -> str:
    """Return what the API server says to a write of the operator's service account."""
    user = f"system:serviceaccount:{release.namespace}:{release.account}"
    async with httpx.AsyncClient(
        base_url=audited.parts.control_plane.url,
        headers={
            "Authorization": f"Bearer {audited.parts.control_plane.token}",
            "Impersonate-User": user,
            "Content-Type": "application/merge-patch+json",
        },
        verify=ssl.create_default_context(cafile=str(audited.parts.control_plane.ca_file)),
        trust_env=False,
    ) as http:
        answer = await http.patch(path, json={"metadata": {"annotations": {"a": "b"}}})
    assert answer.status_code in (403, 422), answer.text
    return answer.text
