"""The Spacelift accounts that this release was installed with, by name.

Names, endpoints and permissions come from a mounted YAML file (or from variables). API keys and
webhook secrets stay in separate files, which are read when they are used. So a role needs only its
own, and a rotated one is picked up without a restart.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pydantic

from controller.config import connection_names, files, parsing, permissions, settings

LEAST_REQUESTS_PER_MINUTE = 100
"""With fewer requests per minute, single ones would often have to wait for more than a second."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """An API key: its id, which is not secret, and its secret."""

    key_id: str
    secret: str = dataclasses.field(repr=False)
    name: str = ""
    """What the key is called in Spacelift; empty: not known."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ApiKeySource:
    """Where an API key is; each read takes it from its files as they are now."""

    key_id: settings.Secret
    key_secret: settings.Secret
    name: str = ""

    def read(self) -> ApiKey:
        """Return the key.

        Raises:
            settings.SettingsError: files are not there or empty; it names each one.
        """
        texts, problems = [], []
        for part, secret in (("id", self.key_id), ("secret", self.key_secret)):
            try:
                texts.append(secret.reveal())
            except settings.SettingsError as error:
                problems += [f"API key {part}: {problem}" for problem in error.problems]
        if problems:
            raise settings.SettingsError(*problems)
        key_id, secret_text = texts
        return ApiKey(key_id=key_id, secret=secret_text, name=self.name)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """One Spacelift account and who may use it."""

    name: str
    endpoint: str
    """URL of the account without `/graphql`; the connection guard compares it."""
    allowed: permissions.Permissions
    dependency_label_prefixes: tuple[str, ...] = settings.DEFAULT_LABEL_PREFIXES
    """The prefixes of labels that name an upstream stack; none: no label does."""
    requests_per_minute: int | None = None
    """Most requests in any minute that each worker process sends; None: no limit."""
    api_key: ApiKeySource | None = None
    """None: this process was given no API key, as the operator."""
    webhook_secrets: tuple[settings.Secret, ...] = ()
    """What signs its deliveries; several while a secret is replaced. None: none are accepted."""

    def refusal_of(self, use: permissions.ConnectionUse) -> permissions.Refusal | None:
        """Return why a use of it is not allowed; None if it is."""
        return permissions.refusal_of(self.name, self.allowed, use)

    def read_api_key(self) -> ApiKey:
        """Return the API key as it is now.

        Raises:
            settings.SettingsError: this process has no key for the connection, or cannot read it.
        """
        if self.api_key is None:
            raise settings.SettingsError(
                f"connection {self.name}: has no API key in this process; set apiKeyIdFile and "
                "apiKeySecretFile, or SPACELIFT_API_KEY_ID and SPACELIFT_API_KEY_SECRET"
            )
        try:
            return self.api_key.read()
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
        self._allow_http = spacelift.allow_http
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

    def endpoints(self) -> list[str]:
        """Return the accounts, each once, sorted."""
        return sorted({connection.endpoint for connection in self._all().values()})

    def read_api_key(self, name: str) -> ApiKey:
        """Return the API key of a connection as it is now, for one that outlives a change.

        Raises:
            settings.SettingsError: there is no such connection, or it has no key.
        """
        connection = self.get(name)
        if connection is None:
            raise settings.SettingsError(f"connection {name}: is no longer configured")
        return connection.read_api_key()

    def api_key_problems(self) -> list[str]:
        """Return what is wrong with the API keys, one line each; reads every one of them."""
        problems: list[str] = []
        for _, connection in sorted(self._all().items()):
            try:
                connection.read_api_key()
            except settings.SettingsError as error:
                problems.extend(error.problems)
        return problems

    def _read(self, file: Path) -> Mapping[str, Connection]:
        connections = parse_connections(files.read_yaml(file), str(file))
        own = self._from_environment
        if own is not None and own.name in connections:
            raise settings.SettingsError(
                f"SPACELIFT_API_KEY_ENDPOINT: {file} has a connection {own.name} too; "
                "remove one of the two"
            )
        return self._complete(connections)

    def _complete(self, connections: dict[str, Connection]) -> Mapping[str, Connection]:
        """Add what came by variable, and check what concerns them all.

        Raises:
            settings.SettingsError: secrets would go over the network in plain text.
        """
        own = self._from_environment
        if own is not None:
            connections[own.name] = own
        if not self._allow_http:
            problems = [
                f"connection {name}: {found.endpoint} would send the API key in plain text; use "
                "https, or set SPACELIFT_ALLOW_HTTP to true"
                for name, found in sorted(connections.items())
                if not parsing.is_encrypted_or_local(found.endpoint)
            ]
            if problems:
                raise settings.SettingsError(*problems)
        self._add_webhook_secret(connections)
        return connections

    def _add_webhook_secret(self, connections: dict[str, Connection]) -> None:
        """Give the connection `default` the secret that came by variable."""
        if self._webhook_secret is None:
            return
        default = connections.get(connection_names.DEFAULT_CONNECTION)
        if default is None:
            raise settings.SettingsError(
                "SPACELIFT_WEBHOOK_SECRET: there is no connection "
                f"{connection_names.DEFAULT_CONNECTION} whose secret it could be; give those "
                "of others as webhookSecretFiles in the connections file"
            )
        secrets = (*default.webhook_secrets, self._webhook_secret)
        connections[connection_names.DEFAULT_CONNECTION] = dataclasses.replace(
            default, webhook_secrets=secrets
        )


def _environment_connection(spacelift: settings.SpaceliftSettings) -> Connection | None:
    if spacelift.endpoint is None:
        return None
    api_key = None
    if spacelift.api_key_id is not None and spacelift.api_key_secret is not None:
        api_key = ApiKeySource(
            key_id=spacelift.api_key_id,
            key_secret=spacelift.api_key_secret,
            name=spacelift.api_key_name,
        )
    return Connection(
        name=connection_names.DEFAULT_CONNECTION,
        endpoint=_account_url(spacelift.endpoint),
        allowed=permissions.Permissions(
            namespaces=spacelift.allowed_namespaces or (),
            operations=spacelift.allowed_operations,
        ),
        dependency_label_prefixes=spacelift.dependency_label_prefixes,
        api_key=api_key,
    )


def parse_connections(document: object, source: str) -> dict[str, Connection]:
    """Return the connections of a parsed connections file.

    Raises:
        settings.SettingsError: with every problem of the file.
    """
    file = files.validated(_ConnectionsFile, document, source)
    return {name: entry.connection(name) for name, entry in file.connections.items()}


def _requests_per_minute(value: object) -> int:
    # A bool is an int, too.
    if type(value) is not int or value < LEAST_REQUESTS_PER_MINUTE:
        raise ValueError(
            f"must be a whole number of at least {LEAST_REQUESTS_PER_MINUTE}; correct it, or "
            "remove it for no limit"
        )
    return value


class _ConnectionEntry(files.Entry):
    """One connection of the file; its name is the key."""

    endpoint: Annotated[str, files.string(parsing.http_url)]
    api_key_id_file: files.SecretFile | None = None
    api_key_secret_file: files.SecretFile | None = pydantic.Field(
        default=None, validate_default=True
    )
    allowed_namespaces: list[Annotated[str, files.word(parsing.all_or(parsing.dns_label))]]
    """An empty list allows no one."""
    allowed_operations: list[Annotated[str, files.word(settings.operation)]] = pydantic.Field(
        default=list(permissions.DEFAULT_OPERATIONS)
    )
    dependency_label_prefixes: list[
        Annotated[str, files.word(settings.dependency_label_prefix)]
    ] = pydantic.Field(default=list(settings.DEFAULT_LABEL_PREFIXES))
    allowed_confirmation_policies: list[
        Annotated[str, files.word(parsing.one_of(*permissions.CONFIRMATION_POLICIES))]
    ] = pydantic.Field(default=list(permissions.CONFIRMATION_POLICIES))
    allowed_variables: list[str] = pydantic.Field(default=[permissions.ALL])
    allow_commit_sha: bool = pydantic.Field(default=True, alias="allowCommitSHA")
    allowed_stack_ids: list[str] | None = None
    allowed_stack_labels: list[str] | None = None
    """Without it and the ids: all stacks. With either, an empty list allows none by it."""
    webhook_secret_files: list[files.SecretFile] = pydantic.Field(default=[])
    requests_per_minute: Annotated[int, pydantic.PlainValidator(_requests_per_minute)] | None = None

    api_key_name: str = ""

    @pydantic.field_validator("api_key_secret_file", mode="after")
    @classmethod
    def _is_whole_key(
        cls, secret: settings.Secret | None, others: pydantic.ValidationInfo
    ) -> settings.Secret | None:
        if "api_key_id_file" in others.data and (
            (secret is None) != (others.data["api_key_id_file"] is None)
        ):
            raise ValueError("goes together with apiKeyIdFile; set both, or neither")
        return secret

    def connection(self, name: str) -> Connection:
        api_key = None
        if self.api_key_id_file is not None and self.api_key_secret_file is not None:
            api_key = ApiKeySource(
                key_id=self.api_key_id_file,
                key_secret=self.api_key_secret_file,
                name=self.api_key_name,
            )
        return Connection(
            name=name,
            endpoint=_account_url(self.endpoint),
            allowed=permissions.Permissions(
                namespaces=_sorted(self.allowed_namespaces),
                operations=_sorted(self.allowed_operations),
                confirmation_policies=_sorted(self.allowed_confirmation_policies),
                variables=_sorted(self.allowed_variables),
                allows_commit=self.allow_commit_sha,
                stack_ids=_sorted_or_none(self.allowed_stack_ids),
                stack_labels=_sorted_or_none(self.allowed_stack_labels),
            ),
            dependency_label_prefixes=_sorted(self.dependency_label_prefixes),
            requests_per_minute=self.requests_per_minute,
            api_key=api_key,
            webhook_secrets=tuple(self.webhook_secret_files),
        )


class _ConnectionsFile(files.Entry):
    connections: dict[Annotated[str, files.string(parsing.dns_label)], _ConnectionEntry]


def _sorted(words: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


def _sorted_or_none(words: list[str] | None) -> tuple[str, ...] | None:
    return None if words is None else _sorted(words)


def _account_url(endpoint: str) -> str:
    return endpoint.removesuffix("/graphql").rstrip("/")
