"""Who may approve stages and bypass stacks (`approvals.groups`), judged by a real API server.

Given: the rendered policy and people of two groups, who all may patch StackChains. Asserted: whose
annotations are taken, and with which words the others are refused.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.support import charts
from tests.support import kube as kube_support
from tests.support import temporal as temporal_support
from tests.support.waiting import eventually

Body = dict[str, Any]

POLICIES = "/apis/admissionregistration.k8s.io/v1"
SPEC: Body = {"roots": {"stackIds": ["vpc"]}}
MANAGER, DEVELOPER = "oidc:release-managers", "oidc:developers"
WORDS = (
    "only members of oidc:release-managers, oidc:on-call may set the annotation "
    "{}; ask one of them, or leave the annotation as it is"
)
# Rights are given by a group that may do everything, so that only the policy refuses.
ANYTHING = "system:masters"


class Person:
    """Writes StackChains of a namespace as a member of groups."""

    def __init__(self, chains: kube_support.StackChains, *groups: str) -> None:
        self._chains = chains
        self._headers = [
            ("Impersonate-User", "somebody"),
            *(("Impersonate-Group", group) for group in (*groups, ANYTHING)),
        ]

    async def create(self, name: str, **annotations: str) -> httpx.Response:
        body = kube_support.stack_chain(name, SPEC, **annotations)
        path = self._chains.path(name).rpartition("/")[0]
        return await self._chains.kube.request("POST", path, json=body, headers=self._headers)

    async def patch(self, name: str, body: Body, *, part: str = "") -> httpx.Response:
        headers = [*self._headers, ("Content-Type", kube_support.MERGE_PATCH)]
        path = f"{self._chains.path(name)}{part}"
        return await self._chains.kube.request("PATCH", path, json=body, headers=headers)

    async def annotate(self, name: str, **annotations: str | None) -> httpx.Response:
        named = {f"stackchain.dev/{key}": value for key, value in annotations.items()}
        return await self.patch(name, {"metadata": {"annotations": named}})


@pytest.fixture(scope="module")
async def guarded(
    kube: kube_support.KubeApi, release: Callable[..., charts.Objects]
) -> AsyncIterator[kube_support.StackChains]:
    """A namespace in which the policy is in force."""
    namespace = temporal_support.unique("approvals")
    await kube.create_namespace(namespace)
    objects = release(
        {
            "approvals.groups": [MANAGER, "oidc:on-call"],
            "watchNamespaces": [namespace],
            "rbac.namespaceDeletion": False,
            "crds.enabled": False,
            "installation.id": "approvals",
        }
    )
    made: list[str] = []
    try:
        for kind, plural in (
            ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
            ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
        ):
            (body,) = objects.of(kind)
            await kube.create(f"{POLICIES}/{plural}", body)
            made.append(f"{POLICIES}/{plural}/{body['metadata']['name']}")
        chains = kube_support.StackChains(kube, namespace)
        await chains.create("probe", SPEC)

        async def is_in_force() -> bool:
            answer = await Person(chains, DEVELOPER).annotate("probe", approve="1: prod")
            await chains.annotate("probe", approve=None)
            return answer.status_code == httpx.codes.FORBIDDEN

        await eventually(is_in_force, what="the policy is in force")
        yield chains
    finally:
        for path in reversed(made):
            await kube.delete(path)
        await kube.delete(f"/api/v1/namespaces/{namespace}")


@pytest.mark.parametrize("annotation", ["approve", "bypass"])
async def test_only_members_may_set_the_annotation(
    guarded: kube_support.StackChains, annotation: str
) -> None:
    name = f"set-{annotation}"
    await guarded.create(name, SPEC)

    refused = await Person(guarded, DEVELOPER).annotate(name, **{annotation: "1: prod"})
    taken = await Person(guarded, DEVELOPER, MANAGER).annotate(name, **{annotation: "1: prod"})
    changed = await Person(guarded, DEVELOPER).annotate(name, **{annotation: "1: prod @again"})

    assert taken.status_code == httpx.codes.OK
    for answer in (refused, changed):
        assert answer.status_code == httpx.codes.FORBIDDEN
        assert WORDS.format(f"stackchain.dev/{annotation}") in answer.json()["message"]


async def test_a_new_object_with_the_annotation_is_refused_likewise(
    guarded: kube_support.StackChains,
) -> None:
    refused = await Person(guarded, DEVELOPER).create("new", approve="1: prod", bypass="1: vpc")
    taken = await Person(guarded, "oidc:on-call").create("new", approve="1: prod")

    assert refused.status_code == httpx.codes.FORBIDDEN
    named = "stackchain.dev/approve or stackchain.dev/bypass"
    assert WORDS.format(named) in refused.json()["message"]
    assert taken.status_code == httpx.codes.CREATED


async def test_others_may_do_all_else_with_an_object_that_has_the_annotation(
    guarded: kube_support.StackChains,
) -> None:
    await Person(guarded, MANAGER).create("other", approve="1: prod")
    person = Person(guarded, DEVELOPER)

    answers = [
        await person.annotate("other", retry="1"),
        await person.annotate("other", approve="1: prod"),
        await person.patch("other", {"spec": {"parallelism": 3}}),
        await person.annotate("other", approve=None),
        await person.create("plain"),
    ]

    assert [answer.is_success for answer in answers] == [True] * len(answers)


async def test_the_operators_own_writes_are_not_affected(
    guarded: kube_support.StackChains,
) -> None:
    """Its finalizer and its status, on an object that has been approved."""
    await Person(guarded, MANAGER).create("operated", approve="1: prod")
    operator = Person(guarded, "system:serviceaccounts")

    finalizer = await operator.patch(
        "operated", {"metadata": {"finalizers": ["stackchain.dev/finalizer"]}}
    )
    handled = {"status": {"lastHandled": {"approve": "1: prod"}}}
    status = await operator.patch("operated", handled, part="/status")
    gone = await operator.patch("operated", {"metadata": {"finalizers": []}})

    assert [answer.is_success for answer in (finalizer, status, gone)] == [True] * 3
    assert status.json()["status"]["lastHandled"]["approve"] == "1: prod"


def test_no_one_is_held_back_where_no_groups_are_given(
    release: Callable[..., charts.Objects],
) -> None:
    assert not release().of("ValidatingAdmissionPolicy")


async def test_a_namespace_that_is_not_watched_is_not_concerned(
    guarded: kube_support.StackChains, kube: kube_support.KubeApi
) -> None:
    namespace = temporal_support.unique("elsewhere")
    await kube.create_namespace(namespace)

    answer = await Person(kube_support.StackChains(kube, namespace), DEVELOPER).create(
        "free", approve="1: prod"
    )

    assert answer.status_code == httpx.codes.CREATED
    await kube.delete(f"/api/v1/namespaces/{namespace}")
