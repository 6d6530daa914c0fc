"""The records that a simulated account consists of; those of runs are in `run_entities`.

Plain data that can be written as JSON and read back (`snapshot`); every rule is elsewhere. Unlike
most values of this project they change in place: they are the database of a server, not messages.
Instants are Unix seconds with fractions. GraphQL shows them as whole seconds, the admin API in
full.
"""

from dataclasses import dataclass, field

from devenv.simulator.model.run_entities import Commit, Outcome
from devenv.simulator.model.states import STACK_NONE


@dataclass(slots=True, kw_only=True)
class Output:
    """A published output; `version` counts its changes."""

    id: str
    value: str | None
    version: int = 1
    sensitive: bool = False
    description: str | None = None


@dataclass(slots=True, kw_only=True)
class Reference:
    """An output handed to a dependent as an input.

    `seen_version` is the version of the output that the dependent last ran with; None before its
    first run with this reference, which is why adding a reference triggers once.
    """

    id: str
    output_name: str
    input_name: str
    type: str = "ENVIRONMENT_VARIABLE"
    trigger_always: bool = False
    seen_version: int | None = None


@dataclass(slots=True, kw_only=True)
class Edge:
    """A stack dependency: `stack_id` depends on `depends_on_stack_id`."""

    id: str
    stack_id: str
    depends_on_stack_id: str
    trigger_always: bool = False
    references: list[Reference] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ConfigElement:
    """An environment variable or mounted file of a stack."""

    id: str
    value: str | None
    checksum: str
    created_at: float
    type: str = "ENVIRONMENT_VARIABLE"
    write_only: bool = False
    runtime: bool = False


@dataclass(slots=True, kw_only=True)
class Space:
    """A space; permissions on it hold in the spaces below it."""

    id: str
    name: str
    description: str = ""
    parent_space: str | None = None
    inherit_entities: bool = True
    labels: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Worker:
    """One worker of a private pool."""

    id: str
    created_at: float
    drained: bool = False
    run_id: str | None = None
    metadata: str = "{}"


@dataclass(slots=True, kw_only=True)
class WorkerPool:
    """A private worker pool."""

    id: str
    name: str
    created_at: float
    updated_at: float
    description: str = ""
    space: str = "root"
    labels: list[str] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ApiKey:
    """An API key: who a client is, and what it may see and do."""

    id: str
    secret: str
    name: str
    role: str = "admin"
    spaces: list[str] | None = None

    @property
    def login(self) -> str:
        """How Spacelift names the key where it names a user."""
        return f"api::{self.id}"


@dataclass(slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit trail."""

    id: str
    action: str
    username: str
    resource_id: str | None
    resource_type: str
    at: float
    run_id: str | None = None
    stack_id: str | None = None
    body: str | None = None


@dataclass(slots=True, kw_only=True)
class Stack:
    """A stack, and what its runs left behind."""

    id: str
    name: str
    created_at: float
    tracked_commit: Commit
    space: str = "root"
    description: str | None = None
    labels: list[str] = field(default_factory=list)
    repository: str = "infra"
    branch: str = "main"
    namespace: str = "acme"
    provider: str = "GITHUB"
    project_root: str | None = None
    vendor: str = "Terraform"
    administrative: bool = False
    autodeploy: bool = False
    autoretry: bool = False
    is_disabled: bool = False
    local_preview_enabled: bool = False
    protect_from_deletion: bool = False
    allow_promotion: bool = False
    requires_approval: bool = False
    drift_reconcile: bool = False
    worker_pool_id: str | None = None
    state: str = STACK_NONE
    state_set_at: float | None = None
    state_set_by: str | None = None
    last_apply_at: float | None = None
    locked_by: str | None = None
    locked_at: float | None = None
    lock_note: str | None = None
    commits: list[Commit] = field(default_factory=list)
    branch_head: Commit | None = None
    tracked_commit_set_by: str | None = None
    outputs: dict[str, Output] = field(default_factory=dict)
    outputs_usable: bool = True
    config: list[ConfigElement] = field(default_factory=list)
    durations: dict[str, float] = field(default_factory=dict)
    script: list[Outcome] = field(default_factory=list)
    # The run that holds the stack; it does so a moment longer than it lasts, as in production.
    active_run_id: str | None = None
    active_until: float | None = None
    deleting: bool = False
    delete_due: float | None = None
