"""What may be wrong with a graph, each with the words that say it. Pure.

A status keeps 1,024 characters of a message, so names are listed only as far as they fit. The
remedy is never cut.
"""

from collections.abc import Collection, Iterable, Sequence

from controller.api import reasons, v1alpha1, wording
from controller.chain.graph import stages

# What a message may spend on names.
_LISTED_CHARACTERS = 480

# The most stacks that are read for one chain: as many outside of it as it may have itself.
MOST_READ = 2 * v1alpha1.MAX_STACKS


class GraphProblem(Exception):
    """The graph cannot be run; `message` names the stacks and what to do."""

    def __init__(self, reason: reasons.ChainReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def unknown_roots(roots: Iterable[str], *, similar: Collection[str] = ()) -> GraphProblem:
    """Roots by id that are not there; one of the `similar` stacks may be meant."""
    named = [f"'{root}'{wording.did_you_mean(root, similar)}" for root in roots]
    return GraphProblem(
        reasons.ChainReason.UNKNOWN_STACK,
        f"The connection's API key sees no stack {_listed(named)} in Spacelift. Correct "
        "`spec.roots.stackIds` (a stack's id is the last part of its URL), or give the key "
        "read access to the stack's space.",
    )


def no_root_with_labels(labels: Sequence[str]) -> GraphProblem:
    """Roots by label, and no stack has all of the labels."""
    named = ("all of the labels " if len(labels) > 1 else "the label ") + _quoted(labels)
    return GraphProblem(
        reasons.ChainReason.GRAPH_EMPTY,
        f"No stack that the connection's API key sees in Spacelift has {named}. Correct "
        "`spec.roots.labels`, label the stacks, or give the key read access to their spaces.",
    )


def too_many_members(count: int, max_stacks: int) -> GraphProblem:
    """More stacks than `maxStacks`."""
    is_highest = max_stacks >= v1alpha1.MAX_STACKS
    raising = "To have fewer, leave stacks out" if is_highest else "Raise it, or leave stacks out"
    return GraphProblem(
        reasons.ChainReason.TOO_MANY_STACKS,
        f"{count} stacks belong to the chain, and `spec.graph.maxStacks` is {max_stacks}; nothing "
        f"was triggered. {raising} "
        "with `spec.graph.exclude`, set `spec.graph.maxDepth`, or choose another "
        "`spec.graph.direction` or roots further downstream and split the chain.",
    )


def too_many_to_read() -> GraphProblem:
    """There are too many stacks in the direction, so reading stopped."""
    return GraphProblem(
        reasons.ChainReason.TOO_MANY_STACKS,
        f"More than {MOST_READ} stacks would have to be read to know the chain and its order; "
        "nothing was triggered. `spec.graph.maxDepth` and `spec.graph.exclude` do not help here: "
        "choose another `spec.graph.direction` or roots further downstream, and split the chain.",
    )


def too_large_answer() -> GraphProblem:
    """The stacks take more than Temporal accepts as one value."""
    return GraphProblem(
        reasons.ChainReason.PAYLOAD_TOO_LARGE,
        "What was read about the stacks is more than Temporal accepts as one value (2 MiB); "
        "nothing was triggered. Choose another `spec.graph.direction` or roots further "
        "downstream, and split the chain.",
    )


def too_large_reach() -> GraphProblem:
    """There are too many stacks natively downstream of the chain, so reading stopped."""
    return GraphProblem(
        reasons.ChainReason.TOO_MANY_STACKS,
        "Runs of this chain would make Spacelift queue runs on so many stacks outside of it "
        f"that more than {MOST_READ} would have to be watched; nothing was triggered. Leave out "
        "the stacks that so many others depend on (`spec.graph.exclude`), choose roots further "
        "downstream, or order those stacks by `dependsOn:` labels instead of Spacelift's "
        "dependencies.",
    )


def not_visible(
    dependents: Collection[tuple[str, str]], upstreams: Collection[tuple[str, str]]
) -> GraphProblem:
    """Pairs of an upstream and a dependent, one of which is invisible."""
    hidden = [f"'{down}' (depends on '{up}')" for up, down in dependents]
    hidden += [f"'{up}' ('{down}' depends on it)" for up, down in upstreams]
    consequence = (
        "otherwise Spacelift would run stacks that the chain cannot follow"
        if dependents
        else "if a stack does not exist, correct the `dependsOn:` label; to run without it, list "
        "it in `spec.graph.exclude.stackIds`"
    )
    return GraphProblem(
        reasons.ChainReason.DEPENDENT_NOT_VISIBLE,
        f"The connection's API key cannot see {_listed(hidden)}. Give it access to their "
        f"spaces; {consequence}.",
    )


def empty(*, found: int, excluded: int, roots_left_out: int) -> GraphProblem:
    """No stack is left to run, although some were found."""
    causes = []
    if excluded:
        causes.append(f"`spec.graph.exclude` leaves out {excluded}")
    if roots_left_out:
        causes.append(f"`spec.graph.includeRoots: false` leaves out {roots_left_out}")
    why = f": of {wording.counted(found, 'stack')} found, {' and '.join(causes)}" if causes else ""
    return GraphProblem(
        reasons.ChainReason.GRAPH_EMPTY,
        f"The chain has no stack to run{why}. Correct `spec.roots`, `spec.graph.direction`, or "
        "what `spec.graph` leaves out.",
    )


def dependents_outside(pairs: Iterable[tuple[str, str]]) -> GraphProblem:
    """Pairs of a stack to be destroyed and one that depends on it and is not in the chain."""
    named = _listed(f"'{down}' (depends on '{up}')" for up, down in pairs)
    return GraphProblem(
        reasons.ChainReason.DEPENDENT_OUTSIDE,
        "Stacks that are not in the chain depend on stacks that it would destroy; nothing was "
        f"triggered: {named}. Add them to the chain, remove their dependencies or `dependsOn:` "
        "labels, or leave out what they depend on with `spec.graph.exclude`.",
    )


def limits_not_enforceable(autodeploying: Iterable[str]) -> GraphProblem:
    """Stacks that would apply before the chain could judge their plans."""
    return GraphProblem(
        reasons.ChainReason.LIMITS_NOT_ENFORCEABLE,
        "`spec.confirmationLimits` is set, and these stacks have autodeploy, so they would apply "
        "their plans before the chain could compare them with the limits; nothing was triggered: "
        f"{_quoted(autodeploying)}. Turn autodeploy off for them in Spacelift, leave them out with "
        "`spec.graph.exclude`, or remove `spec.confirmationLimits`.",
    )


def cycle(circle: Sequence[str]) -> GraphProblem:
    """A cycle, as a stack, its dependent, and so on until the same stack."""
    way = " -> ".join(circle)
    if len(way) > _LISTED_CHARACTERS:
        shown = 1
        while len(" -> ".join(circle[: shown + 1])) < _LISTED_CHARACTERS - len(circle[-1]):
            shown += 1
        left = len(circle) - 1 - shown
        way = " -> ".join([*circle[:shown], f"({left} more)", circle[-1]])
    return GraphProblem(
        reasons.ChainReason.GRAPH_CYCLE,
        "The stacks depend on each other in a cycle. Remove one of these dependencies or "
        "`dependsOn:` labels (each arrow leads to a dependent): " + way,
    )


def against_stages(found: Iterable[stages.AgainstOrder]) -> GraphProblem:
    """Stacks that depend on stacks of later stages."""
    named = _listed(map(_against_stages, found))
    return GraphProblem(
        reasons.ChainReason.GRAPH_INVALID,
        f"Dependencies contradict the order of `spec.stages`; nothing was triggered: {named}. "
        "Remove these dependencies or `dependsOn:` labels, or change the labels or the order of "
        "the stages.",
    )


def _against_stages(item: stages.AgainstOrder) -> str:
    through = f" through {wording.listed(wording.quoted(item.through), most=3)}"
    return (
        f"'{item.dependent}' (stage '{item.dependent_stage}') depends on '{item.upstream}' (stage "
        f"'{item.upstream_stage}'){through if item.through else ''}"
    )


def _quoted(names: Iterable[str]) -> str:
    return _listed(wording.quoted(sorted(names)))


def _listed(names: Iterable[str]) -> str:
    """Return the names in order; many or long ones are counted, so that a remedy still fits."""
    found = sorted(names)
    return wording.listed(found, most=len(found), characters=_LISTED_CHARACTERS)
