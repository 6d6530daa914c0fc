"""The sinks that this release tells of transitions: what each wants, and where it is.

The operator reads names and wishes only; a URL or a header that comes from a file is read by the
worker when something is delivered, so that a rotated secret is taken up and nobody else has it.
"""

import dataclasses
import enum
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib import parse as urlparse

from controller.api.transitions import TransitionKind
from controller.config import environment
from controller.config import files as config_files
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


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Sink:
    """One receiver. An empty filter lets everything through."""

    name: str
    type: SinkType
    url: environment.Secret
    transitions: frozenset[TransitionKind]
    namespaces: tuple[str, ...] = ()
    match_labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, environment.Secret] = dataclasses.field(default_factory=dict)
    template: Any = None
    """A checked template; None: what the type sends by itself."""
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS

    def wants(self, kind: TransitionKind, namespace: str, labels: Mapping[str, str]) -> bool:
        """Return whether it is to be told of such a transition of such a StackChain."""
        if kind not in self.transitions or (self.namespaces and namespace not in self.namespaces):
            return False
        return all(labels.get(key) == value for key, value in self.match_labels.items())

    def read_target(self) -> SinkTarget:
        """Return where to send, as the files have it now.

        Raises:
            SettingsError: a file cannot be read, or holds what cannot be used. The text names the
                file and never what is in it.
        """
        url = self.url.reveal()
        try:
            sink_url(url)
        except ValueError as error:
            raise environment.SettingsError(f"{self.url.file}: the URL {error}") from None
        headers = {name: secret.reveal() for name, secret in self.headers.items()}
        for name, value in headers.items():
            if not _HEADER_VALUE.fullmatch(value):
                raise environment.SettingsError(
                    f"{self.headers[name].file}: is no value of a header; use one line of "
                    "printable ASCII"
                )
        return SinkTarget(url=url, headers=headers)


class SinkCatalog:
    """The sinks of the notifications file; none where there is no file."""

    def __init__(self, file: Path | None) -> None:
        """Read the file.

        Raises:
            SettingsError: with every problem of it.
        """
        self._file = config_files.WatchedFile(file, _read_file, noun="sinks") if file else None

    def all(self) -> Mapping[str, Sink]:
        """Return the sinks by name."""
        return self._file.get() if self._file is not None else {}

    def wanting(self, kind: TransitionKind, namespace: str, labels: Mapping[str, str]) -> list[str]:
        """Return the names of the sinks that are to be told of a transition, sorted."""
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


def sink_url(text: str) -> str:
    """Parse the URL of a sink: http or https, with a query where it needs one.

    Raises:
        ValueError: it is not usable; the text does not quote it, since many carry a secret.
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


def _read_file(path: Path) -> dict[str, Sink]:
    return parse_sinks(config_files.read_yaml(path), str(path))


def parse_sinks(document: object, source: str) -> dict[str, Sink]:
    """Return the sinks of a parsed notifications file, by name.

    Raises:
        SettingsError: with every problem of the file.
    """
    problems: list[str] = []
    whole = config_files.Entry(f"{source}:", document, problems)
    entries = whole.take("sinks")
    whole.end()
    if not isinstance(entries, list):
        whole.problem("has no list `sinks`; add one")
        entries = []
    sinks: dict[str, Sink] = {}
    for sink in _sinks(entries, source, problems):
        if sink.name in sinks:
            problems.append(f"{source}: sink {sink.name} is there twice; rename one")
        sinks[sink.name] = sink
    if problems:
        raise environment.SettingsError(*problems)
    return sinks


def _sinks(entries: list[object], source: str, problems: list[str]) -> Iterator[Sink]:
    for number, entry in enumerate(entries):
        name = entry.get("name") if isinstance(entry, dict) else None
        where = f"sink {str(name)[:64]}" if name else f"sinks[{number}]"
        yield _sink(config_files.Entry(f"{source}: {where}", entry, problems))


def _sink(entry: config_files.Entry) -> Sink:
    name = entry.parsed("name", environment.dns_label)
    if name is None:
        entry.problem("has no usable name; give it one, which shows in metrics and logs")
    type_ = entry.parsed("type", environment.one_of(*SinkType))
    if type_ is None:
        entry.problem(f"has no usable type; set one of {', '.join(SinkType)}")
    # Not `on`, which YAML takes for true.
    kinds = entry.words("transitions", _kind)
    if not kinds:
        entry.problem("is told nothing; list what it is to be told of in `transitions`")
    sink = Sink(
        name=name or "",
        type=SinkType(type_ or SinkType.SLACK),
        url=_url(entry),
        transitions=frozenset(kinds or ()),
        namespaces=_namespaces(entry),
        match_labels=entry.texts("matchLabels"),
        headers=_headers(entry),
        template=_template(entry),
        timeout_seconds=_timeout(entry),
    )
    entry.end()
    return sink


def _kind(text: str) -> TransitionKind:
    return TransitionKind(environment.one_of(*TransitionKind)(text))


def _url(entry: config_files.Entry) -> environment.Secret:
    # Parsed by hand: a problem with it must not quote it.
    text, file = entry.text("url"), entry.text("urlFile")
    if (text is None) == (file is None):
        entry.problem("needs either url or urlFile")
    if file is not None:
        return environment.Secret(file=Path(file))
    try:
        return environment.Secret(value=sink_url(text) if text is not None else "")
    except ValueError as error:
        entry.problem(f"url is not usable: it {error}")
    return environment.Secret()


def _namespaces(entry: config_files.Entry) -> tuple[str, ...]:
    namespaces = entry.words("namespaces", environment.dns_label)
    if namespaces == ():
        entry.problem("has an empty list namespaces; leave it out to serve all")
    return namespaces or ()


def _headers(entry: config_files.Entry) -> dict[str, environment.Secret]:
    given = {
        name: environment.Secret(value=value) for name, value in entry.texts("headers").items()
    }
    files = {
        name: environment.Secret(file=Path(path))
        for name, path in entry.texts("headerFiles").items()
    }
    for name in {text.lower() for text in given} & {text.lower() for text in files}:
        entry.problem(f"has the header {name} in headers and in headerFiles; keep one of both")
    for name in (*given, *files):
        if not _HEADER_NAME.fullmatch(name):
            entry.problem(f"{name[:64]!r} is no name of a header")
        elif name.lower() in _OURS or name.lower().startswith("ce-"):
            entry.problem(f"may not set the header {name}, which the notification sets itself")
    for name, secret in given.items():
        if not _HEADER_VALUE.fullmatch(secret.value):
            entry.problem(f"the header {name[:64]} must be one line of printable ASCII")
    return given | files


def _template(entry: config_files.Entry) -> Any:
    template = entry.take("template")
    if template is None:
        return None
    try:
        templates.check(template)
    except templates.BadTemplate as error:
        entry.problem(str(error))
    return template


def _timeout(entry: config_files.Entry) -> int:
    value = entry.take("timeoutSeconds")
    if value is None:
        return DEFAULT_TIMEOUT_SECONDS
    if type(value) is not int or not 1 <= value <= LONGEST_TIMEOUT_SECONDS:
        entry.problem(f"timeoutSeconds must be a whole number from 1 to {LONGEST_TIMEOUT_SECONDS}")
        return DEFAULT_TIMEOUT_SECONDS
    return value
