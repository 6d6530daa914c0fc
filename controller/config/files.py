"""Mounted files of settings: YAML read strictly by a model, and read again when it changes.

Problems are collected and name the file, the path of the field, what is wrong and what to do. What
a field holds is not quoted unless its own check does so: it could be what should not be logged.
"""

import logging
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

import pydantic
import yaml
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from controller import likeness
from controller.config import environment, parsing

logger = logging.getLogger(__name__)

Content = TypeVar("Content")
Parsed = TypeVar("Parsed")
Model = TypeVar("Model", bound=pydantic.BaseModel)

Stamp = tuple[int, int, int] | None

_LONGEST_NAME = 64
_SENTENCES = {
    "missing": "is missing; add it",
    "extra_forbidden": "is not a known field; remove it",
    "invalid_key": "is not a known field; remove it",
    "string_type": "must be a string",
    "list_type": "must be a list",
    "dict_type": "must be a map",
    "model_type": "must be a map",
}
_OF_A_KEY = "[key]"
"""What pydantic appends to the place of a map's key."""


class WatchedFile(Generic[Content]):
    """Always holds the last good content of a file."""

    def __init__(self, path: Path, read: Callable[[Path], Content], *, noun: str) -> None:
        """Read the file; `noun` says in the log what it holds, in the plural.

        Raises:
            SettingsError: it is malformed.
        """
        self._path = path
        self._parse = read
        self._noun = noun
        self._seen = stamp(path)
        self._content = read(path)

    def get(self) -> Content:
        """Return the content as the file has it now, or had it when it was last usable."""
        now = stamp(self._path)
        if now == self._seen:
            return self._content
        # Noted before reading: a bad file is reported once per change, not on every use.
        self._seen = now
        try:
            self._content = self._parse(self._path)
        except environment.SettingsError as error:
            logger.warning(
                "%s file is not usable, keeping the %s read before",
                self._noun.capitalize(),
                self._noun,
                extra={"file": str(self._path), "problems": list(error.problems)},
            )
        else:
            logger.info("%s read again", self._noun.capitalize(), extra={"file": str(self._path)})
        return self._content


def stamp(path: Path) -> Stamp:
    """Return what differs once the file has changed; None while there is none."""
    try:
        # A mounted volume changes by a swapped symlink: another inode, maybe an equal time.
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def read_yaml(path: Path) -> object:
    """Return the document of a YAML file.

    Raises:
        SettingsError: it cannot be read; the text is not quoted.
    """
    try:
        return yaml.safe_load(environment.read_mounted(path).decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = parsing.reason_of(error)
        raise environment.SettingsError(f"{path}: cannot be read: {why}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise environment.SettingsError(f"{path}: is not valid YAML{line}; fix it") from None


class Entry(pydantic.BaseModel):
    """One map of a mounted file: its keys are camelCase and known.

    Null and the empty string, which templates like to leave, are as if not there.
    """

    model_config = pydantic.ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True
    )

    @pydantic.model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, entry: object) -> object:
        if not isinstance(entry, dict):
            return entry
        return {key: value for key, value in entry.items() if value is not None and value != ""}


def validated(model: type[Model], document: object, source: str) -> Model:
    """Return a parsed file as its model.

    Raises:
        SettingsError: with every problem of the file.
    """
    document = {} if document is None else document
    try:
        # The context is what the entries of one file share, such as the names that are taken.
        return model.model_validate(document, context={})
    except pydantic.ValidationError as error:
        problems = [_problem(details, document, source, model) for details in error.errors()]
    # Outside of the handler: pydantic's error quotes what was read.
    raise environment.SettingsError(*problems)


def string(parse: Callable[[str], Any]) -> pydantic.PlainValidator:
    """Return what validates a field that holds what `parse` makes of a string."""

    def validate(value: object) -> Any:
        if not isinstance(value, str):
            raise ValueError("must be a string")
        return parse(value)

    return pydantic.PlainValidator(validate)


def word(parse: Callable[[str], Any]) -> pydantic.PlainValidator:
    """Return a validator like `string`; its problems quote the value, so it is not for secrets."""

    def quoting(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise ValueError(f"{text[:_LONGEST_NAME]!r} is not usable: it {error}") from None

    return string(quoting)


def _secret_file(text: str) -> environment.Secret:
    return environment.Secret(file=Path(text))


SecretFile = Annotated[environment.Secret, string(_secret_file)]
"""The path of a file that holds a secret; the file is read when the secret is used."""


def _problem(
    details: ErrorDetails, document: object, source: str, model: type[pydantic.BaseModel]
) -> str:
    place = list(details["loc"])
    says = str(details.get("ctx", {}).get("error") or "") or _SENTENCES.get(details["type"], "")
    if details["type"] == "extra_forbidden" and (meant := _meant_field(model, place)):
        says = f"is not a known field (did you mean '{meant}'?); correct or remove it"
    if place and place[-1] == _OF_A_KEY:
        place.pop()
        says = f"the key {says}"
    path = _path(place, document)
    return f"{source}: {path}: {says or details['msg']}" if path else f"{source}: {says}"


def _meant_field(model: type[pydantic.BaseModel], place: list[int | str]) -> str:
    """Return which field of a map an unknown one may mean; "" if none."""
    kind: Any = model
    for part in place[:-1]:
        fields = _fields(kind)
        # What is not a field is a key of a map or a place in a list, and leads to what that holds.
        kind = fields[str(part)] if part in fields else (get_args(kind) or (None,))[-1]
        kind = _without_null(kind)
    return likeness.likeliest(str(place[-1]), _fields(kind))


def _fields(kind: Any) -> Mapping[str, Any]:
    """Return the fields of a model as a file names them, with their types; of others none."""
    if not (isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)):
        return {}
    return {info.alias or name: info.annotation for name, info in kind.model_fields.items()}


def _without_null(kind: Any) -> Any:
    """Return the type of a field that is present, without what validates it."""
    if get_origin(kind) is Annotated:
        return _without_null(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return _without_null(get_args(kind)[0])
    return kind


def _path(place: list[int | str], document: object) -> str:
    """Return the path of a field; an item of a list goes by its name if it has one."""
    path = ""
    for part in place:
        if isinstance(document, Mapping):
            # As the file has it: pydantic has a number for a key that is true, and of a field that
            # is not there, the name in the model.
            key = next((key for key in document if key == part), None)
            path += f".{str(to_camel(str(part)) if key is None else key)[:_LONGEST_NAME]}"
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
            name = document.get("name") if isinstance(document, Mapping) else None
            path += f"[{str(name)[:_LONGEST_NAME] if name else part}]"
    return path.removeprefix(".")
