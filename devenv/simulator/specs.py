"""The documents that a scenario consists of; the admin API takes the same ones.

Strict, so that a typo does not become a behavior: an unknown key is an error.
"""

from typing import Annotated, Any, Literal

import pydantic

from devenv.simulator.faults import FaultSpec
from devenv.simulator.model.behavior import Behavior, StrictModel
from devenv.simulator.model.delivery_behavior import DeliveryBehavior
from devenv.simulator.model.engine import DEFAULT_DURATIONS
from devenv.simulator.model.states import SCRIPTABLE, RunState, RunType
from devenv.simulator.webhook_specs import PolicySpec, WebhookSpec

PHASES = tuple(DEFAULT_DURATIONS)

_DEFAULT_PHASES = {
    "fail": RunState.PLANNING,
    "hang": RunState.PLANNING,
    "worker-lost": RunState.PREPARING_APPLY,
}


def _durations(value: object) -> object:
    """Let one number stand for a whole run: half of it planning, half applying."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        share = value / 2
        rest = dict.fromkeys(PHASES, 0.0)
        return rest | {"planning": share, "applying": share, "performing": share}
    return value


def _known_phases(value: dict[str, float]) -> dict[str, float]:
    for phase, seconds in value.items():
        if phase not in PHASES:
            raise ValueError(f"no phase {phase!r}; phases are {', '.join(PHASES)}")
        if seconds < 0:
            raise ValueError(f"{phase} must not be negative")
    return value


Durations = Annotated[
    dict[str, float],
    pydantic.BeforeValidator(_durations),
    pydantic.AfterValidator(_known_phases),
]


class DeltaSpec(StrictModel):
    """What a plan counts."""

    add: int = pydantic.Field(default=0, ge=0)
    change: int = pydantic.Field(default=0, ge=0)
    delete: int = pydantic.Field(default=0, ge=0)
    replace: int = pydantic.Field(default=0, ge=0)
    resources: int = pydantic.Field(default=0, ge=0)


class OutcomeSpec(StrictModel):
    """What happens to one run; a plain word, or `fail:applying`, is short for the first two."""

    result: Literal["changes", "no-op", "fail", "hang", "worker-lost"] = "changes"
    phase: RunState | None = None
    delta: DeltaSpec | None = None
    plan_policy: Literal["warn", "deny"] | None = None
    approval: bool = False
    stop_ignored: bool = False
    outputs: dict[str, str] | None = None
    durations: Durations = pydantic.Field(default={})
    note: str | None = None
    types: list[RunType] | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if isinstance(value, str):
            result, _, phase = value.partition(":")
            return {"result": result, "phase": phase or None}
        return value

    @pydantic.field_validator("phase", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @pydantic.model_validator(mode="after")
    def _fitting_phase(self) -> "OutcomeSpec":
        if self.phase is None:
            self.phase = _DEFAULT_PHASES.get(self.result)
        elif self.result not in _DEFAULT_PHASES:
            raise ValueError(f"result {self.result!r} takes no phase")
        if self.phase is not None and self.phase not in SCRIPTABLE:
            phases = ", ".join(sorted(state.lower() for state in SCRIPTABLE))
            raise ValueError(f"nothing can be scripted in {self.phase.lower()}; use {phases}")
        return self


class ReferenceSpec(StrictModel):
    """An output handed to a dependent."""

    output: str
    input: str
    trigger_always: bool = False


class EdgeSpec(StrictModel):
    """One upstream stack; its id alone is short for it."""

    stack: str
    references: list[ReferenceSpec] = pydantic.Field(default=[])
    trigger_always: bool = False

    @pydantic.model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"stack": value} if isinstance(value, str) else value


class OutputSpec(StrictModel):
    """An output that is already published; its value alone is short for it."""

    value: str | None = None
    sensitive: bool = False
    description: str | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"value": value} if isinstance(value, str) else value


class StackSpec(StrictModel):
    """A stack; every field has a default."""

    name: str | None = None
    description: str | None = None
    space: str = "root"
    labels: list[str] = pydantic.Field(default=[])
    repository: str = "infra"
    branch: str = "main"
    namespace: str = "acme"
    provider: str = "GITHUB"
    project_root: str | None = None
    vendor: Literal[
        "Ansible",
        "CloudFormation",
        "Kubernetes",
        "OpenTofu",
        "Pulumi",
        "Terraform",
        "Terragrunt",
    ] = "Terraform"
    administrative: bool = False
    autodeploy: bool = False
    is_disabled: bool = pydantic.Field(default=False, alias="disabled")
    local_preview_enabled: bool = pydantic.Field(default=False, alias="localPreview")
    protect_from_deletion: bool = False
    allow_promotion: bool = False
    requires_approval: bool = False
    drift_reconcile: bool = False
    worker_pool_id: str | None = pydantic.Field(default=None, alias="workerPool")
    state: str = "NONE"
    locked_by: str | None = None
    commits: list[str] = pydantic.Field(default=[])
    outputs: dict[str, OutputSpec] = pydantic.Field(default={})
    durations: Durations = pydantic.Field(default={})
    outcomes: list[OutcomeSpec] = pydantic.Field(default=[])
    depends_on: list[EdgeSpec] = pydantic.Field(default=[])


class KeySpec(StrictModel):
    """An API key; `spaces` null means all."""

    id: str
    secret: str
    name: str | None = None
    role: Literal["admin", "reader"] = "admin"
    spaces: list[str] | None = None


class SpaceSpec(StrictModel):
    """A space."""

    name: str | None = None
    description: str = ""
    parent: str = "root"
    inherit_entities: bool = True
    """Whether policies and webhooks of the spaces above hold in it."""
    labels: list[str] = pydantic.Field(default=[])


class PoolSpec(StrictModel):
    """A private worker pool."""

    name: str | None = None
    workers: int = pydantic.Field(default=1, ge=0)
    space: str = "root"
    labels: list[str] = pydantic.Field(default=[])


class Defaults(StrictModel):
    """What holds for every stack that says nothing else."""

    durations: Durations = pydantic.Field(default={})
    outcome: OutcomeSpec = pydantic.Field(default=OutcomeSpec())
    stack: dict[str, Any] = pydantic.Field(default={})


class Scenario(StrictModel):
    """The whole document."""

    account: str = "acme"
    speed: float = pydantic.Field(default=1.0, gt=0)
    clock: Literal["real", "virtual"] = "real"
    start: float | None = None
    public_parallelism: int = pydantic.Field(default=10_000, ge=0)
    defaults: Defaults = pydantic.Field(default=Defaults())
    behavior: Behavior = pydantic.Field(default=Behavior())
    keys: list[KeySpec] = pydantic.Field(default=[])
    spaces: dict[str, SpaceSpec] = pydantic.Field(default={})
    worker_pools: dict[str, PoolSpec] = pydantic.Field(default={})
    stacks: dict[str, StackSpec] = pydantic.Field(default={})
    edges: list[str] = pydantic.Field(default=[])
    faults: list[FaultSpec] = pydantic.Field(default=[])
    webhooks: list[WebhookSpec] = pydantic.Field(default=[])
    policies: list[PolicySpec] = pydantic.Field(default=[])
    deliveries: DeliveryBehavior = pydantic.Field(default=DeliveryBehavior())

    @pydantic.field_validator("stacks", "worker_pools", "spaces", mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        """Let a list of ids stand for records with nothing but defaults."""
        if isinstance(value, list):
            return {str(name): {} for name in value}
        if isinstance(value, dict):
            return {name: spec if spec is not None else {} for name, spec in value.items()}
        return value
