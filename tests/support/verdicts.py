"""How tools read a StackChain: kstatus by its rules, Argo CD by running its Lua."""

from pathlib import Path
from typing import Any

import lupa.lua51
import yaml

Body = dict[str, Any]

GITOPS = Path(__file__).parents[2] / "docs" / "gitops"


def conditions(resource: Body) -> dict[str, str]:
    found = resource.get("status", {}).get("conditions", [])
    return {item["type"]: item["status"] for item in found}


def kstatus(resource: Body) -> str:
    """Return the status that kstatus computes for a custom resource.

    Its rules in their order, from kubernetes-sigs/cli-utils, pkg/kstatus/status:
    `checkGenericProperties` in generic.go has the first four, `checkReadyCondition` in status.go
    the next, and `Compute` takes a resource that has none of them for current.
    """
    if resource["metadata"].get("deletionTimestamp"):
        return "Terminating"
    observed = resource.get("status", {}).get("observedGeneration")
    if observed is not None and observed != resource["metadata"]["generation"]:
        return "InProgress"
    for item in resource.get("status", {}).get("conditions", []):
        if item["type"] == "Reconciling" and item["status"] == "True":
            return "InProgress"
        if item["type"] == "Stalled" and item["status"] == "True":
            return "Failed"
    ready = conditions(resource).get("Ready")
    return "InProgress" if ready in ("False", "Unknown") else "Current"


def argo_cd(resource: Body) -> tuple[str, str]:
    """Return health and message that Argo CD shows, from our script in the Lua that it uses.

    Argo CD runs Lua 5.1 (gopher-lua) without `os` and `io`, with the resource as `obj`.
    """
    lua = lupa.lua51.LuaRuntime(register_eval=False, register_builtins=False)
    lua.execute("os, io, package, require, dofile, loadfile = nil")
    lua.globals().obj = lua.table_from(resource, recursive=True)
    health = lua.execute((GITOPS / "health.lua").read_text(encoding="utf-8"))
    return health.status, health.message


def flux_expressions() -> dict[str, str]:
    """Return our expressions in the order in which Flux evaluates them."""
    text = (GITOPS / "flux-health.yaml").read_text(encoding="utf-8")
    (check,) = yaml.safe_load(text)["spec"]["healthCheckExprs"]
    return {name: check[name] for name in ("inProgress", "failed", "current")}


def flux(resource: Body, matching: set[str]) -> str:
    """Return the verdict of Flux for the expressions that are true.

    Its order, from fluxcd/pkg, runtime/cel/status_evaluator.go: first the generation, then
    inProgress, failed and current; InProgress if none is true.
    """
    observed = resource.get("status", {}).get("observedGeneration")
    if observed is not None and observed != resource["metadata"]["generation"]:
        return "InProgress"
    names = {"inProgress": "InProgress", "failed": "Failed", "current": "Current"}
    return next((names[name] for name in names if name in matching), "InProgress")
