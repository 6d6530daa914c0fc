"""Settings of the roles, read once at the start of each of them.

Everything else receives the group that it needs, so that a test or `make dev` builds the same
values without touching the environment. The docstring under each field is also its line in the
documentation (`describe_settings`).
"""

import dataclasses
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_type_hints

from controller.config import environment, mounted_keys, parsing, permissions, shell_settings
from controller.config.environment import Secret as Secret
from controller.config.environment import SettingRow as SettingRow
from controller.config.environment import SettingsError as SettingsError
from controller.config.environment import env
from controller.config.shell_settings import KubernetesSettings as KubernetesSettings

DEFAULT_TASK_QUEUE = "spacelift-task-queue"

operation = parsing.one_of(*permissions.OPERATIONS)

DEFAULT_LABEL_PREFIXES = ("dependsOn:",)
"""Prefixes of the labels that name an upstream stack."""

dependency_label_prefix = parsing.matching(
    r"[A-Za-z][-A-Za-z0-9_.]{0,61}[:=/]",
    "a word of letters, digits, dashes, dots and underscores that ends with `:`, `=` or `/`",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallationSettings:
    """Who this release is; workflows, schedules and the operator queue carry it."""

    installation_id: str | None = field(
        default=None,
        metadata=env(
            "STACKCHAIN_INSTALLATION",
            parsing.matching(r"[a-z0-9-]{1,63}", "1 to 63 lower case letters, digits and dashes"),
            default="from the cluster and the release's namespace",
        ),
    )
    """Unique name of this release among all that share a Temporal namespace.

    Do not change it while chains run.
    """
    namespace: str = field(
        default="default",
        metadata=env("STACKCHAIN_NAMESPACE", default="the pod's namespace, else `default`"),
    )
    """Kubernetes namespace of the release, where the operator's Lease is."""
    pod_name: str = field(
        default="stackchain", metadata=env("STACKCHAIN_POD_NAME", default="the host name")
    )
    """Identity of this process, as shown in the Lease and in Events."""
    watch_namespaces: tuple[str, ...] = field(
        default=(),
        metadata=env(
            "STACKCHAIN_WATCH_NAMESPACES",
            parsing.comma_list(parsing.dns_label),
            default="all namespaces",
        ),
    )
    """Namespaces whose StackChains this release serves, separated by commas."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OperatorSettings:
    """How the operator notices what it was not notified of."""

    resync_seconds: float = field(
        default=30.0, metadata=env("STACKCHAIN_RESYNC_SECONDS", parsing.seconds)
    )
    """Seconds between two comparisons of all resources with their workflows.

    The status shows within two of them that someone terminated a workflow in Temporal.
    """
    recheck_seconds: float = field(
        default=60.0, metadata=env("STACKCHAIN_RECHECK_SECONDS", parsing.seconds)
    )
    """Seconds until a chain that failed because of its graph or credentials is rechecked."""
    sweep_seconds: int = field(
        default=300, metadata=env("STACKCHAIN_SWEEP_SECONDS", parsing.whole(10))
    )
    """Seconds between two checks of the roots of chains with triggers.

    Webhooks cause additional checks.
    """
    metrics_chains: int = field(
        default=1000, metadata=env("STACKCHAIN_METRICS_CHAINS", parsing.whole(0))
    )
    """How many StackChains have their own metric series; those in trouble come first. 0: none."""
    lease_duration_seconds: int = field(
        default=30, metadata=env("STACKCHAIN_LEASE_DURATION_SECONDS", parsing.whole(3))
    )
    """Seconds after which a standby takes over from an operator that died.

    An operator that is stopped hands over at once, and chains continue without an operator. So this
    can be long enough to tolerate short outages: the operator renews the Lease every 2/15 of this
    time, and gives up after two thirds of it (20 seconds) if the API server does not answer.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporalSettings:
    """How Temporal is reached; the names are those of Temporal's own tools."""

    address: str = field(
        default="temporal:7233",
        metadata=env(
            "TEMPORAL_ADDRESS",
            also={
                "TEMPORAL_URL": "The address with a scheme; `https://` and `grpcs://` enable TLS. "
                "`TEMPORAL_ADDRESS` takes precedence."
            },
        ),
    )
    """Host and port of the Temporal frontend."""
    namespace: str = field(default="default", metadata=env("TEMPORAL_NAMESPACE", parsing.plain))
    """Temporal namespace. It must exist."""
    task_queue: str = field(
        default=DEFAULT_TASK_QUEUE,
        metadata=env(
            "TEMPORAL_TASK_QUEUE",
            parsing.plain,
            default=f"`{DEFAULT_TASK_QUEUE}-` and `STACKCHAIN_INSTALLATION`, or the namespace",
        ),
    )
    """Task queue of workflows and Spacelift activities.

    The queue for following runs is this name with `-follow`, that for notifications with `-notify`.
    Two installations with different Spacelift accounts must not share a queue.
    """
    signing_keys: Secret | None = field(
        default=None, metadata=env("STACKCHAIN_SIGNING_KEYS", default="nothing is signed")
    )
    """Keys that the operator signs its work with; workers check the signatures.

    Separated by spaces or line breaks, 32 characters or more each. The first one signs, all are
    accepted. A file is read again when it changes. The operator and the workers need the same keys.
    """
    payload_keys: Secret | None = field(
        default=None, metadata=env("TEMPORAL_PAYLOAD_KEYS", default="in plain text")
    )
    """Keys that encrypt everything that is kept in Temporal, in the same form.

    All roles need them. Keep old keys as long as there are histories that need them.
    """
    ui_url: str = field(default="", metadata=env("TEMPORAL_UI_URL", parsing.http_url))
    """Base URL of Temporal's web UI, for the links in a chain's status. Empty: no links."""
    api_key: Secret | None = field(default=None, metadata=env("TEMPORAL_API_KEY"))
    """API key of Temporal Cloud; implies TLS. A file is read again after a rotation."""
    tls: bool = field(
        default=False,
        metadata=env(
            "TEMPORAL_TLS", default="`true` with an API key, a TLS setting or an https URL"
        ),
    )
    """Whether the connection uses TLS."""
    tls_server_name: str | None = field(
        default=None, metadata=env("TEMPORAL_TLS_SERVER_NAME", parsing.plain)
    )
    """Name in the server's certificate, if it is not the host of the address."""
    tls_server_ca_cert_path: Path | None = field(
        default=None,
        metadata=env("TEMPORAL_TLS_SERVER_CA_CERT_PATH", parsing.authorities_file),
    )
    """File with the authority that signed the server's certificate, in PEM."""
    tls_server_ca_cert_data: str | None = field(
        default=None, metadata=env("TEMPORAL_TLS_SERVER_CA_CERT_DATA", parsing.plain)
    )
    """The same, as a string."""
    tls_client_cert_path: Path | None = field(
        default=None, metadata=env("TEMPORAL_TLS_CLIENT_CERT_PATH", parsing.existing_file)
    )
    """File with the client certificate for mutual TLS, in PEM."""
    tls_client_cert_data: str | None = field(
        default=None, metadata=env("TEMPORAL_TLS_CLIENT_CERT_DATA", parsing.plain)
    )
    """The same, as a string."""
    tls_client_key_path: Path | None = field(
        default=None, metadata=env("TEMPORAL_TLS_CLIENT_KEY_PATH", parsing.existing_file)
    )
    """File with the client certificate's private key, in PEM."""
    tls_client_key_data: Secret | None = field(
        default=None, metadata=env("TEMPORAL_TLS_CLIENT_KEY_DATA")
    )
    """The same, as a string."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpaceliftSettings:
    """Which Spacelift accounts there are, and how often and how long to ask them."""

    connections_file: Path | None = field(
        default=None, metadata=env("SPACELIFT_CONNECTIONS_FILE", parsing.existing_file)
    )
    """YAML file that lists the connections; read again when it changes."""
    endpoint: str | None = field(
        default=None, metadata=env("SPACELIFT_API_KEY_ENDPOINT", parsing.http_url)
    )
    """URL of the Spacelift account of the connection `default`, if there is no connections file."""
    api_key_id: Secret | None = field(default=None, metadata=env("SPACELIFT_API_KEY_ID"))
    """Id of the account's API key. The worker needs it, the operator does not."""
    api_key_secret: Secret | None = field(default=None, metadata=env("SPACELIFT_API_KEY_SECRET"))
    """Secret of the account's API key."""
    api_key_name: str = field(default="", metadata=env("SPACELIFT_API_KEY_NAME", parsing.plain))
    """Name of the API key in Spacelift.

    Spacelift may show a run's key as the start of its id and this name.
    """
    webhook_secret: Secret | None = field(default=None, metadata=env("SPACELIFT_WEBHOOK_SECRET"))
    """Secret that signs the webhook deliveries of the connection `default`."""
    allowed_namespaces: tuple[str, ...] | None = field(
        default=None,
        metadata=env(
            "SPACELIFT_ALLOWED_NAMESPACES",
            parsing.comma_list(parsing.all_or(parsing.dns_label)),
            default="required with SPACELIFT_API_KEY_ENDPOINT",
        ),
    )
    """Namespaces whose StackChains may use the connection `default`.

    Separated by commas; `*` means all of them.
    """
    allowed_operations: tuple[str, ...] = field(
        default=permissions.DEFAULT_OPERATIONS,
        metadata=env(
            "SPACELIFT_ALLOWED_OPERATIONS",
            parsing.comma_list(operation),
            default="`Apply,Plan`",
        ),
    )
    """What StackChains may do with that connection.

    `Apply`, `Plan` and `Destroy`, separated by commas.
    """
    dependency_label_prefixes: tuple[str, ...] = field(
        default=DEFAULT_LABEL_PREFIXES,
        metadata=env(
            "SPACELIFT_DEPENDENCY_LABEL_PREFIXES",
            parsing.comma_list(dependency_label_prefix),
            default="`dependsOn:`",
        ),
    )
    """Prefixes of the stack labels that name an upstream stack, separated by commas."""
    allow_http: bool = field(default=False, metadata=env("SPACELIFT_ALLOW_HTTP", parsing.boolean))
    """Whether to allow http to accounts on other machines, which sends keys in plain text."""
    poll_seconds: float = field(
        default=10.0, metadata=env("SPACELIFT_POLL_SECONDS", parsing.seconds)
    )
    """Seconds between two checks of all followed runs; a fifth of that for a new run."""
    adopt_settle_seconds: float = field(
        default=5.0, metadata=env("SPACELIFT_ADOPT_SETTLE_SECONDS", parsing.seconds)
    )
    """Seconds to wait for a run that Spacelift should queue on its own, before triggering one."""
    trigger_grace_seconds: float = field(
        default=60.0, metadata=env("SPACELIFT_TRIGGER_GRACE_SECONDS", parsing.seconds)
    )
    """Seconds to look for a run before triggering again, if the answer to a trigger was lost."""
    request_timeout_seconds: float = field(
        default=30.0, metadata=env("SPACELIFT_REQUEST_TIMEOUT_SECONDS", parsing.seconds)
    )
    """Timeout of a request to Spacelift, in seconds."""
    ca_file: Path | None = field(
        default=None,
        metadata=env(
            "SPACELIFT_API_TLS_CA", parsing.authorities_file, default="the system's authorities"
        ),
    )
    """PEM file with the only certificate authorities to trust, for a self-hosted Spacelift."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerSettings:
    """How much one worker process does at a time."""

    max_concurrent_activities: int = field(
        default=100, metadata=env("WORKER_MAX_CONCURRENT_ACTIVITIES", parsing.whole(1))
    )
    """Spacelift activities at a time, not counting the runs that are followed."""
    max_concurrent_follows: int = field(
        default=2000, metadata=env("WORKER_MAX_CONCURRENT_FOLLOWS", parsing.whole(1))
    )
    """Runs followed at a time. Following a run costs memory, but no separate request."""
    max_concurrent_workflow_tasks: int = field(
        default=100, metadata=env("WORKER_MAX_CONCURRENT_WORKFLOW_TASKS", parsing.whole(2))
    )
    """Workflow tasks at a time."""
    max_cached_workflows: int = field(
        default=1000, metadata=env("WORKER_MAX_CACHED_WORKFLOWS", parsing.whole(1))
    )
    """Workflows kept in memory, about 150 kB each; others are replayed when they continue."""
    graceful_shutdown_seconds: float = field(
        default=30.0, metadata=env("WORKER_GRACEFUL_SHUTDOWN_SECONDS", parsing.seconds)
    )
    """Seconds that running activities get to finish after SIGTERM.

    Keep it 15 seconds below the pod's grace period.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class NotificationSettings:
    """Where a release sends notifications of transitions."""

    file: Path | None = field(
        default=None, metadata=env("NOTIFICATIONS_FILE", parsing.existing_file)
    )
    """YAML file that lists the sinks, for operator and worker; read again when it changes."""
    max_concurrent: int = field(
        default=100, metadata=env("NOTIFICATIONS_MAX_CONCURRENT", parsing.whole(1))
    )
    """How many notifications one worker sends at a time, separate from the work of chains."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookSettings:
    """How the receiver of Spacelift's webhook deliveries listens, and how much it accepts."""

    address: str = field(default="0.0.0.0:8090", metadata=env("WEBHOOK_ADDRESS", parsing.host_port))
    """Host and port that deliveries are sent to, at /webhooks/spacelift/<connection>."""
    max_body_bytes: int = field(
        default=1_048_576, metadata=env("WEBHOOK_MAX_BODY_BYTES", parsing.whole(1))
    )
    """Largest body of a delivery, in bytes; a run event has a few kilobytes."""
    queue_size: int = field(default=10_000, metadata=env("WEBHOOK_QUEUE_SIZE", parsing.whole(1)))
    """How many stacks may wait for their wake-up, for example while Temporal is down.

    Deliveries beyond that are answered, and polling finds the changes.
    """
    drain_seconds: float = field(
        default=5.0, metadata=env("WEBHOOK_DRAIN_SECONDS", parsing.seconds)
    )
    """Seconds after SIGTERM during which deliveries are still accepted.

    Load balancers notice late that a pod stops.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class PageAddressSettings:
    """Where browsers find the page of a cluster."""

    url: str = field(default="", metadata=env("UI_URL", parsing.http_url))
    """URL of the page as browsers see it, such as `https://stackchain.example.com`.

    `stackchain ui` needs it, and refuses requests for other hosts or from other sites. If it is
    set, the operator's notifications link to the chain and the stack on the page.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class UiSettings:
    """How the page is served in a cluster, where each viewer has their own token."""

    address: str = field(default="0.0.0.0:8090", metadata=env("UI_ADDRESS", parsing.host_port))
    """Host and port that the proxy in front of the page sends requests to."""
    namespaces: tuple[str, ...] = field(
        default=(),
        metadata=env(
            "UI_NAMESPACES", parsing.comma_list(parsing.dns_label), default="all namespaces"
        ),
    )
    """Namespaces that the page shows, separated by commas.

    Viewers see only those whose StackChains they may list. If this is empty, viewers who may not
    list StackChains in all namespaces need the right to list namespaces.
    """
    anonymous: bool = field(default=False, metadata=env("UI_ANONYMOUS", parsing.boolean))
    """Show viewers without a token what the service account may see, for a screen on a wall.

    Anyone who reaches the page sees it. No one can change anything without a token.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservabilitySettings:
    """What a process reports about itself."""

    log_level: str = field(
        default="info",
        metadata=env("LOG_LEVEL", parsing.one_of("debug", "info", "warning", "error")),
    )
    """Lowest severity that is logged: debug, info, warning or error."""
    log_format: str = field(
        default="json", metadata=env("LOG_FORMAT", parsing.one_of("json", "console"))
    )
    """`json`: one object per line; `console`: for reading in a terminal."""
    health_address: str = field(
        default="0.0.0.0:8080", metadata=env("HEALTH_ADDRESS", parsing.host_port)
    )
    """Host and port of /healthz, /readyz and /metrics."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UiRoleSettings:
    """What `stackchain ui` reads: neither Spacelift nor Temporal."""

    page: PageAddressSettings
    ui: UiSettings
    kubernetes: KubernetesSettings
    observability: ObservabilitySettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All settings of one process."""

    installation: InstallationSettings = field(default_factory=InstallationSettings)
    operator: OperatorSettings = field(default_factory=OperatorSettings)
    kubernetes: KubernetesSettings = field(default_factory=KubernetesSettings)
    temporal: TemporalSettings = field(default_factory=TemporalSettings)
    spacelift: SpaceliftSettings = field(default_factory=SpaceliftSettings)
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    webhook: WebhookSettings = field(default_factory=WebhookSettings)
    page: PageAddressSettings = field(default_factory=PageAddressSettings)
    ui: UiSettings = field(default_factory=UiSettings)
    observability: ObservabilitySettings = field(default_factory=ObservabilitySettings)


def load_settings(
    environ: Mapping[str, str] | None = None,
    *,
    service_account_namespace: Path = shell_settings.SERVICE_ACCOUNT_NAMESPACE,
) -> Settings:
    """Read all settings from the environment.

    Args:
        environ: the variables; None: those of this process.
        service_account_namespace: where a pod finds its namespace.

    Raises:
        SettingsError: with every problem that was found, not the first one.
    """
    reader = shell_settings.reader_of(environ)
    installation = _load_installation(reader, service_account_namespace)
    settings = Settings(
        installation=installation,
        operator=reader.group(OperatorSettings),
        kubernetes=shell_settings.load_kubernetes(reader),
        temporal=_load_temporal(reader, installation),
        spacelift=_load_spacelift(reader),
        worker=reader.group(WorkerSettings),
        notifications=reader.group(NotificationSettings),
        webhook=reader.group(WebhookSettings),
        page=reader.group(PageAddressSettings),
        ui=reader.group(UiSettings),
        observability=reader.group(ObservabilitySettings),
    )
    if reader.problems:
        raise SettingsError(*reader.problems)
    return settings


def load_ui_settings(environ: Mapping[str, str] | None = None) -> UiRoleSettings:
    """Read what `stackchain ui` needs.

    Raises:
        SettingsError: with every problem that was found.
    """
    reader = shell_settings.reader_of(environ)
    found = UiRoleSettings(
        page=reader.group(PageAddressSettings),
        ui=reader.group(UiSettings),
        kubernetes=shell_settings.load_kubernetes(reader),
        observability=reader.group(ObservabilitySettings),
    )
    if not found.page.url and not reader.problems:
        reader.problem("UI_URL", "is missing; set the address of the page as browsers see it")
    if reader.problems:
        raise SettingsError(*reader.problems)
    return found


# What each command reads; all of them say who they are and how they are watched.
_GROUPS_OF_ROLES: Mapping[str, tuple[type, ...]] = {
    "operator": (
        InstallationSettings,
        OperatorSettings,
        KubernetesSettings,
        TemporalSettings,
        SpaceliftSettings,
        NotificationSettings,
        PageAddressSettings,
        ObservabilitySettings,
    ),
    "worker": (
        InstallationSettings,
        TemporalSettings,
        SpaceliftSettings,
        WorkerSettings,
        NotificationSettings,
        ObservabilitySettings,
    ),
    "webhook": (TemporalSettings, SpaceliftSettings, WebhookSettings, ObservabilitySettings),
    "ui": (PageAddressSettings, UiSettings, KubernetesSettings, ObservabilitySettings),
}


def describe_settings(role: str | None = None) -> list[SettingRow]:
    """List every variable with its default and its meaning, in the order of the groups.

    Args:
        role: only those that this command reads; None: all.
    """
    groups = get_type_hints(Settings).values() if role is None else _GROUPS_OF_ROLES[role]
    modules = ((sys.modules[group.__module__], group) for group in groups)
    return [row for module, group in modules for row in environment.describe(module, group)]


def _load_installation(
    reader: environment.Reader, service_account_namespace: Path
) -> InstallationSettings:
    try:
        mounted = service_account_namespace.read_text(encoding="utf-8").strip()
    except OSError:
        mounted = ""  # Not in a pod.
    return reader.group(
        InstallationSettings,
        namespace=reader.parsed("STACKCHAIN_NAMESPACE", parsing.dns_label, mounted or "default"),
        pod_name=reader.text("STACKCHAIN_POD_NAME") or socket.gethostname(),
    )


def _load_temporal(
    reader: environment.Reader, installation: InstallationSettings
) -> TemporalSettings:
    address, url_tls = _temporal_address(reader)
    api_key = reader.secret("TEMPORAL_API_KEY")
    temporal = reader.group(
        TemporalSettings,
        address=address,
        task_queue=reader.parsed(
            "TEMPORAL_TASK_QUEUE",
            parsing.plain,
            f"{DEFAULT_TASK_QUEUE}-{installation.installation_id or installation.namespace}",
        ),
        api_key=api_key,
        tls_client_key_data=reader.secret("TEMPORAL_TLS_CLIENT_KEY_DATA"),
        signing_keys=_keys(reader, "STACKCHAIN_SIGNING_KEYS"),
        payload_keys=_keys(reader, "TEMPORAL_PAYLOAD_KEYS"),
    )
    certificates = _check_certificates(reader, temporal)
    wanted = certificates or url_tls or api_key is not None or temporal.tls_server_name is not None
    tls = reader.parsed("TEMPORAL_TLS", parsing.boolean, wanted)
    if not tls and (certificates or temporal.tls_server_name):
        reader.problem("TEMPORAL_TLS", "is false although TLS is set up; remove one of the two")
    return dataclasses.replace(temporal, tls=tls)


def _keys(reader: environment.Reader, name: str) -> Secret | None:
    keys = reader.secret(name)
    if keys is None:
        return None
    try:
        words = keys.reveal().split()
    except SettingsError:
        # Noted already.
        return keys
    if any(len(word) < mounted_keys.SHORTEST_KEY for word in words):
        reader.problem(
            name, f"has a key of less than {mounted_keys.SHORTEST_KEY} characters; make longer ones"
        )
    return keys


def _temporal_address(reader: environment.Reader) -> tuple[str, bool]:
    address = reader.parsed("TEMPORAL_ADDRESS", parsing.host_port, "")
    if address or (url := reader.text("TEMPORAL_URL")) is None:
        return address or "temporal:7233", False
    scheme, separator, rest = url.rpartition("://")
    if separator and scheme not in {"http", "https", "grpc", "grpcs"}:
        reader.problem(
            "TEMPORAL_URL", f"{scheme}:// is not supported; use https://, grpcs:// or http://"
        )
    bare = rest.rstrip("/")
    if ":" not in bare.rpartition("]")[2]:
        bare = f"{bare}:{443 if scheme == 'https' else 7233}"
    try:
        return parsing.host_port(bare), scheme in {"https", "grpcs"}
    except ValueError as error:
        reader.problem("TEMPORAL_URL", f"{url!r} is not usable: it {error}")
        return bare, False


def _check_certificates(reader: environment.Reader, temporal: TemporalSettings) -> bool:
    """Note contradictory certificates; return whether there are any."""
    pairs = {
        "TEMPORAL_TLS_SERVER_CA_CERT": (
            temporal.tls_server_ca_cert_path,
            temporal.tls_server_ca_cert_data,
        ),
        "TEMPORAL_TLS_CLIENT_CERT": (temporal.tls_client_cert_path, temporal.tls_client_cert_data),
        "TEMPORAL_TLS_CLIENT_KEY": (temporal.tls_client_key_path, temporal.tls_client_key_data),
    }
    for name, (path, data) in pairs.items():
        if path and data:
            reader.problem(f"{name}_PATH", f"is set together with {name}_DATA; keep one of the two")
    has_cert, has_key = (any(pairs[f"TEMPORAL_TLS_CLIENT_{part}"]) for part in ("CERT", "KEY"))
    if has_cert and not has_key:
        reader.problem(
            "TEMPORAL_TLS_CLIENT_KEY_PATH", "is missing for the client certificate; set it"
        )
    if has_key and not has_cert:
        reader.problem("TEMPORAL_TLS_CLIENT_CERT_PATH", "is missing for the client key; set it")
    certificate, key = temporal.tls_client_cert_path, temporal.tls_client_key_path
    if certificate and key and not parsing.is_key_pair(certificate, key):
        reader.problem(
            "TEMPORAL_TLS_CLIENT_CERT_PATH",
            f"{certificate} is not the PEM certificate of the key {key}; name the files of a pair, "
            "the key without a password",
        )
    return any(any(pair) for pair in pairs.values())


def _load_spacelift(reader: environment.Reader) -> SpaceliftSettings:
    spacelift = reader.group(
        SpaceliftSettings,
        api_key_id=reader.secret("SPACELIFT_API_KEY_ID"),
        api_key_secret=reader.secret("SPACELIFT_API_KEY_SECRET"),
        webhook_secret=reader.secret("SPACELIFT_WEBHOOK_SECRET"),
    )
    key = {
        "SPACELIFT_API_KEY_ID": spacelift.api_key_id,
        "SPACELIFT_API_KEY_SECRET": spacelift.api_key_secret,
    }
    missing = [name for name, secret in key.items() if secret is None]
    if len(missing) == 1:
        reader.problem(missing[0], "is missing for the API key; set id and secret, or neither")
    has_no_account = spacelift.endpoint is None and spacelift.connections_file is None
    if has_no_account and spacelift.webhook_secret is not None and len(missing) == 2:
        reader.problem("SPACELIFT_API_KEY_ENDPOINT", "is missing; set the URL of the account")
    if spacelift.endpoint is None and len(missing) < 2:
        reader.problem("SPACELIFT_API_KEY_ENDPOINT", "is missing; set the URL of the account")
    return spacelift
