"""The simulated account: its records, and the indexes that make looking them up cheap.

Nothing here decides anything. Code that changes a record calls `touch`, so that the state file gets
it.
"""

from collections import defaultdict, deque
from collections.abc import Iterator

from devenv.simulator.model.behavior import Behavior
from devenv.simulator.model.delivery_behavior import DeliveryBehavior
from devenv.simulator.model.entities import ApiKey, AuditEntry, Edge, Space, Stack, WorkerPool
from devenv.simulator.model.run_entities import Outcome, Run
from devenv.simulator.model.states import LISTED_TYPES, RunType
from devenv.simulator.model.webhooks import Delivery, Policy, Webhook

AUDIT_ENTRIES_KEPT = 1000
ROOT_SPACE = "root"


class Account:
    """The records of one account; `runs` outlive their stacks, so that a test can look at them."""

    def __init__(self, name: str = "acme") -> None:
        """Start with nothing but the root space."""
        self.name = name
        self.speed = 1.0
        self.behavior = Behavior()
        self.durations: dict[str, float] = {}
        self.outcome = Outcome()
        self.public_parallelism = 10_000
        self.public_busy: set[str] = set()
        self.spaces: dict[str, Space] = {ROOT_SPACE: Space(id=ROOT_SPACE, name=ROOT_SPACE)}
        self.keys: dict[str, ApiKey] = {}
        self.pools: dict[str, WorkerPool] = {}
        self.stacks: dict[str, Stack] = {}
        self.runs: dict[str, Run] = {}
        self.edges: dict[str, Edge] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.policies: dict[str, Policy] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.delivery_behavior = DeliveryBehavior()
        self.audit: deque[AuditEntry] = deque(maxlen=AUDIT_ENTRIES_KEPT)
        self.signing_key = ""
        self.token_epoch = 0
        self._runs_of: dict[str, list[str]] = defaultdict(list)
        self._edges_up: dict[str, dict[str, Edge]] = defaultdict(dict)
        self._edges_down: dict[str, dict[str, Edge]] = defaultdict(dict)
        self._changed: set[tuple[str, str]] = set()

    # -- changes -----------------------------------------------------------------------------

    def touch(self, kind: str, key: str = "") -> None:
        """Remember that a record has changed."""
        self._changed.add((kind, key))

    def take_changes(self) -> list[tuple[str, str]]:
        """Return what has changed since the last call."""
        changes = sorted(self._changed)
        self._changed.clear()
        return changes

    def add_stack(self, stack: Stack) -> None:
        """Add a stack, or put another record in its place."""
        self.stacks[stack.id] = stack
        self.touch("stack", stack.id)

    def remove_stack(self, stack_id: str) -> None:
        """Forget a stack, its edges and its webhooks; its runs stay."""
        for webhook in self.webhooks_of(stack_id):
            self.remove_webhook(webhook.id)
        for edge in [*self.upstream_edges(stack_id), *self.dependent_edges(stack_id)]:
            self.remove_edge(edge.id)
        del self.stacks[stack_id]
        self.touch("stack", stack_id)

    def remove_webhook(self, webhook_id: str) -> None:
        """Forget a webhook."""
        del self.webhooks[webhook_id]
        self.touch("webhook", webhook_id)

    def remove_policy(self, policy_id: str) -> None:
        """Forget a policy."""
        del self.policies[policy_id]
        self.touch("policy", policy_id)

    def add_run(self, run: Run) -> None:
        """Add a run; runs are added in the order of their ids."""
        self.runs[run.id] = run
        self._runs_of[run.stack_id].append(run.id)
        self.touch("run", run.id)

    def add_edge(self, edge: Edge) -> None:
        """Add an edge between two stacks that exist."""
        self.edges[edge.id] = edge
        self._edges_up[edge.stack_id][edge.depends_on_stack_id] = edge
        self._edges_down[edge.depends_on_stack_id][edge.stack_id] = edge
        self.touch("edge", edge.id)

    def remove_edge(self, edge_id: str) -> None:
        """Forget an edge."""
        edge = self.edges.pop(edge_id)
        del self._edges_up[edge.stack_id][edge.depends_on_stack_id]
        del self._edges_down[edge.depends_on_stack_id][edge.stack_id]
        self.touch("edge", edge_id)

    def rename_stack(self, stack: Stack, new_id: str) -> None:
        """Give a stack another id; its runs and edges follow it."""
        old_id = stack.id
        edges = [*self.upstream_edges(old_id), *self.dependent_edges(old_id)]
        for edge in edges:
            self.remove_edge(edge.id)
        for run in self.runs_of(old_id):
            run.stack_id = new_id
            self.touch("run", run.id)
        for webhook in self.webhooks_of(old_id):
            webhook.stack_id = new_id
            self.touch("webhook", webhook.id)
        self._runs_of[new_id] = self._runs_of.pop(old_id, [])
        del self.stacks[old_id]
        self.touch("stack", old_id)
        stack.id = new_id
        self.add_stack(stack)
        for edge in edges:
            edge.stack_id = new_id if edge.stack_id == old_id else edge.stack_id
            if edge.depends_on_stack_id == old_id:
                edge.depends_on_stack_id = new_id
            self.add_edge(edge)

    # -- reading -----------------------------------------------------------------------------

    def runs_of(self, stack_id: str) -> list[Run]:
        """Return all runs of a stack, oldest first."""
        return [self.runs[run_id] for run_id in self._runs_of.get(stack_id, ())]

    def newest_runs_of(self, stack_id: str) -> Iterator[Run]:
        """Go through the runs of a stack, newest first."""
        for run_id in reversed(self._runs_of.get(stack_id, [])):
            yield self.runs[run_id]

    def webhooks_of(self, stack_id: str) -> list[Webhook]:
        """Return the webhooks that hang on a stack."""
        return [webhook for webhook in self.webhooks.values() if webhook.stack_id == stack_id]

    def latest_tracked_run(self, stack_id: str) -> Run | None:
        """Return the stack's newest tracked or destroy run."""
        runs = (run for run in self.newest_runs_of(stack_id) if run.type in LISTED_TYPES)
        return next(runs, None)

    def latest_run_of_type(self, stack_id: str, run_type: RunType) -> Run | None:
        """Return the stack's newest run of one type."""
        return next((run for run in self.newest_runs_of(stack_id) if run.type is run_type), None)

    def upstream_edges(self, stack_id: str) -> list[Edge]:
        """Return the edges to what a stack depends on."""
        return list(self._edges_up.get(stack_id, {}).values())

    def dependent_edges(self, stack_id: str) -> list[Edge]:
        """Return the edges to what depends on a stack."""
        return list(self._edges_down.get(stack_id, {}).values())

    def edge_between(self, stack_id: str, upstream_id: str) -> Edge | None:
        """Return the edge from a stack to one that it depends on."""
        return self._edges_up.get(stack_id, {}).get(upstream_id)

    def is_reachable(self, start: str, goal: str) -> bool:
        """Return whether `goal` is `start` or one of its transitive dependents."""
        seen, todo = {start}, [start]
        while todo:
            for edge in self.dependent_edges(todo.pop()):
                if edge.stack_id not in seen:
                    seen.add(edge.stack_id)
                    todo.append(edge.stack_id)
        return goal in seen

    def is_visible(self, key: ApiKey, space_id: str) -> bool:
        """Return whether a key sees a space: its own ones, and those below them."""
        if key.spaces is None:
            return True
        space: str | None = space_id
        while space is not None:
            if space in key.spaces:
                return True
            space = self.spaces[space].parent_space if space in self.spaces else None
        return False
