"""Typed values out of environment variables; below `settings`, which hands it the mapping.

Problems are collected instead of raised, so that a start fails once, with all that is to be mended.
"""

import ast
import dataclasses
import enum
import inspect
import ipaddress
import itertools
import math
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar
from urllib import parse as urlparse

Parsed = TypeVar("Parsed")
Group = TypeVar("Group")
Choice = TypeVar("Choice", bound=enum.StrEnum)

_VARIABLE = "variable"


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
    """Where a mounted Secret is rotated in place; None for a value that came by variable."""

    def reveal(self) -> str:
        """Return the secret text.

        Raises:
            SettingsError: the file cannot be read, or is empty.
        """
        if self.file is None:
            return self.value
        try:
            text = self.file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{self.file}: cannot be read ({reason_of(error)}); mount the secret there"
            ) from error
        if not text:
            raise SettingsError(f"{self.file}: is empty; put the secret's text into it")
        return text


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """How one field of a settings group is read."""

    name: str
    parse: Callable[[str], Any] | None
    """None: the group's own loader computes the field."""
    default: str | None
    """What the documentation shows where the field's own default says too little."""
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
            self.problem(f"{name}_FILE", f"is set together with {name}; keep one of both")
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
    """Yield a row for each variable of a settings group; the meaning stands under its field."""
    meanings = _field_docstrings(module, group.__name__)
    for field in dataclasses.fields(group):
        variable = variable_of(field)
        meaning = " ".join(meanings[field.name].split())
        if "Secret" in str(field.type):
            meaning += f" `{variable.name}_FILE` names a file that holds it instead."
        yield SettingRow(variable.name, variable.default or _shown(field.default), meaning)
        for name, further in variable.also.items():
            yield SettingRow(name, "", further)


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


def existing_file(text: str) -> Path:
    """Parse the path of a file that can be read now."""
    path = Path(text).expanduser()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"cannot be read ({reason_of(error)}); name a readable file") from error


def authorities_file(text: str) -> Path:
    """Parse the path of a file with the certificates of authorities, in PEM."""
    path = existing_file(text)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        # Refused now: later, every connection would fail without saying why.
        raise ValueError("holds no certificate in PEM; name the authority's file") from error
    return path


def is_key_pair(certificate: Path, key: Path) -> bool:
    """Return whether two files in PEM hold a certificate and its private key, without password."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # A password would be asked for on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError):
        return False
    return True


def seconds(text: str) -> float:
    """Parse a length of time above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError("must be a number of seconds above 0, for example 30")
    return value


def whole(minimum: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from a minimum on."""

    def parse(text: str) -> int:
        # Not int(): it accepts "1_000" and surrounding blanks, which no chart or shell means.
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < minimum:
            raise ValueError(f"must be a whole number, {minimum} or more")
        return int(text)

    return parse


def boolean(text: str) -> bool:
    """Parse true or false."""
    match text.lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
    raise ValueError("must be true or false")


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser of a fixed set of words, taken in any case and returned as spelled here."""
    spelled = {choice.lower(): choice for choice in choices}

    def parse(text: str) -> str:
        if text.lower() not in spelled:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return spelled[text.lower()]

    return parse


def member_of(choices: type[Choice]) -> Callable[[str], Choice]:
    """Return a parser of the values of an enumeration, taken in any case."""
    spell = one_of(*choices)
    return lambda text: choices(spell(text))


def matching(pattern: str, description: str) -> Callable[[str], str]:
    """Return a parser of texts of a form."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {description}")
        return text

    return parse


dns_label = matching(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    "a Kubernetes name: at most 63 lower case letters, digits and inner dashes",
)


def comma_list(item: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """Return a parser of comma separated items, sorted and each one once."""

    def parse(text: str) -> tuple[str, ...]:
        words = {word.strip() for word in text.split(",")} - {""}
        return tuple(sorted(item(word) for word in words))

    return parse


def host_port(text: str) -> str:
    """Parse `host:port`, with brackets around the host of IPv6."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) <= 65535 or "/" in host:
        raise ValueError("must be host:port, for example temporal:7233")
    if ":" in host:
        try:
            ipaddress.IPv6Address(host.strip("[]"))
        except ValueError:
            raise ValueError("must be host:port, with an IPv6 host in brackets") from None
        if not (host.startswith("[") and host.endswith("]")):
            raise ValueError("must have brackets around the IPv6 host, for example [::]:8080")
    return text


def http_url(text: str) -> str:
    """Parse a URL of http or https without credentials; a trailing slash goes."""
    try:
        parts = urlparse.urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError
    except ValueError:
        raise ValueError("must be a URL such as https://example.app.spacelift.io") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be a URL without user, query and fragment")
    return text.rstrip("/")


def plain(text: str) -> str:
    """Take the text as it is."""
    return text


def reason_of(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file cannot be read, without its path."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "not UTF-8 text"
