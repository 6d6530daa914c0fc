"""Typed values out of environment variables; below `settings`, which hands it the mapping.

Problems are collected instead of raised, so that a start fails once, with all that is to be fixed.
"""

import ast
import dataclasses
import errno
import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from controller.config import parsing

Parsed = TypeVar("Parsed")
Group = TypeVar("Group")

_VARIABLE = "variable"

_LARGEST_MOUNT_BYTES = 1024 * 1024


class SettingsError(Exception):
    """The process cannot work with these settings; holds every problem that was found."""

    def __init__(self, *problems: str) -> None:
        """Hold the problems, each naming the variable or file, what is wrong and what to do."""
        super().__init__("\n".join(problems))
        self.problems: tuple[str, ...] = problems


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """A value that never shows itself; one that comes from a file is read again on each use."""

    value: str = dataclasses.field(default="", repr=False)
    file: Path | None = None
    """The file of a mounted Secret that is rotated in place; None for a value from a variable."""

    def reveal(self) -> str:
        """Return the secret text.

        Raises:
            SettingsError: the file cannot be read, or is empty.
        """
        if self.file is None:
            return self.value
        try:
            text = read_mounted(self.file).decode("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{self.file}: cannot be read ({parsing.reason_of(error)}); mount the secret there"
            ) from error
        if not text:
            raise SettingsError(f"{self.file}: is empty; put the secret's text into it")
        return text


def read_mounted(path: Path) -> bytes:
    """Return what a mounted file holds.

    Raises:
        OSError: it cannot be read, or is larger than a Secret or ConfigMap can be.
    """
    with path.open("rb") as file:
        content = file.read(_LARGEST_MOUNT_BYTES + 1)
    if len(content) > _LARGEST_MOUNT_BYTES:
        raise OSError(errno.EFBIG, "larger than 1 MiB")
    return content


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """How one field of a settings group is read."""

    name: str
    parse: Callable[[str], Any] | None
    """None: the group's own loader computes the field."""
    default: str | None
    """What the documentation shows if the field's own default says too little."""
    also: Mapping[str, str]
    """Further variables of the same field, with their meaning."""


def env(
    name: str,
    parse: Callable[[str], Any] | None = None,
    *,
    default: str | None = None,
    also: Mapping[str, str] | None = None,
) -> Mapping[str, Variable]:
    """Return the metadata that ties a dataclass field to its variable."""
    return {_VARIABLE: Variable(name=name, parse=parse, default=default, also=also or {})}


def variable_of(field: "dataclasses.Field[Any]") -> Variable:
    """Return what `env` tied to the field."""
    variable = field.metadata[_VARIABLE]
    if not isinstance(variable, Variable):
        raise TypeError(f"{field.name} has no environment variable")
    return variable


class Reader:
    """Reads one environment; an empty variable counts as unset, as charts often render it so."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read from a mapping; nothing is read before it is asked for."""
        self._environ = environ
        self.problems: list[str] = []

    def problem(self, name: str, what: str) -> None:
        """Note what is wrong with a variable and what to do."""
        self.problems.append(f"{name}: {what}")

    def text(self, name: str) -> str | None:
        """Return the text of a variable, None if it is unset or blank."""
        return self._environ.get(name, "").strip() or None

    def parsed(self, name: str, parse: Callable[[str], Parsed], default: Parsed) -> Parsed:
        """Return the parsed value, or the default after noting a problem."""
        text = self.text(name)
        if text is None:
            return default
        try:
            return parse(text)
        except ValueError as error:
            # A URL may carry a password where none belongs.
            shown = repr(text[:100]) if "@" not in text else "the value"
            self.problem(name, f"{shown} is not usable: it {error}")
            return default

    def secret(self, name: str) -> Secret | None:
        """Return the secret of `<name>` or `<name>_FILE`, checked to be there."""
        value, file = self.text(name), self.text(f"{name}_FILE")
        if value and file:
            self.problem(f"{name}_FILE", f"is set together with {name}; keep one of the two")
        if file is None:
            return Secret(value=value) if value else None
        secret = Secret(file=Path(file))
        try:
            secret.reveal()
        except SettingsError as error:
            self.problem(f"{name}_FILE", "; ".join(error.problems))
        return secret

    def group(self, group: type[Group], **computed: object) -> Group:
        """Return a settings group: each field from its variable, or as computed by the caller."""
        values = dict(computed)
        for field in dataclasses.fields(group):  # type: ignore[arg-type]
            variable = variable_of(field)
            if variable.parse is not None and field.name not in values:
                values[field.name] = self.parsed(variable.name, variable.parse, field.default)
        return group(**values)


class SettingRow(NamedTuple):
    """One variable as the documentation shows it."""

    variable: str
    default: str
    meaning: str


def describe(module: ModuleType, group: type) -> Iterator[SettingRow]:
    """Yield a row for each variable of a settings group, with the docstring of its field."""
    meanings = _field_docstrings(module, group.__name__)
    for field in dataclasses.fields(group):
        variable = variable_of(field)
        meaning = " ".join(meanings[field.name].split())
        if "Secret" in str(field.type):
            meaning += f" `{variable.name}_FILE` names a file that holds it instead."
        yield SettingRow(variable.name, variable.default or _shown(field.default), meaning)
        for name, further in variable.also.items():
            yield SettingRow(name, "", further)


@functools.cache
def _field_docstrings(module: ModuleType, class_name: str) -> dict[str, str]:
    tree = ast.parse(inspect.getsource(module))
    body = next(
        node.body
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == class_name
    )
    return {
        field.target.id: docstring.value.value
        for field, docstring in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(docstring, ast.Expr)
        and isinstance(docstring.value, ast.Constant)
        and isinstance(docstring.value.value, str)
    }


def _shown(default: object) -> str:
    match default:
        case None | "" | ():
            return ""
        case bool():
            return f"`{str(default).lower()}`"
        case tuple():
            return f"`{','.join(default)}`"
        case float():
            return f"`{default:g}`"
    return f"`{default}`"
