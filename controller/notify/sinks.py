"""The sinks that this release notifies of transitions: what each one wants, and where it is.

The operator reads names and filters only. The worker reads a URL or a header that comes from a file
when it delivers something, so that a rotated secret is picked up and no one else has it.
"""

import dataclasses
import enum
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib import parse as urlparse

import pydantic

from controller.api.transition_kinds import TransitionKind
from controller.config import environment, files, parsing
from controller.notify import templates

# The activity's time-out is above it.
LONGEST_TIMEOUT_SECONDS = 30
DEFAULT_TIMEOUT_SECONDS = 10

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,8192}")
_USABLE = "must be a URL such as https://example.com/hook"
_BLANK = re.compile(r"[\x00-\x20\x7f]")
_OURS = ("content-type", "content-length", "host", "transfer-encoding", "connection")


class SinkType(enum.StrEnum):
    """What a sink is sent."""

    SLACK = "Slack"
    CLOUD_EVENTS = "CloudEvents"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SinkTarget:
    """Where to send, as the files have it at this moment; never shown."""

    url: str = dataclasses.field(repr=False)
    headers: Mapping[str, str] = dataclasses.field(repr=False)


def sink_url(text: str) -> str:
    """Parse the URL of a sink: http or https, with a query where it needs one.

    Raises:
        ValueError: it is not usable; the message does not quote it, since many carry a secret.
    """
    try:
        parts = urlparse.urlsplit(text)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(_USABLE) from None
    if not is_usable or _BLANK.search(text):
        raise ValueError(_USABLE)
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("must have no user and no fragment; put credentials into headerFiles")
    return text


def _header_name(text: str) -> str:
    if not _HEADER_NAME.fullmatch(text):
        raise ValueError("is not a valid header name")
    if text.lower() in _OURS or text.lower().startswith("ce-"):
        raise ValueError("may not be set here: the notification sets this header itself")
    return text


def _header_value(text: str) -> str:
    if not _HEADER_VALUE.fullmatch(text):
        raise ValueError("must be one line of printable ASCII")
    return text


def _checked_template(value: object) -> object:
    templates.check(value)
    return value


def _timeout_seconds(value: object) -> int:
    if type(value) is not int or not 1 <= value <= LONGEST_TIMEOUT_SECONDS:
        raise ValueError(f"must be a whole number from 1 to {LONGEST_TIMEOUT_SECONDS}")
    return value


def _not_empty(hint: str) -> pydantic.AfterValidator:
    def validate(items: list[Any]) -> list[Any]:
        if not items:
            raise ValueError(f"is empty; {hint}")
        return items

    return pydantic.AfterValidator(validate)


_HeaderName = Annotated[str, files.string(_header_name)]


class Sink(files.Entry):
    """One receiver, as the file describes it. A filter that is left out lets everything through."""

    name: Annotated[str, files.string(parsing.dns_label)]
    """Shows in metrics and logs."""
    type: Annotated[SinkType, files.word(parsing.member_of(SinkType))]
    # Not `on`, which YAML takes for true.
    transitions: Annotated[
        list[Annotated[TransitionKind, files.word(parsing.member_of(TransitionKind))]],
        _not_empty("list at least one"),
    ]
    url: Annotated[str, files.string(sink_url)] | None = pydantic.Field(default=None, repr=False)
    url_file: files.SecretFile | None = pydantic.Field(default=None, validate_default=True)
    namespaces: Annotated[
        list[Annotated[str, files.word(parsing.dns_label)]],
        _not_empty("leave it out to serve all"),
    ] = pydantic.Field(default=[])
    match_labels: dict[str, str] = pydantic.Field(default={})
    headers: dict[_HeaderName, Annotated[str, files.string(_header_value)]] = pydantic.Field(
        default={}, repr=False
    )
    header_files: dict[_HeaderName, files.SecretFile] = pydantic.Field(default={})
    template: Annotated[Any, pydantic.PlainValidator(_checked_template)] = None
    """None: what the type sends when nothing is said."""
    timeout_seconds: Annotated[int, pydantic.PlainValidator(_timeout_seconds)] = (
        DEFAULT_TIMEOUT_SECONDS
    )

    @pydantic.field_validator("name", mode="after")
    @classmethod
    def _is_unique(cls, name: str, file: pydantic.ValidationInfo) -> str:
        taken = file.context.setdefault("names", set()) if file.context is not None else set()
        if name in taken:
            raise ValueError("appears twice; rename one")
        taken.add(name)
        return name

    @pydantic.field_validator("url_file", mode="after")
    @classmethod
    def _is_one_url(
        cls, url_file: environment.Secret | None, others: pydantic.ValidationInfo
    ) -> environment.Secret | None:
        # An unusable url is not among the others, and has its own problem.
        if "url" in others.data and (url_file is None) == (others.data["url"] is None):
            raise ValueError("the sink needs either url or urlFile; set one of the two")
        return url_file

    @pydantic.field_validator("header_files", mode="after")
    @classmethod
    def _is_one_header(
        cls, header_files: dict[str, environment.Secret], others: pydantic.ValidationInfo
    ) -> dict[str, environment.Secret]:
        given = {name.lower() for name in others.data.get("headers", ())}
        if twice := sorted({name.lower() for name in header_files} & given):
            raise ValueError(
                f"the sink has the header {twice[0]} in headers and in headerFiles; keep one of "
                "the two"
            )
        return header_files

    def wants(self, kind: TransitionKind, namespace: str, labels: Mapping[str, str]) -> bool:
        """Return whether it is notified of such a transition of such a StackChain."""
        if kind not in self.transitions or (self.namespaces and namespace not in self.namespaces):
            return False
        return all(labels.get(key) == value for key, value in self.match_labels.items())

    def read_target(self) -> SinkTarget:
        """Return where to send, as the files have it now.

        Raises:
            SettingsError: a file cannot be read, or its content is not usable. The message names
                the file and never what is in it.
        """
        files_of = self.header_files.items()
        headers = {name: _read(secret, _header_value, "the value") for name, secret in files_of}
        url = self.url
        if url is None and self.url_file is not None:
            url = _read(self.url_file, sink_url, "the URL")
        return SinkTarget(url=url or "", headers={**self.headers, **headers})


class _SinksFile(files.Entry):
    sinks: list[Sink]


def _read(secret: environment.Secret, check: Callable[[str], str], what: str) -> str:
    text = secret.reveal()
    try:
        return check(text)
    except ValueError as error:
        raise environment.SettingsError(f"{secret.file}: {what} {error}") from None


class SinkCatalog:
    """The sinks of the notifications file; none if there is no file."""

    def __init__(self, file: Path | None) -> None:
        """Read the file.

        Raises:
            SettingsError: with every problem of it.
        """
        self._file = files.WatchedFile(file, _read_file, noun="sinks") if file else None

    def all(self) -> Mapping[str, Sink]:
        """Return the sinks by name."""
        return self._file.get() if self._file is not None else {}

    def wanting(self, kind: TransitionKind, namespace: str, labels: Mapping[str, str]) -> list[str]:
        """Return the names of the sinks that are notified of a transition, sorted."""
        wanting = (sink for sink in self.all().values() if sink.wants(kind, namespace, labels))
        return sorted(sink.name for sink in wanting)

    def target_problems(self) -> list[str]:
        """Return what is wrong with the files of URLs and headers, one line each; reads them."""
        problems: list[str] = []
        for name, sink in sorted(self.all().items()):
            try:
                sink.read_target()
            except environment.SettingsError as error:
                problems.extend(f"sink {name}: {problem}" for problem in error.problems)
        return problems


def parse_sinks(document: object, source: str) -> dict[str, Sink]:
    """Return the sinks of a parsed notifications file, by name.

    Raises:
        SettingsError: with every problem of the file.
    """
    return {sink.name: sink for sink in files.validated(_SinksFile, document, source).sinks}


def _read_file(path: Path) -> dict[str, Sink]:
    return parse_sinks(files.read_yaml(path), str(path))
