"""The cluster that the user means, and the StackChains of one namespace in it.

The plugin acts with the user's rights alone, so each refusal names the verb that the user lacks.
"""

import argparse
import contextlib
import dataclasses
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

from controller import outside_text
from controller.api import v1alpha1, wording
from controller.config import parsing, shell_settings
from controller.kube import api_requests, errors, kubeconfig, stackchains, user_client
from controller.plugin import arguments, newer_phases
from controller.plugin.exit_codes import PROGRAM, CommandError, ExitCode, usage

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_CLUSTER = "Check the cluster, or choose another one with --context."
# What a policy or a webhook says, and RBAC does not: another Role would not help.
_ADMISSION = re.compile(r"denied (the )?request")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ClusterChoice:
    """Which cluster and which namespace the user means."""

    kubernetes: shell_settings.KubernetesSettings
    context: str | None
    namespace: str
    is_namespace_chosen: bool
    """Whether the user named the namespace in this very command."""


def choose(wanted: argparse.Namespace) -> tuple[ClusterChoice, shell_settings.PluginSettings]:
    """Return which cluster and namespace the options and the environment mean.

    Raises:
        CommandError: the kubeconfig cannot be used.
        SettingsError: KUBECONFIG names no file.
    """
    file: str | None = getattr(wanted, "kubeconfig", None)
    if file is not None and not Path(file).is_file():
        raise usage(f"--kubeconfig: {file!r} is not a file")
    found = shell_settings.load_plugin_settings(kubeconfig=file)
    target = choose_target(
        found.kubernetes,
        context=getattr(wanted, "context", None),
        namespace=getattr(wanted, "namespace", None),
    )
    return target, found


def choose_target(
    kubernetes: shell_settings.KubernetesSettings, *, context: str | None, namespace: str | None
) -> ClusterChoice:
    """Choose as kubectl does: its kubeconfig first, a pod's service account only without one.

    Raises:
        CommandError: the kubeconfig cannot be used, or has no such context.
    """
    file, default = kubernetes.kubeconfig, parsing.below_home(kubeconfig.DEFAULT_KUBECONFIG)
    if file is None and (default.is_file() or context is not None):
        file = default
    found = _context_namespace(file, context) if file else _mounted_namespace()
    if file is None and found is None:
        raise CommandError(
            ExitCode.REFUSED, "there is no ~/.kube/config; set KUBECONFIG or --kubeconfig."
        )
    return ClusterChoice(
        kubernetes=shell_settings.KubernetesSettings(kubeconfig=file),
        context=context,
        namespace=namespace or found or "default",
        is_namespace_chosen=bool(namespace),
    )


def _context_namespace(file: Path, context: str | None) -> str | None:
    known = kubeconfig.context_names(file)
    if context is not None and known and context not in known:
        raise CommandError(
            ExitCode.REFUSED,
            f"there is no context {context!r} in {file}"
            f"{arguments.similar(context, known)}; it has {wording.listed(known, most=5)}.",
        )
    try:
        return kubeconfig.context_namespace(file, context)
    except errors.Denied as error:
        raise CommandError(
            ExitCode.REFUSED, f"{error}. Name another file with --kubeconfig or KUBECONFIG."
        ) from error


def _mounted_namespace() -> str | None:
    try:
        return shell_settings.SERVICE_ACCOUNT_NAMESPACE.read_text(encoding="utf-8").strip()
    except OSError:
        return None  # Not in a pod.


@contextlib.asynccontextmanager
async def open_chains(
    target: ClusterChoice, *, namespace: str | None = None, is_attended: bool = True
) -> AsyncIterator["UserChains"]:
    """Yield the chains of the chosen namespace, or of another one; then close all connections.

    Args:
        target: the cluster and namespace.
        namespace: the other namespace.
        is_attended: whether there is a user whom an exec plugin may ask.
    """
    kube_client = user_client.UserClient(
        target.kubernetes, context=target.context, is_attended=is_attended
    )
    try:
        yield UserChains(kube_client, namespace=namespace or target.namespace)
    finally:
        await kube_client.close()


class UserChains:
    """The StackChains of one namespace, as this user may see and change them."""

    def __init__(self, kube_client: api_requests.KubeRequests, *, namespace: str) -> None:
        """Serve a namespace; nothing is sent before the first call."""
        self.namespace = namespace
        self._client = kube_client
        self._chains = stackchains.StackChains(kube_client, namespaces=[namespace])

    async def get(self, name: str) -> v1alpha1.StackChain:
        """Return a StackChain.

        Raises:
            CommandError: there is none, or it cannot be read.
        """
        with self._explained("get", name):
            body = await self._chains.get(self.namespace, name)
        if body is None:
            raise _not_found(name, self.namespace, hint=await self._similar(name))
        return _parsed(body)

    async def _similar(self, name: str) -> str:
        """Return which name may be meant; nothing for a user who may not list."""
        with contextlib.suppress(errors.KubeError):
            return arguments.similar(name, await self._chains.list_names())
        return ""

    async def patch(self, name: str, changes: Mapping[str, Any]) -> v1alpha1.StackChain:
        """Change a StackChain's annotations or spec, and return it as it is then."""
        with self._explained("patch", name):
            return _parsed(await self._chains.patch(self.namespace, name, changes))

    async def create(self, body: Mapping[str, Any]) -> v1alpha1.StackChain:
        """Create a StackChain."""
        with self._explained("create", body["metadata"]["name"]):
            return _parsed(await self._chains.create(body))

    async def accepted_spec(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the spec as the API server would store it; nothing is created."""
        with self._explained("create", body["metadata"]["name"]):
            spec: Mapping[str, Any] = (await self._chains.create(body, is_dry_run=True))["spec"]
        return spec

    async def delete(self, name: str) -> None:
        """Delete a StackChain; one that is gone is fine."""
        with self._explained("delete", name):
            await self._chains.delete(self.namespace, name)

    async def names(self) -> list[str]:
        """Return the names of all StackChains of the namespace."""
        with self._explained("list", ""):
            return sorted(await self._chains.list_names())

    async def all(self, *, is_everywhere: bool) -> list[v1alpha1.StackChain]:
        """Return the StackChains of the namespace, or of all namespaces, by namespace and name."""
        chains = stackchains.StackChains(self._client) if is_everywhere else self._chains
        with self._explained("list", "", is_everywhere=is_everywhere):
            found = [_parsed(body) for body in await chains.list()]
        return sorted(found, key=lambda chain: (chain.ref.namespace, chain.ref.name))

    async def require(self, *verbs: str) -> None:
        """Make sure before anything is changed that this user may do all of it.

        Raises:
            CommandError: naming the verbs that are missing.
        """
        missing = [verb for verb in verbs if not await self.may(verb)]
        if missing:
            raise _forbidden(", ".join(missing), "", self.namespace)

    async def may(self, verb: str, name: str = "") -> bool:
        """Return whether this user may do it, to one StackChain or to all of the namespace."""
        attributes = {
            "namespace": self.namespace,
            "verb": verb,
            "group": v1alpha1.GROUP,
            "resource": v1alpha1.PLURAL,
            **({"name": name} if name else {}),
        }
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        with self._explained(verb, ""):
            answer = await self._client.request("POST", _REVIEWS, body=body)
        return bool(answer["status"]["allowed"])

    @contextlib.contextmanager
    def _explained(self, verb: str, name: str, *, is_everywhere: bool = False) -> Iterator[None]:
        try:
            yield
        except errors.KubeError as error:
            namespace = None if is_everywhere else self.namespace
            raise explain_error(error, verb, namespace=namespace, name=name) from error


def explain_error(
    error: errors.KubeError, verbs: str, *, namespace: str | None, name: str = ""
) -> CommandError:
    """Return what went wrong and what to do.

    Args:
        error: what the API server answered, if anything.
        verbs: what was tried, as RBAC names it.
        namespace: where; None for all namespaces.
        name: of the StackChain, if it was one.
    """
    match error:
        case errors.ObjectNotFound():
            return _not_found(name, namespace)
        case errors.Unauthenticated():
            return CommandError(
                ExitCode.REFUSED, "the API server does not accept your credentials; log in again."
            )
        case errors.Denied(answer=""):
            return CommandError(ExitCode.REFUSED, _line(str(error)))
        case errors.Denied(answer=answer) if _ADMISSION.search(answer):
            return CommandError(ExitCode.REFUSED, f"the API server refuses this: {_line(answer)}")
        case errors.Denied(answer=answer):
            return _forbidden(verbs, answer, namespace)
        case errors.NotServed():
            return CommandError(
                ExitCode.REFUSED,
                "this cluster does not know StackChains: its administrator has to install "
                f"StackChain, whose chart includes the definition and the operator. {_CLUSTER}",
            )
        case errors.ApiUnreachable() | errors.Throttled():
            return CommandError(
                ExitCode.UNREACHABLE,
                f"the API server does not answer: {_line(str(error))}. {_CLUSTER}",
            )
    text = _line(error.answer or str(error))
    said = _unknown_fields(text) or f"the API server refuses this: {text}"
    return CommandError(ExitCode.USAGE, said)


def _unknown_fields(answer: str) -> str:
    # Loaded for such an answer only.
    from controller.plugin import unknown_fields

    return unknown_fields.explain(answer)


def _not_found(name: str, namespace: str | None, *, hint: str = "") -> CommandError:
    end = f"{hint}?" if hint else ";"
    return CommandError(
        ExitCode.REFUSED,
        f"there is no StackChain {name!r} in the namespace {namespace!r}{end} "
        f"`{PROGRAM} list -A` lists all.",
    )


def _forbidden(verbs: str, answer: str, namespace: str | None) -> CommandError:
    said = f" The API server says: {_line(answer)}" if answer else ""
    where, role = f"the namespace {namespace!r}", "Role"
    if namespace is None:
        where, role = "all namespaces", "ClusterRole"
    which = "verbs" if " " in verbs else "verb"
    return CommandError(
        ExitCode.REFUSED,
        f"you may not {verbs} stackchains in {where}; ask for a {role} "
        f"with the {which} {verbs} on {v1alpha1.PLURAL}.{v1alpha1.GROUP}.{said}",
    )


def _parsed(body: Mapping[str, Any]) -> v1alpha1.StackChain:
    try:
        return newer_phases.parse(body)
    except v1alpha1.InvalidResource as error:
        named = "{namespace}/{name}".format_map(body["metadata"])
        raise CommandError(
            ExitCode.UNREACHABLE,
            f"this version of the plugin cannot read the StackChain {named}: {error}; install the "
            "one that came with the operator.",
        ) from error


def _line(text: str) -> str:
    return outside_text.clean(text, most=errors.ANSWER_LIMIT)
