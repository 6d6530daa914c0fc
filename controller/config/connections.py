"""The Spacelift accounts that this release was installed with, by name.

Names, endpoints and permissions come from a mounted YAML file (or from variables); API keys and
webhook secrets stay in files of their own, read when they are used, so that a role needs only its
own and a rotated one is taken up without a restart.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from controller.config import environment, files, settings

DEFAULT_CONNECTION = "default"

_connection_name = environment.dns_label


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ApiKeySource:
    """An API key; each read takes it from its files as they are now."""

    key_id: settings.Secret
    key_secret: settings.Secret

    def read(self) -> tuple[str, str]:
        """Return id and secret of the key.

        Raises:
            settings.SettingsError: files are not there or empty; it tells of each one.
        """
        texts, problems = [], []
        for part, secret in (("id", self.key_id), ("secret", self.key_secret)):
            try:
                texts.append(secret.reveal())
            except settings.SettingsError as error:
                problems += [f"API key {part}: {problem}" for problem in error.problems]
        if problems:
            raise settings.SettingsError(*problems)
        key_id, key_secret = texts
        return key_id, key_secret


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """One Spacelift account and who may use it."""

    name: str
    endpoint: str
    """URL of the account without `/graphql`; the connection guard compares it."""
    allowed_namespaces: tuple[str, ...] | None = None
    """None: all."""
    allowed_operations: tuple[str, ...] = settings.DEFAULT_OPERATIONS
    """What StackChains may do through it. Destroy has to be allowed explicitly."""
    credentials: ApiKeySource | None = None
    """None: this process was given no API key, as the operator."""
    webhook_secrets: tuple[settings.Secret, ...] = ()
    """What signs its deliveries; several while a secret is replaced. None: none are accepted."""

    def allows(self, namespace: str) -> bool:
        """Return whether a StackChain of the namespace may use it."""
        return self.allowed_namespaces is None or namespace in self.allowed_namespaces

    def read_credentials(self) -> tuple[str, str]:
        """Return id and secret of the API key.

        Raises:
            settings.SettingsError: this process has no key for the connection, or cannot read it.
        """
        if self.credentials is None:
            raise settings.SettingsError(
                f"connection {self.name}: has no API key in this process; set apiKeyIdFile and "
                "apiKeySecretFile, or SPACELIFT_API_KEY_ID and SPACELIFT_API_KEY_SECRET"
            )
        try:
            return self.credentials.read()
        except settings.SettingsError as error:
            named = (f"connection {self.name}: {problem}" for problem in error.problems)
            raise settings.SettingsError(*named) from error


class ConnectionCatalog:
    """Always holds the last good list of connections; a mounted file that changes is read again."""

    def __init__(self, spacelift: settings.SpaceliftSettings) -> None:
        """Read the connections.

        Raises:
            settings.SettingsError: the file is malformed, or clashes with the variables.
        """
        self._from_environment = _environment_connection(spacelift)
        self._webhook_secret = spacelift.webhook_secret
        file = spacelift.connections_file
        self._file = files.WatchedFile(file, self._read, noun="connections") if file else None
        self._fixed = self._complete({}) if file is None else {}

    def _all(self) -> Mapping[str, Connection]:
        return self._file.get() if self._file is not None else self._fixed

    def get(self, name: str) -> Connection | None:
        """Return the connection of a name."""
        return self._all().get(name)

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return sorted(self._all())

    def credential_problems(self) -> list[str]:
        """Return what is wrong with the API keys, one line each; reads every one of them."""
        problems: list[str] = []
        for _, connection in sorted(self._all().items()):
            try:
                connection.read_credentials()
            except settings.SettingsError as error:
                problems.extend(error.problems)
        return problems

    def _read(self, file: Path) -> Mapping[str, Connection]:
        connections = parse_connections(files.read_yaml(file), str(file))
        own = self._from_environment
        if own is not None and own.name in connections:
            raise settings.SettingsError(
                f"SPACELIFT_API_KEY_ENDPOINT: {file} has a connection {own.name} too; "
                "remove one of both"
            )
        return self._complete(connections)

    def _complete(self, connections: dict[str, Connection]) -> Mapping[str, Connection]:
        """Add what came by variable."""
        own = self._from_environment
        if own is not None:
            connections[own.name] = own
        self._add_webhook_secret(connections)
        return connections

    def _add_webhook_secret(self, connections: dict[str, Connection]) -> None:
        """Give the connection `default` the secret that came by variable."""
        if self._webhook_secret is None:
            return
        default = connections.get(DEFAULT_CONNECTION)
        if default is None:
            raise settings.SettingsError(
                f"SPACELIFT_WEBHOOK_SECRET: there is no connection {DEFAULT_CONNECTION} whose "
                f"secret it could be; give those of others as webhookSecretFiles in the "
                "connections file"
            )
        secrets = (*default.webhook_secrets, self._webhook_secret)
        connections[DEFAULT_CONNECTION] = dataclasses.replace(default, webhook_secrets=secrets)


def _environment_connection(spacelift: settings.SpaceliftSettings) -> Connection | None:
    if spacelift.endpoint is None:
        return None
    credentials = None
    if spacelift.api_key_id is not None and spacelift.api_key_secret is not None:
        credentials = ApiKeySource(key_id=spacelift.api_key_id, key_secret=spacelift.api_key_secret)
    return Connection(
        name=DEFAULT_CONNECTION,
        endpoint=_account_url(spacelift.endpoint),
        allowed_namespaces=spacelift.allowed_namespaces,
        allowed_operations=spacelift.allowed_operations,
        credentials=credentials,
    )


def parse_connections(document: object, source: str) -> dict[str, Connection]:
    """Return the connections of a parsed connections file.

    Raises:
        settings.SettingsError: with every problem of the file.
    """
    entries = document.get("connections") if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        raise settings.SettingsError(f"{source}: has no map `connections`; add one")
    problems: list[str] = []
    connections: dict[str, Connection] = {}
    for name, entry in entries.items():
        parser = _Entry(f"{source}: connection {name}", entry, problems)
        connections[str(name)] = parser.connection(str(name))
    if problems:
        raise settings.SettingsError(*problems)
    return connections


class _Entry:
    """Parses one connection and notes its problems."""

    def __init__(self, where: str, entry: object, problems: list[str]) -> None:
        self._where = where
        self._problems = problems
        self._entry: dict[str, Any] = dict(entry) if isinstance(entry, dict) else {}
        if not isinstance(entry, dict):
            self._problem("must be a map with an endpoint")

    def connection(self, name: str) -> Connection:
        self._parse("name", name, _connection_name)
        endpoint = self._parse("endpoint", self._text("endpoint"), environment.http_url)
        if not endpoint:
            self._problem("has no endpoint; set the URL of the account")
        key_id, key_secret = self._secret("apiKeyIdFile"), self._secret("apiKeySecretFile")
        if (key_id is None) != (key_secret is None):
            self._problem("needs both apiKeyIdFile and apiKeySecretFile, or neither")
        connection = Connection(
            name=name,
            endpoint=_account_url(endpoint or ""),
            allowed_namespaces=self._words("allowedNamespaces", environment.dns_label),
            allowed_operations=self._operations(),
            credentials=ApiKeySource(key_id=key_id, key_secret=key_secret)
            if key_id and key_secret
            else None,
            webhook_secrets=self._secrets("webhookSecretFiles"),
        )
        for key in self._entry:
            self._problem(f"has an unknown field {key}; remove it")
        return connection

    def _problem(self, what: str) -> None:
        self._problems.append(f"{self._where} {what}")

    def _text(self, key: str) -> str | None:
        value = self._entry.pop(key, None)
        if value is not None and not isinstance(value, str):
            self._problem(f"{key} must be a text")
            return None
        return value or None

    def _parse(self, key: str, text: str | None, parse: Callable[[str], str]) -> str | None:
        try:
            return parse(text) if text is not None else None
        except ValueError as error:
            self._problem(f"{key} is not usable: it {error}")
            return None

    def _secret(self, key: str) -> settings.Secret | None:
        text = self._text(key)
        return settings.Secret(file=Path(text)) if text else None

    def _secrets(self, key: str) -> tuple[settings.Secret, ...]:
        value = self._entry.pop(key, None)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            self._problem(f"{key} must be a list of paths")
            return ()
        return tuple(settings.Secret(file=Path(item)) for item in value)

    def _operations(self) -> tuple[str, ...]:
        allowed = self._words("allowedOperations", settings.operation)
        return settings.DEFAULT_OPERATIONS if allowed is None else allowed

    def _words(self, key: str, parse: Callable[[str], str]) -> tuple[str, ...] | None:
        """Return a list of words, None if it is not there. An empty list allows nobody."""
        value = self._entry.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, list):
            self._problem(f"{key} must be a list")
            return None
        words = {self._parse(key, str(item), parse) for item in value}
        return tuple(sorted(word for word in words if word))


def _account_url(endpoint: str) -> str:
    return endpoint.removesuffix("/graphql").rstrip("/")
