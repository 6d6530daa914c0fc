"""The scenario file: what the account looks like when the simulator starts.

A stack that is not there, a cycle or a phase that does not exist is a `ScenarioError`, which says
where it is and what to do.
"""

import difflib
import itertools
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic
import yaml

from devenv.simulator.specs import Scenario, StackSpec

__all__ = ["Scenario", "ScenarioError", "first_problem", "load", "parse"]


_KEYS_ARE_LISTED = "docs/simulator.md lists the keys"


class ScenarioError(Exception):
    """A scenario that cannot be used; the text names the place, the fault and the remedy."""


def load(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: one line, with the file, the place in it, what is wrong and what to do.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except yaml.YAMLError as error:
        detail = " ".join(str(error).split())
        raise ScenarioError(f"{path}: is not YAML: {detail}; correct the syntax") from error
    try:
        return parse(document if document is not None else {})
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from error


def parse(document: object) -> Scenario:
    """Check a document.

    Raises:
        ScenarioError: one line, with the place in the document, what is wrong and what to do.
    """
    _check_lists(document)
    document = _with_stack_defaults(_with_arrows(document))
    try:
        scenario = Scenario.model_validate(document)
    except pydantic.ValidationError as error:
        raise ScenarioError(first_problem(error, Scenario)) from error
    _check_names(scenario)
    _check_cycles({name: _upstreams(spec) for name, spec in scenario.stacks.items()})
    return scenario


def _check_lists(document: object) -> None:
    """Refuse records in lists of ids: their settings would be lost."""
    for key in ("stacks", "workerPools", "spaces"):
        listed = document.get(key) if isinstance(document, dict) else None
        for place, item in enumerate(listed if isinstance(listed, list) else ()):
            if not isinstance(item, str | int):
                hint = f"write '{key}: {{ID: {{...}}}}' for what has settings"
                raise ScenarioError(f"{key}[{place}]: {item!r:.60} is no id; {hint}")


def _with_stack_defaults(document: object) -> object:
    """Merge `defaults.stack` under every stack."""
    if not isinstance(document, dict) or not isinstance(document.get("defaults"), dict):
        return document
    common = document["defaults"].get("stack")
    stacks = document.get("stacks")
    if not isinstance(common, dict) or not isinstance(stacks, dict | list):
        return document
    named = stacks if isinstance(stacks, dict) else {str(name): {} for name in stacks}
    return {**document, "stacks": {name: {**common, **(s or {})} for name, s in named.items()}}


def _with_arrows(document: object) -> object:
    """Turn `edges: ["a -> b -> c"]` into stacks and their `dependsOn`."""
    if not isinstance(document, dict) or not isinstance(document.get("edges"), list):
        return document
    stacks = document.get("stacks") or {}
    named = dict(stacks) if isinstance(stacks, dict) else {str(name): {} for name in stacks}
    for place, line in enumerate(document["edges"]):
        names = [name.strip() for name in str(line).split("->")]
        if len(names) < 2 or not all(names):
            hint = "write 'upstream -> dependent'"
            raise ScenarioError(f"edges[{place}]: {line!r} is no chain of stacks; {hint}")
        for name in names:
            named.setdefault(name, {})
        for upstream, dependent in itertools.pairwise(names):
            spec = dict(named[dependent] or {})
            spec["dependsOn"] = [*(spec.get("dependsOn") or []), upstream]
            named[dependent] = spec
    return {**document, "stacks": named}


def first_problem(error: pydantic.ValidationError, model: type[pydantic.BaseModel]) -> str:
    """Say in one line where a document of a model is wrong, how, and what to do."""
    problem = error.errors()[0]
    place = ""
    for part in problem["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        meant = _meant_key(model, problem["loc"])
        hint = f" (did you mean {meant!r}?)" if meant else ""
        message = f"no such key{hint}; remove it or correct its name ({_KEYS_ARE_LISTED})"
    else:
        message = f"{message[:1].lower()}{message[1:]}; correct this value"
    more = error.error_count() - 1
    rest = f" (and {more} more)" if more else ""
    return f"{place or 'document'}: {message}{rest}"


def _meant_key(model: type[pydantic.BaseModel], place: tuple[int | str, ...]) -> str:
    """Return which key a misspelled one may mean; "" if none."""
    kind: Any = model
    for part in place[:-1]:
        keys = _keys(kind)
        # What is not a key of a model is a key of a map or an index of a list.
        kind = keys[str(part)] if part in keys else (get_args(kind) or (None,))[-1]
        while get_origin(kind) in (Annotated, Union, types.UnionType):
            kind = get_args(kind)[0]
    return next(iter(difflib.get_close_matches(str(place[-1]), _keys(kind), n=1)), "")


def _keys(kind: Any) -> Mapping[str, Any]:
    """Return the keys of a model with their types; of others none."""
    if not (isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)):
        return {}
    return {info.alias or name: info.annotation for name, info in kind.model_fields.items()}


def _check_names(scenario: Scenario) -> None:
    for name, spec in scenario.stacks.items():
        for place, edge in enumerate(spec.depends_on):
            if edge.stack not in scenario.stacks:
                where = f"stacks.{name}.dependsOn[{place}]"
                raise ScenarioError(f"{where}: no stack {edge.stack!r}; add it under stacks")
        if spec.worker_pool_id is not None and spec.worker_pool_id not in scenario.worker_pools:
            raise ScenarioError(
                f"stacks.{name}.workerPool: no pool {spec.worker_pool_id!r}; "
                "add it under workerPools"
            )
        if spec.space not in ("root", *scenario.spaces):
            raise ScenarioError(
                f"stacks.{name}.space: no space {spec.space!r}; add it under spaces"
            )


def _upstreams(spec: StackSpec) -> list[str]:
    return [edge.stack for edge in spec.depends_on]


def _check_cycles(upstreams: Mapping[str, Iterable[str]]) -> None:
    """Remove stacks without upstreams; the remaining ones are in a cycle or behind one."""
    left = {name: set(ups) for name, ups in upstreams.items()}
    while free := [name for name, ups in left.items() if not ups & left.keys()]:
        for name in free:
            del left[name]
    if left:
        names = ", ".join(sorted(left))
        raise ScenarioError(f"stacks: {names} depend on each other in a cycle; remove an edge")
