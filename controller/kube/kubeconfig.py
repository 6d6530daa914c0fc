"""Reads kubeconfigs as kubectl does: of several, the first to name something wins (ADR 0059)."""

import base64
import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from controller import outside_text
from controller.config import parsing
from controller.kube import errors, kubeconfig_shape

Json = dict[str, Any]

DEFAULT_KUBECONFIG = Path("~/.kube/config")
_CURRENT = "current-context"
# A thousand clusters with their certificates take four of them.
_MOST_BYTES = 16 * 2**20
_MOST_TEXT = "16 MiB"
_MOST_DEPTH = 100
_TOO_DEEP = "it is nested too deeply"
# What YAML 1.1 takes for something else, and 1.2 and Go do not.
_STRINGS = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
# Paths in a kubeconfig are relative to its own folder.
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChosenContext:
    """One context of a kubeconfig, with what it names."""

    name: str
    namespace: str | None
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]


def context_names(kubeconfig: Path) -> list[str]:
    """Return the contexts of a kubeconfig; none of one that cannot be read."""
    try:
        return sorted(_read(kubeconfig)["contexts"])
    except errors.Denied:
        return []


def context_namespace(kubeconfig: Path, context: str | None) -> str | None:
    """Return the namespace of a kubeconfig's context, if it names one.

    Raises:
        errors.Denied: the kubeconfig cannot be read, or has no such context.
    """
    return choose(kubeconfig, context).namespace


def choose(kubeconfig: Path, context: str | None) -> ChosenContext:
    """Return a context, by default the current one.

    Raises:
        errors.Denied: the kubeconfig cannot be read, or has no such context.
    """
    merged = _read(kubeconfig)
    name = context or merged["current-context"]
    if not name:
        raise _unusable(kubeconfig, "it has no current context; choose one with --context")
    found = merged["contexts"].get(name)
    if found is None:
        raise _unusable(kubeconfig, f"it has no context {name!r}")
    cluster, user = str(found.get("cluster") or ""), str(found.get("user") or "")
    if not merged["clusters"].get(cluster, {}).get("server"):
        raise _unusable(kubeconfig, f"its context {name!r} names no cluster with a server")
    if user and user not in merged["users"]:
        raise _unusable(kubeconfig, f"it has no user {user!r}, whom its context {name!r} names")
    namespace = found.get("namespace")
    return ChosenContext(
        name=name,
        namespace=str(namespace) if namespace else None,
        cluster=merged["clusters"][cluster],
        user=merged["users"].get(user, {}),
    )


def content_of(part: Mapping[str, Any], name: str) -> bytes | None:
    """Return what a field of a cluster or user holds, by value or as the name of a file.

    Raises:
        errors.Denied: the file cannot be read, or the value is not base64.
    """
    data, file = part.get(f"{name}-data"), part.get(name)
    if data:
        try:
            # As Go reads it: in lines, too.
            return base64.b64decode("".join(str(data).split()), validate=True)
        except ValueError as error:
            raise errors.Denied(f"{name}-data of the kubeconfig is not base64") from error
    return read_file(str(file), name) if file else None


def read_file(file: str, name: str) -> bytes:
    """Return what a file holds that a kubeconfig names.

    Raises:
        errors.Denied: it cannot be read, or is larger than anything that belongs there.
    """
    # Someone may have put the key itself there, which a message must not show.
    named = f" {file}" if len(file) <= outside_text.LIMIT and file.isprintable() else ""
    try:
        with Path(file).open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = _reason(error)
        raise errors.Denied(f"{name}{named} of the kubeconfig cannot be read: {why}") from error
    if len(content) > _MOST_BYTES:
        raise errors.Denied(f"{name}{named} of the kubeconfig is larger than {_MOST_TEXT}")
    return content


def _read(kubeconfig: Path) -> Json:
    merged: Json = {"current-context": "", **{kind: {} for kind in kubeconfig_shape.PARTS}}
    paths = [parsing.below_home(part) for part in str(kubeconfig).split(os.pathsep) if part]
    # As kubectl: of several files one may be missing.
    for path in [path for path in paths if len(paths) == 1 or path.is_file()]:
        try:
            document = _document(path)
            merged["current-context"] = merged["current-context"] or _current(document)
            for kind, shape in kubeconfig_shape.PARTS.items():
                for name, entry in _entries(document, kind, shape):
                    merged[kind].setdefault(name, _with_paths(entry, path.parent))
        except kubeconfig_shape.WrongShape as error:
            raise _unusable(path, str(error)) from error
    return merged


def _document(path: Path) -> Json:
    try:
        with path.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unusable(path, _reason(error)) from error
    if len(content) > _MOST_BYTES:
        raise _unusable(path, f"it is larger than {_MOST_TEXT}")
    try:
        document = _parsed(content)
    # What the library says quotes the line, which may hold a token.
    except yaml.reader.ReaderError as error:
        raise _unusable(path, "it is not text in UTF-8") from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise _unusable(path, f"it is not valid YAML{where}") from error
    if not isinstance(document, dict):
        raise _unusable(path, "it is not a kubeconfig, which is a mapping")
    return document


def _parsed(content: bytes) -> Any:
    # The loader in C is several times quicker, and not everywhere.
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if base is not yaml.SafeLoader:
        _check_depth(content, base)

    class Loader(base):  # type: ignore[valid-type, misc]
        # A context may be called 2026-01-31, which is a string in Go.
        yaml_implicit_resolvers = {  # noqa: RUF012 - the library's
            first: [(tag, pattern) for tag, pattern in known if tag not in _STRINGS]
            for first, known in base.yaml_implicit_resolvers.items()
        }

    try:
        return yaml.load(content, Loader=Loader)  # noqa: S506 - a safe loader
    except RecursionError as error:
        raise kubeconfig_shape.WrongShape(_TOO_DEEP) from error


def _check_depth(content: bytes, loader: Any) -> None:
    # In C its recursion has no limit but the stack, whose end would end the process.
    depth = 0
    for event in yaml.parse(content, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_DEPTH:
            raise kubeconfig_shape.WrongShape(_TOO_DEEP)


def _current(document: Json) -> str:
    current = document.get("current-context")
    return "" if current is None else str(kubeconfig_shape.checked(current, str, _CURRENT))


def _entries(
    document: Json, kind: str, shape: kubeconfig_shape.Shape
) -> Iterator[tuple[str, Json]]:
    listed = document.get(kind) or []
    if not isinstance(listed, list):
        raise kubeconfig_shape.WrongShape(f"{kind} must be a list")
    part = kind.removesuffix("s")
    for at, item in enumerate(listed, 1):
        where = f"item {at} of {kind}"
        fields = kubeconfig_shape.checked(item, {"name": str}, where)
        if "name" not in fields:
            raise kubeconfig_shape.WrongShape(f"{where} has no name")
        name = str(fields["name"])
        entry = kubeconfig_shape.checked(fields.get(part, {}), shape, f"the {part} {name!r}")
        yield name, entry


def _with_paths(entry: Json, folder: Path) -> Json:
    named = {name: str(folder / str(entry[name])) for name in _PATHS if entry.get(name)}
    return {**entry, **named, "folder": folder}


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "its name is not a path"


def _unusable(kubeconfig: Path, why: str) -> errors.Denied:
    named = outside_text.visible(str(kubeconfig))
    return errors.Denied(f"The kubeconfig {named} cannot be used: {outside_text.clean(why)}")
