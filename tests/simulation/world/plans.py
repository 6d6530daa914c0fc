"""A schedule as plain data: an account, chains, and what happens to them at which time.

One seed makes one plan (`making_plans`), a plan can be made smaller (`shrinking`), and is carried
out by `playing`.
"""

import dataclasses
import enum
from typing import Any

Json = dict[str, Any]

HERE = "here"
THERE = "there"
NAMESPACES = {HERE: "team", THERE: "other"}
"""Which namespace each installation watches."""
NAMESPACE = NAMESPACES[HERE]


class Actor(enum.StrEnum):
    """Who does something."""

    PERSON = "person"
    """In Spacelift's web interface."""
    USER = "user"
    """At kubectl."""
    ADMINISTRATOR = "administrator"
    """Of the cluster, or of Temporal."""
    FAULT = "fault"
    """No one: something breaks."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackPlan:
    """A stack of the account.

    `upstreams` are native, `labels` are upstreams that only a label names. The last of the
    `outcomes` is that of all later runs.
    """

    id: str
    upstreams: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    is_autodeployed: bool = True
    stage: str = ""
    """Which stage of chains that have stages it belongs to; empty: none."""
    needs_approval: bool = False
    """Whether a person has to approve each run before it starts."""
    seconds: float = 10.0
    outcomes: tuple[str, ...] = ("changes",)
    delta: Json = dataclasses.field(default_factory=dict)
    """What its plans change where they change anything; empty: one resource is added."""
    is_unchanged: bool = False
    """Whether it uses outputs of its upstreams that never change: native runs of it are skipped."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChainPlan:
    """A StackChain that is created at a time, in the namespace of an installation."""

    name: str
    spec: Json
    at: float = 1.0
    installation: str = HERE

    @property
    def namespace(self) -> str:
        """Where it is created."""
        return NAMESPACES[self.installation]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Someone does something, or something breaks; `target` is a stack, a chain or a process."""

    at: float
    actor: Actor
    action: str
    target: str = ""
    value: Any = None

    def describe(self) -> str:
        """Return what happens in a few words."""
        parts = (self.action, self.target, "" if self.value is None else str(self.value))
        return " ".join(part for part in parts if part)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A whole schedule; `chances` says how often each thing on the way goes wrong until `calm_at`.

    After that nothing goes wrong any more, and people and users let everything continue.
    """

    seed: int
    stacks: tuple[StackPlan, ...]
    chains: tuple[ChainPlan, ...]
    events: tuple[Event, ...] = ()
    chances: dict[str, float] = dataclasses.field(default_factory=dict)
    skews: tuple[float, float] = (0.0, 0.0)
    """By how many seconds the clocks of operators and workers are wrong."""
    slowest: float = 0.5
    """Seconds that the slowest step on the way takes."""
    slow: dict[str, float] = dataclasses.field(default_factory=dict)
    """Which steps take how many times as long as the others."""
    has_receiver: bool = False
    """Whether Spacelift delivers notifications of runs to a receiver."""
    poll_seconds: int = 10
    behavior: Json = dataclasses.field(default_factory=dict)
    """How the account behaves where no source says."""

    @property
    def installations(self) -> tuple[str, ...]:
        """The installations that there are."""
        has_other = any(chain.installation == THERE for chain in self.chains)
        return (HERE, THERE) if has_other else (HERE,)

    @property
    def calm_at(self) -> float:
        """When nothing more goes wrong."""
        times = [chain.at for chain in self.chains] + [event.at for event in self.events]
        return 5.0 + max(times, default=0.0)


def upstreams_of(plan: Plan, stack_id: str) -> set[str]:
    """Return the stacks that are natively above another one at the start."""
    upstreams = {stack.id: stack.upstreams for stack in plan.stacks}
    above, todo = set[str](), [stack_id]
    while todo:
        todo += (found := set(upstreams.get(todo.pop(), ())) - above)
        above |= found
    return above


def stages_of(plan: Plan) -> dict[str, str]:
    """Return the stage of each stack that is in one, but for those that a person labels anew."""
    labeled = relabeled(plan)
    return {
        stack.id: stack.stage for stack in plan.stacks if stack.stage and stack.id not in labeled
    }


def relabeled(plan: Plan) -> set[str]:
    """Return the stacks that a person labels anew, which takes them out of their stages."""
    return {event.target for event in plan.events if event.action == "label"}
