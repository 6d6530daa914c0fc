"""Fields of `Stack` and what hangs below it, where they are more than an attribute."""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLResolveInfo

from devenv.simulator.gql.context import Context
from devenv.simulator.model import queueing
from devenv.simulator.model.entities import Edge, Output, Reference, Space, Stack, WorkerPool
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import LISTED_TYPES, RunType

_VENDORS: dict[str, dict[str, Any]] = {
    "Ansible": {"playbook": "site.yml"},
    "CloudFormation": {"entryTemplateFile": "main.yaml", "templateBucket": "", "region": ""},
    "Kubernetes": {"namespace": "default"},
    "OpenTofu": {"version": "1.9.0", "workspace": "default"},
    "Pulumi": {"loginURL": ""},
    "Terraform": {"version": "1.5.7", "workspace": "default", "workflowTool": "TERRAFORM_FOSS"},
    "Terragrunt": {"terraformVersion": "1.5.7", "tool": "TERRAFORM_FOSS"},
}


def space_of(stack: Stack, info: GraphQLResolveInfo) -> Space:
    """The record of the stack's space."""
    spaces = info.context.account.spaces
    return spaces.get(stack.space) or Space(id=stack.space, name=stack.space)


def blocker(stack: Stack, info: GraphQLResolveInfo) -> Run | None:
    """The run that holds the stack."""
    return queueing.blocker(info.context.engine, stack)


def is_blocked(stack: Stack, info: GraphQLResolveInfo) -> bool:
    """Whether a run holds the stack."""
    return blocker(stack, info) is not None


def needs_approval(stack: Stack, info: GraphQLResolveInfo) -> bool:
    """Whether the run that holds the stack waits for a review."""
    run = blocker(stack, info)
    return run is not None and run.needs_approval


def can_write(stack: Stack, info: GraphQLResolveInfo) -> bool:
    """Whether the caller may change the stack."""
    context: Context = info.context
    return context.key is not None and context.key.role == "admin" and context.sees(stack)


def outputs(stack: Stack, _info: GraphQLResolveInfo) -> list[Output]:
    """The published outputs by name; a sensitive one hides its value."""
    return [stack.outputs[name] for name in sorted(stack.outputs)]


def output_value(output: Output, _info: GraphQLResolveInfo) -> str | None:
    """The value, unless it is sensitive and so was not uploaded."""
    return None if output.sensitive else output.value


def upstream_edges(stack: Stack, info: GraphQLResolveInfo) -> list[Edge]:
    """What the stack depends on."""
    context: Context = info.context
    edges = context.account.upstream_edges(stack.id)
    return [edge for edge in edges if _shows(context, edge.depends_on_stack_id)]


def dependent_edges(stack: Stack, info: GraphQLResolveInfo) -> list[Edge]:
    """What depends on the stack."""
    context: Context = info.context
    edges = context.account.dependent_edges(stack.id)
    return [edge for edge in edges if _shows(context, edge.stack_id)]


def dependency(
    stack: Stack,
    info: GraphQLResolveInfo,
    *,
    id: str | None = None,  # noqa: A002 - GraphQL's name
    dependsOnStackId: str | None = None,  # noqa: N803 - GraphQL's name
) -> Edge | None:
    """One edge to what the stack depends on, by either key; the other one may be empty."""
    for edge in upstream_edges(stack, info):
        if edge.id == id or edge.depends_on_stack_id == dependsOnStackId:
            return edge
    return None


def reference(
    edge: Edge,
    _info: GraphQLResolveInfo,
    *,
    id: str | None = None,  # noqa: A002 - GraphQL's name
    inputName: str | None = None,  # noqa: N803 - GraphQL's name
) -> Reference | None:
    """One reference of an edge, by either key."""
    for known in edge.references:
        if known.id == id or known.input_name == inputName:
            return known
    return None


def edge_stack(edge: Edge, info: GraphQLResolveInfo) -> Stack | None:
    """The dependent of an edge, even if the caller does not see it: the field is never null."""
    stack: Stack | None = info.context.account.stacks.get(edge.stack_id)
    return stack


def edge_upstream(edge: Edge, info: GraphQLResolveInfo) -> Stack | None:
    """The upstream stack of an edge."""
    stack: Stack | None = info.context.account.stacks.get(edge.depends_on_stack_id)
    return stack


def run(stack: Stack, info: GraphQLResolveInfo, *, id: str) -> Run | None:  # noqa: A002
    """One run of this stack; a run of another stack counts as none."""
    found: Run | None = info.context.account.runs.get(id)
    return found if found is not None and found.stack_id == stack.id else None


def run_list(*types: RunType) -> Callable[..., list[Run]]:
    """Return the resolver of a list of runs of these types, newest first."""

    def runs(stack: Stack, info: GraphQLResolveInfo, *, before: str | None = None) -> list[Run]:
        context: Context = info.context
        page: list[Run] = []
        for candidate in context.account.newest_runs_of(stack.id):
            if candidate.type not in types or (before and candidate.id >= before):
                continue
            if not context.is_listed(candidate):
                continue
            page.append(candidate)
            if len(page) == context.account.behavior.runs_page_size:
                break
        return page

    return runs


def worker_pool(stack: Stack, info: GraphQLResolveInfo) -> WorkerPool | None:
    """The private pool; null means the public one."""
    context: Context = info.context
    return context.account.pools.get(stack.worker_pool_id or "")


def vendor_config(stack: Stack, _info: GraphQLResolveInfo) -> dict[str, Any]:
    """A union member with plausible values; what a member lacks is false, empty or null."""
    known = {"__typename": f"StackConfigVendor{stack.vendor}", "stackName": stack.id}
    return known | _VENDORS.get(stack.vendor, {})


def runtime_config(stack: Stack, _info: GraphQLResolveInfo) -> list[dict[str, Any]]:
    """The stack's own configuration; contexts are not simulated."""
    return [{"context": None, "element": element} for element in stack.config]


def integrations(stack: Stack, _info: GraphQLResolveInfo) -> dict[str, Any]:
    """No cloud integrations; drift detection as the stack is set up, and its webhooks."""
    drift = {"ignore_state": False, "reconcile": True, "schedule": [], "timezone": "UTC"}
    return {
        "aws": {"assume_role_policy_statement": "", "generate_credentials_in_worker": False},
        "drift_detection": drift if stack.drift_reconcile else None,
        "gcp": {"token_scopes": []},
        "stack": stack,
    }


def _shows(context: Context, stack_id: str) -> bool:
    if context.account.behavior.invisible_edges == "listed":
        return True
    return context.visible_stack(stack_id) is not None


_HOOKS = [
    f"{moment}{phase}"
    for moment in ("before", "after")
    for phase in ("Init", "Plan", "Apply", "Perform", "Destroy")
]
_EMPTY_LISTS = (
    *_HOOKS,
    "afterRun",
    "additionalProjectGlobs",
    "attachedContexts",
    "attachedPolicies",
    "moduleVersionsUsed",
    "gitSparseCheckoutPaths",
)
_FALSE = ("deleted", "starred", "enableWellKnownSecretMasking")
_NULL = ("runnerImage", "terraformVersion", "repositoryURL")

FIELDS: dict[str, Callable[..., Any]] = {
    **{f"Stack.{name}": lambda _stack, _info: [] for name in _EMPTY_LISTS},
    **{f"Stack.{name}": lambda _stack, _info: False for name in _FALSE},
    **{f"Stack.{name}": lambda _stack, _info: None for name in _NULL},
    "Stack.managesStateFile": lambda _stack, _info: True,
    "Stack.enableSensitiveOutputUpload": lambda _stack, _info: True,
    "Stack.githubActionDeploy": lambda stack, _info: stack.allow_promotion,
    "Stack.vcsIntegration": lambda stack, _info: {"id": stack.provider, "is_default": True},
    "Stack.spaceDetails": space_of,
    "Stack.blocker": blocker,
    "Stack.blocked": is_blocked,
    "Stack.needsApproval": needs_approval,
    "Stack.canWrite": can_write,
    "Stack.outputs": outputs,
    "Stack.dependsOn": upstream_edges,
    "Stack.isDependedOnBy": dependent_edges,
    "Stack.dependency": dependency,
    "Stack.run": run,
    "Stack.runs": run_list(*LISTED_TYPES),
    "Stack.proposedRuns": run_list(RunType.PROPOSED),
    "Stack.tasks": run_list(RunType.TASK),
    "Stack.runResourceState": run,
    "Stack.workerPool": worker_pool,
    "Stack.vendorConfig": vendor_config,
    "Stack.runtimeConfig": runtime_config,
    "Stack.integrations": integrations,
    "StackOutput.value": output_value,
    "StackDependency.stack": edge_stack,
    "StackDependency.dependsOnStack": edge_upstream,
    "StackDependency.referenceCount": lambda edge, _info: len(edge.references),
    "StackDependency.reference": reference,
    "ConfigElement.value": lambda e, _info: None if e.write_only else e.value,
}
