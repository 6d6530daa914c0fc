"""`plan FILE`: the graph of a chain that is not applied, resolved by the operator itself.

Only the operator's worker can read Spacelift. So the chain is created under a generated name and
suspended, which resolves its graph and triggers nothing, and it is deleted however this ends.
"""

import asyncio
import dataclasses
import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from controller.api import v1alpha1, wording
from controller.api.v1alpha1 import Operation, StackChain
from controller.display import streams, styled_text, tree
from controller.display.styled_text import Line, Span, Style
from controller.plugin import cluster, exit_codes, follow_chain, outcomes
from controller.plugin.exit_codes import CommandError, ExitCode
from controller.plugin.outcomes import CommandOutcome

LABEL = f"{v1alpha1.GROUP}/preview"
_LONGEST_NAME = 63
# A graph is resolved in a second or two, and the user is waiting.
_POLL_SECONDS = 0.25
# What would start a run automatically, now or later, or let it wait for other chains.
_START_FIELDS = ("schedule", "triggers", "dependsOn")
_OPERATION_VERBS = {Operation.APPLY: "run", Operation.PLAN: "plan", Operation.DESTROY: "destroy"}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainFile:
    """A file's text, and what to call it."""

    where: str
    text: str


def read_source(file: str | None, filename: str | None) -> ChainFile:
    """Read the file, or standard input for `-`.

    Called before the event loop runs, since a terminal that is read from would keep Ctrl-C from it.

    Raises:
        CommandError: it is not one file, or cannot be read.
    """
    if (file is None) == (filename is None):
        raise exit_codes.usage("name one file that holds a StackChain, or - for standard input")
    where = file or filename or ""
    if where == "-" and sys.stdin is None:
        raise exit_codes.usage("- cannot be read: standard input is closed")
    try:
        text = sys.stdin.read() if where == "-" else Path(where).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise exit_codes.usage(f"{where} cannot be read: {reason}") from error
    return ChainFile(where=where, text=text)


def read_chain(source: ChainFile, *, target: cluster.ClusterChoice) -> Mapping[str, Any]:
    """Return the StackChain of a file, with its namespace.

    Raises:
        CommandError: the file holds something else, or is for another namespace.
    """
    body = parse_chain(source.text, source.where)
    named = body["metadata"].get("namespace")
    if named and target.is_namespace_chosen and named != target.namespace:
        raise exit_codes.usage(
            f"the StackChain in {source.where} is for the namespace {named!r}, and -n says "
            f"{target.namespace!r}; omit one of the two"
        )
    return {**body, "metadata": {**body["metadata"], "namespace": named or target.namespace}}


def parse_chain(text: str, where: str) -> Mapping[str, Any]:
    """Return the one StackChain that a document holds.

    Raises:
        CommandError: it holds something else.
    """
    try:
        found = [one for one in yaml.safe_load_all(text) if one is not None]
    except yaml.YAMLError as error:
        raise exit_codes.usage(
            f"{where} is not valid YAML: {' '.join(str(error).split())}"
        ) from error
    if len(found) != 1:
        raise exit_codes.usage(
            f"{where} must contain one StackChain, but contains {len(found) or 'no'} objects"
        )
    body = found[0]
    is_ours = isinstance(body, dict) and body.get("kind") == v1alpha1.KIND
    if not is_ours or body.get("apiVersion") != v1alpha1.API_VERSION:
        raise exit_codes.usage(
            f"{where} must hold a StackChain ({v1alpha1.API_VERSION}), and holds {_kind_of(body)}"
        )
    metadata, spec = body.get("metadata"), body.get("spec")
    if not isinstance(metadata, dict) or not isinstance(spec, dict):
        raise exit_codes.usage(f"{where}: a StackChain has `metadata` and `spec`")
    if not isinstance(metadata.get("name"), str) or not metadata["name"]:
        raise exit_codes.usage(f"{where}: `metadata.name` is missing")
    # Dates and the like, which YAML knows and an API server does not.
    return json.loads(json.dumps(body, default=str))  # type: ignore[no-any-return]


def temporary(body: Mapping[str, Any], *, suffix: str) -> dict[str, Any]:
    """Return the chain that is created instead of the one in the file."""
    metadata, spec = body["metadata"], dict(body["spec"])
    ending = f"-plan-{suffix}"
    name = f"{metadata['name'][: _LONGEST_NAME - len(ending)].rstrip('-.')}{ending}"
    for field in _START_FIELDS:
        spec.pop(field, None)
    if spec.get("destroyConfirmation") == metadata["name"]:
        spec["destroyConfirmation"] = name
    # OnRequest would resolve nothing before someone asks; nothing runs while it is suspended.
    spec |= {"suspend": True, "startPolicy": "OnChange", "deletionPolicy": "Cancel"}
    return {
        "apiVersion": v1alpha1.API_VERSION,
        "kind": v1alpha1.KIND,
        "metadata": {"name": name, "namespace": metadata["namespace"], "labels": {LABEL: "true"}},
        "spec": spec,
    }


def as_written(body: Mapping[str, Any], created: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file's chain under the preview's name, with the fields that the preview lacks.

    The API server is asked about it first: what `kubectl apply` refuses has no preview.
    """
    spec = {**created["spec"], **body["spec"], "suspend": True}
    if "destroyConfirmation" in spec:
        spec["destroyConfirmation"] = created["spec"]["destroyConfirmation"]
    return {**body, "metadata": created["metadata"], "spec": spec}


async def resolve(
    target: cluster.ClusterChoice, body: Mapping[str, Any], *, timeout_seconds: float
) -> StackChain:
    """Have the operator resolve the graph of a chain, and leave nothing of it.

    Raises:
        CommandError: it cannot be resolved; the text says why.
    """
    created = temporary(body, suffix=secrets.token_hex(3))
    namespace, name = created["metadata"]["namespace"], created["metadata"]["name"]
    async with cluster.open_chains(target, namespace=namespace) as chains:
        # A user who may create but not delete would leave it behind.
        await chains.require("create", "get", "delete")
        _refuse_unheld(await chains.accepted_spec(as_written(body, created)))
        try:
            await chains.create(created)
            return await _resolved(chains, name, body["metadata"]["name"], timeout_seconds)
        finally:
            # Also after a failed or interrupted create: the object may be there nevertheless.
            await _delete(chains, name)


def _refuse_unheld(spec: Mapping[str, Any]) -> None:
    """Refuse a cluster that changes what holds the preview, as a webhook may: it would run.

    A definition without the field has been refused by then.
    """
    if spec.get("suspend") is not True:
        raise CommandError(
            ExitCode.REFUSED,
            "this cluster does not keep `spec.suspend` of a StackChain, so a preview would run; "
            "see its admission webhooks and policies.",
        )


async def _resolved(
    chains: cluster.UserChains, name: str, original: str, timeout_seconds: float
) -> StackChain:
    try:
        chain, outcome = await follow_chain.follow(
            follow_chain.FollowedChain(
                chains=chains,
                name=name,
                find_outcome=outcome_of,
                show=lambda _: None,
                timeout_seconds=timeout_seconds,
                poll_seconds=_POLL_SECONDS,
            )
        )
    except CommandError as failure:
        if failure.code is not ExitCode.TIMED_OUT:
            raise
        raise CommandError(
            ExitCode.TIMED_OUT,
            f"the operator has not resolved the graph of {original} in "
            f"{styled_text.duration_of(timeout_seconds)}; check that the operator and the worker "
            "run (`stackchain check`), or set a longer --timeout.",
        ) from failure
    if outcome.code is not ExitCode.DONE:
        raise CommandError(ExitCode.NOT_SUCCEEDED, f"{original} cannot run: {outcome.text}")
    return chain


def outcome_of(chain: StackChain) -> CommandOutcome | None:
    """Return whether the graph is known, None while it is being read."""
    status = chain.status
    graph, ready = status.condition("GraphResolved"), status.condition("Ready")
    if graph is None or ready is None:
        return None
    if graph.status == "True" and status.stacks:
        return CommandOutcome(code=ExitCode.DONE, text="")
    message = " ".join(ready.message.split())
    if graph.status == "False" or outcomes.cannot_start(status):
        return CommandOutcome(code=ExitCode.NOT_SUCCEEDED, text=f"{ready.reason}: {message}")
    return None


def order_of(chain: StackChain) -> list[str]:
    """Return the stacks in an order in which none comes before what it waits for."""
    return [stack.id for stack in sorted(chain.status.stacks, key=lambda s: (s.level, s.id))]


def render(name: str, chain: StackChain, drawing: tree.Drawing) -> list[Line]:
    """Return the preview of the chain of that name for people."""
    status, spec = chain.status, chain.spec
    stacks, graph = status.stacks, status.graph
    count = wording.counted(len(stacks), "stack")
    facts = (
        f", {wording.counted(graph.edges, 'dependency', 'dependencies')}, "
        f"{wording.counted(graph.levels, 'level')}"
        if graph
        else ""
    )
    head = (
        Span(text=name, style=Style.STRONG),
        Span(text=f" would {_OPERATION_VERBS[spec.operation]} {count}{facts}:"),
    )
    order = _order_text(stacks, spec.operation, drawing)
    tail = f"{order}; at most {spec.policies.parallelism} at once."
    if tree.is_order_folded(stacks, drawing):
        tail += " With --all, each stack has its own row."
    return [
        head,
        (),
        *tree.render_order(stacks, drawing),
        (),
        *styled_text.wrap(tail, drawing.width),
        *styled_text.wrap(outcomes.graph_remarks(status), drawing.width, Style.ATTENTION),
        styled_text.line("Nothing has been run, and the preview is being deleted.", Style.FAINT),
    ]


def _order_text(
    stacks: tuple[v1alpha1.StackStatus, ...], operation: v1alpha1.Operation, drawing: tree.Drawing
) -> str:
    if operation is v1alpha1.Operation.PLAN:
        return "Plans change nothing, so no stack waits for another"
    has_others = any(len(stack.depends_on) > 1 for stack in stacks)
    if has_others:
        others = drawing.characters.others
        return f"A stack starts once the one above it and all after {others} have succeeded"
    return "A stack starts once the one above it has succeeded"


async def _delete(chains: cluster.UserChains, name: str) -> None:
    """Delete the preview, whatever else went wrong."""
    deleting = asyncio.ensure_future(chains.delete(name))
    try:
        await asyncio.shield(deleting)
    except CommandError as failure:
        streams.complain(
            f"{exit_codes.PROGRAM}: the preview {name} may still exist: {failure} Delete it: "
            f"kubectl delete schain {name} -n {chains.namespace}\n"
        )


def _kind_of(body: object) -> str:
    if not isinstance(body, dict) or "kind" not in body:
        return "no Kubernetes object"
    return f"{body['kind']} ({body.get('apiVersion', 'without apiVersion')})"
