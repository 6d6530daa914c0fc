"""What a resolver knows about the request it serves: who asks, and for what account.

The rules on what a caller may see and change are here, so that each resolver names its rule in one
word. A bad token and a missing permission give the same text, `unauthorized` (API facts, 1.6).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from devenv.simulator.model.account import Account
from devenv.simulator.model.engine import Engine
from devenv.simulator.model.entities import ApiKey, AuditEntry, Edge, Stack
from devenv.simulator.model.errors import Refusal, unauthorized
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.stack_actions import User
from devenv.simulator.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One GraphQL request."""

    engine: Engine
    tokens: Tokens
    key: ApiKey | None
    base_url: str
    metadata: str | None = None
    # Endpoints that this request has to be able to reach, with what went wrong there.
    probes: Mapping[str, str | None] = field(default_factory=dict)
    # Hears of each mutation that took effect, with its arguments.
    audited: Callable[[AuditEntry, dict[str, Any]], None] = lambda _entry, _arguments: None

    @property
    def account(self) -> Account:
        """The account that is asked about."""
        return self.engine.account

    def require_key(self) -> ApiKey:
        """Return who asks; anonymous callers are refused."""
        if self.key is None:
            raise unauthorized()
        return self.key

    def require_writer(self) -> User:
        """Return who acts; anonymous callers and readers are refused."""
        key = self.require_key()
        if key.role != "admin":
            raise unauthorized()
        return User(login=key.login)

    def require_account_admin(self) -> User:
        """Return who acts on what belongs to no space; refuse admins of some spaces only."""
        user = self.require_writer()
        if self.require_key().spaces is not None:
            raise unauthorized()
        return user

    def require_space(self, space_id: str) -> None:
        """Let a caller put something into a space."""
        self.require_writer()
        if space_id not in self.account.spaces:
            raise Refusal(f"space {space_id} not found")
        if not self.sees_space(space_id):
            raise unauthorized()

    def sees_space(self, space_id: str) -> bool:
        """Return whether the caller sees a space and what is in it."""
        return self.key is not None and self.account.is_visible(self.key, space_id)

    def sees(self, stack: Stack) -> bool:
        """Return whether the caller sees a stack."""
        return self.sees_space(stack.space)

    def visible_stack(self, stack_id: str) -> Stack | None:
        """Return a stack for reading; None if it is missing or invisible, which look the same."""
        stack = self.account.stacks.get(stack_id)
        return stack if stack is not None and self.sees(stack) else None

    def visible_stacks(self) -> list[Stack]:
        """Return all stacks that the caller sees; none without a token, and no error either."""
        return [stack for stack in self.account.stacks.values() if self.sees(stack)]

    def stack_to_change(self, stack_id: str) -> Stack:
        """Return a stack for a mutation."""
        self.require_writer()
        stack = self.account.stacks.get(stack_id)
        if stack is None:
            raise Refusal(f"stack {stack_id} not found")
        if not self.sees(stack):
            raise unauthorized()
        return stack

    def run_to_change(self, stack_id: str, run_id: str) -> Run:
        """Return a run for a mutation."""
        self.stack_to_change(stack_id)
        run = self.account.runs.get(run_id)
        if run is None or run.stack_id != stack_id:
            raise Refusal(f"run {run_id} not found")
        return run

    def edge_to_change(self, edge_id: str) -> Edge:
        """Return an edge for a mutation."""
        self.require_writer()
        edge = self.account.edges.get(edge_id)
        if edge is None:
            raise Refusal(f"stack dependency {edge_id} not found")
        self.stack_to_change(edge.stack_id)
        return edge

    def is_listed(self, run: Run) -> bool:
        """Return whether lists show a run already (read after write)."""
        return self.engine.now - run.created_at >= self.account.behavior.runs_lag
