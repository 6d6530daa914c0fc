"""Users of `kubectl stackchain`, and the test in the operator's place."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from devenv.control_plane import credentials, server
from tests.support import fork_server
from tests.support import kube as kube_support
from tests.support.plugin import Kubectl, Operator
from tests.support.waiting import eventually


@pytest.fixture
def kubectl(
    control_plane: server.ControlPlane,
    namespace: str,
    tmp_path: Path,
    forks: fork_server.ForkServer | None,
) -> Kubectl:
    """The administrator's."""
    return Kubectl(control_plane.kubeconfig, tmp_path, namespace, forks)


async def may(kube: kube_support.KubeApi, namespace: str, verb: str) -> bool:
    """Whether the restricted user may do something with StackChains."""
    asked = {
        "namespace": namespace,
        "verb": verb,
        "group": "stackchain.dev",
        "resource": "stackchains",
    }
    answer = await kube.create(
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        {"spec": {"user": credentials.OPERATOR, "resourceAttributes": asked}},
    )
    return bool(answer["status"]["allowed"])


@pytest.fixture
async def restricted(
    control_plane: server.ControlPlane,
    kube: kube_support.KubeApi,
    namespace: str,
    tmp_path: Path,
    forks: fork_server.ForkServer | None,
) -> Callable[..., Awaitable[Kubectl]]:
    """That of a user who has some verbs in the test's namespace, and nothing else."""

    async def make(*verbs: str) -> Kubectl:
        rule = {"apiGroups": ["stackchain.dev"], "resources": ["stackchains"], "verbs": verbs}
        role = {"metadata": {"name": "some"}, "rules": [rule] if verbs else []}
        binding = {
            "metadata": {"name": "some"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "some"},
            "subjects": [{"kind": "User", "name": credentials.OPERATOR}],
        }
        path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        await kube.create(f"{path}/roles", role)
        await kube.create(f"{path}/rolebindings", binding)

        async def has_its_rights() -> bool:
            return all([await may(kube, namespace, verb) for verb in verbs])

        await eventually(has_its_rights, what="the API server has taken in the Role")
        text = credentials.kubeconfig_text(
            server=control_plane.url,
            ca_file=control_plane.ca_file,
            user=credentials.OPERATOR,
            token=control_plane.token_of(credentials.OPERATOR),
        )
        kubeconfig = tmp_path / "restricted"
        kubeconfig.write_text(text)
        return Kubectl(kubeconfig, tmp_path, namespace, forks)

    return make


@pytest.fixture
def operator(stackchains: kube_support.StackChains) -> Operator:
    return Operator(stackchains)
