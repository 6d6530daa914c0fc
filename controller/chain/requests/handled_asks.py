"""Which asks were handled, and the digest by which a spec is known again. Pure."""

import dataclasses
import hashlib
import json

from controller.api import v1alpha1
from controller.chain.requests import automatic_asks, executions


def spec_digest(spec: v1alpha1.StackChainSpec) -> str:
    """Return the digest of what is run: a change of it asks for a run.

    How it is run (parallelism, deadlines, policies, limits) is not part of it and starts nothing.
    A field at its default is left out, so that a new field does not make every chain run once.
    """
    graph = spec.graph
    relevant: dict[str, object] = {
        "connectionName": spec.connection_name,
        "roots": sorted(spec.roots.stack_ids),
        "sources": sorted(graph.sources),
    }
    optional: dict[str, object] = {
        "rootLabels": sorted(spec.roots.labels),
        "direction": "" if graph.direction is v1alpha1.Direction.DOWNSTREAM else graph.direction,
        "withoutRoots": not graph.include_roots,
        "maxDepth": graph.max_depth,
        "excludedStacks": sorted(graph.exclude.stack_ids),
        "excludedLabels": sorted(graph.exclude.labels),
        "operation": "" if spec.operation is v1alpha1.Operation.APPLY else spec.operation,
        "commitSHA": spec.commit_sha,
        "runtimeEnvironment": {item.name: item.value for item in spec.runtime_environment},
    }
    relevant |= {key: value for key, value in optional.items() if value}
    text = json.dumps(relevant, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_spec_new(chain: v1alpha1.StackChain, handled: v1alpha1.Handled) -> bool:
    """Whether no run has taken up the spec as it is."""
    return handled.spec != spec_digest(chain.spec)


def is_held(chain: v1alpha1.StackChain, execution: executions.Execution | None) -> bool:
    """Whether what a resource asks for at first sight counts as handled. See ADR 0036.

    An earlier copy of it may have run all of it: a backup was restored, or the resource was
    replaced. A Destroy always counts as such; others count if whoever restores them says so.
    """
    if execution is not None or chain.status.latest_run is not None:
        return False
    is_new = chain.status.last_handled == v1alpha1.Handled()
    return is_new and (chain.is_restored or chain.spec.operation is v1alpha1.Operation.DESTROY)


def all_handled(chain: v1alpha1.StackChain) -> v1alpha1.Handled:
    """Return that everything that a resource asks for is handled."""
    return v1alpha1.Handled(
        spec=spec_digest(chain.spec),
        run=chain.run_token,
        run_token=chain.spec.run_token,
        retry=chain.retry_token,
        bypass=chain.bypass_token,
        approve=chain.approve_token,
        cancel=chain.cancel_token,
    )


def handled_asks(
    status: v1alpha1.Status, execution: executions.Execution | None
) -> v1alpha1.Handled:
    """Return what was handled, as the status and the latest execution together know it.

    The execution is ahead of the status after a crash between start and write. The status is ahead
    once the history is deleted, of an execution that it has superseded, and by requests that no
    run was started for.
    """
    latest, told = status.latest_run, status.last_handled
    if execution is None or (latest is not None and executions.is_duplicate(execution, latest)):
        return told
    started = execution.handled
    schedule = automatic_asks.later(told.schedule, started.schedule)
    if latest is not None and latest.workflow_run_id == execution.workflow_run_id:
        return v1alpha1.Handled(
            spec=_first(told.spec, started.spec),
            run=_first(told.run, started.run),
            run_token=_first(told.run_token, started.run_token),
            retry=_first(told.retry, started.retry),
            bypass=_first(told.bypass, started.bypass),
            cancel=told.cancel,
            approve=told.approve,
            schedule=schedule,
            root_runs=told.root_runs,
        )
    # A retry that did nothing has left no trace but in the status.
    retry = _first(started.retry, told.retry)
    bypass = _first(started.bypass, told.bypass)
    root_runs = automatic_asks.newest(told.root_runs, started.root_runs)
    return dataclasses.replace(
        started,
        retry=retry,
        bypass=bypass,
        cancel=told.cancel,
        approve=told.approve,
        schedule=schedule,
        root_runs=root_runs,
    )


def _first(one: str | None, other: str | None) -> str | None:
    return other if one is None else one
