"""The admin API: seeding, scripting, the clock, and the simulator as a whole.

For tests, benchmarks and people at a shell; Spacelift has nothing like it. It asks for no
credentials and is served on loopback. All shapes are in docs/simulator.md.
"""

from collections.abc import Awaitable, Callable

import pydantic
from aiohttp import web

from devenv.simulator import scenario, seeding, specs
from devenv.simulator.model import stack_actions
from devenv.simulator.model.behavior import Behavior, StrictModel
from devenv.simulator.model.entities import Stack
from devenv.simulator.simulator import Simulator
from devenv.simulator.web import admin_answers
from devenv.simulator.web.admin_bodies import (
    NotThereError,
    body_of,
    checked,
    found,
    json_answer,
    json_of,
)


class Seed(StrictModel):
    """Records to add; a part of a scenario."""

    spaces: dict[str, specs.SpaceSpec] = pydantic.Field(default={})
    keys: list[specs.KeySpec] = pydantic.Field(default=[])
    worker_pools: dict[str, specs.PoolSpec] = pydantic.Field(default={})
    stacks: dict[str, specs.StackSpec] = pydantic.Field(default={})


class Script(StrictModel):
    """Outcomes of a stack's next runs; appended unless they replace what is left."""

    outcomes: list[specs.OutcomeSpec]
    replace: bool = True


class EdgeKey(StrictModel):
    """Names an edge."""

    stack: str
    depends_on: str


class NewEdge(EdgeKey):
    """An edge to add."""

    references: list[specs.ReferenceSpec] = pydantic.Field(default=[])
    trigger_always: bool = False


class ClockAction(StrictModel):
    """Put the clock forward, by seconds or to what is due next; or change the speed."""

    advance: float | None = pydantic.Field(default=None, ge=0)
    to_next: bool = False
    speed: float | None = pydantic.Field(default=None, gt=0)


class Admin:
    """Handlers that change the account from outside."""

    def __init__(self, simulator: Simulator, set_outage: Callable[[str], Awaitable[None]]) -> None:
        self._simulator = simulator
        self._set_outage = set_outage

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/admin", self._overview),
            web.post("/admin/reset", self._reset),
            web.get("/admin/snapshot", self._snapshot),
            web.post("/admin/restore", self._restore),
            web.get("/admin/clock", self._clock),
            web.post("/admin/clock", self._move_clock),
            web.get("/admin/behavior", self._behavior),
            web.patch("/admin/behavior", self._change_behavior),
            web.post("/admin/seed", self._seed),
            web.get("/admin/stacks", self._stacks),
            web.get("/admin/stacks/{stack}", self._stack),
            web.put("/admin/stacks/{stack}", self._put_stack),
            web.patch("/admin/stacks/{stack}", self._put_stack),
            web.delete("/admin/stacks/{stack}", self._delete_stack),
            web.post("/admin/stacks/{stack}/outcomes", self._script),
            web.post("/admin/edges", self._add_edge),
            web.delete("/admin/edges", self._delete_edge),
            web.put("/admin/keys/{key}", self._put_key),
            web.delete("/admin/keys/{key}", self._delete_key),
            web.post("/admin/tokens/revoke", self._revoke),
            web.put("/admin/pools/{pool}", self._put_pool),
        ]

    # -- the simulator as a whole ------------------------------------------------------------

    async def _overview(self, _request: web.Request) -> web.Response:
        return json_answer(
            admin_answers.overview(self._simulator.engine, next_due=self._simulator.next_due())
        )

    async def _reset(self, request: web.Request) -> web.Response:
        document = await json_of(request)
        wanted = document.get("scenario") if isinstance(document, dict) else None
        parsed = scenario.parse(wanted) if wanted is not None else None
        await self._set_outage("off")
        self._simulator.reset(parsed)
        return await self._overview(request)

    async def _snapshot(self, _request: web.Request) -> web.Response:
        return json_answer(self._simulator.snapshot())

    async def _restore(self, request: web.Request) -> web.Response:
        self._simulator.restore(await json_of(request))
        return await self._overview(request)

    async def _clock(self, _request: web.Request) -> web.Response:
        return json_answer(
            {
                "now": self._simulator.engine.now,
                "virtual": self._simulator.clock.is_virtual,
                "speed": self._simulator.account.speed,
                "nextDue": self._simulator.next_due(),
            }
        )

    async def _move_clock(self, request: web.Request) -> web.Response:
        act = await body_of(request, ClockAction)
        simulator = self._simulator
        if act.speed is not None:
            simulator.account.speed = act.speed
            simulator.account.touch("account")
        if act.to_next:
            due = simulator.next_due()
            if due is None:
                raise ValueError("nothing is due")
            simulator.advance(due - simulator.clock.now())
        if act.advance is not None:
            simulator.advance(act.advance)
        return await self._clock(request)

    async def _behavior(self, _request: web.Request) -> web.Response:
        behavior = self._simulator.account.behavior
        return json_answer(behavior.model_dump(mode="json", by_alias=True))

    async def _change_behavior(self, request: web.Request) -> web.Response:
        account = self._simulator.account
        known = account.behavior.model_dump(mode="json", by_alias=True)
        account.behavior = checked(Behavior, known | await json_of(request))
        account.touch("account")
        return await self._behavior(request)

    # -- seeding -----------------------------------------------------------------------------

    async def _seed(self, request: web.Request) -> web.Response:
        seed = await body_of(request, Seed)
        engine = self._simulator.engine
        for space_id, space in seed.spaces.items():
            seeding.put_space(engine, space_id, space)
        for key in seed.keys:
            seeding.put_key(engine, key)
        for pool_id, pool in seed.worker_pools.items():
            seeding.put_pool(engine, pool_id, pool)
        for stack_id, stack in seed.stacks.items():
            seeding.put_stack(engine, stack_id, stack)
        for stack_id, stack in seed.stacks.items():
            self._put_edges(stack_id, stack)
        return await self._overview(request)

    async def _stacks(self, _request: web.Request) -> web.Response:
        account = self._simulator.account
        stacks = sorted(account.stacks.values(), key=lambda stack: stack.id)
        return json_answer({"stacks": [admin_answers.stack(account, stack) for stack in stacks]})

    async def _stack(self, request: web.Request) -> web.Response:
        return self._shown(self._named_stack(request))

    async def _put_stack(self, request: web.Request) -> web.Response:
        stack_id = request.match_info["stack"]
        if request.method == "PATCH":
            self._named_stack(request)
        spec = await body_of(request, specs.StackSpec)
        stack = seeding.put_stack(self._simulator.engine, stack_id, spec)
        self._put_edges(stack_id, spec)
        return self._shown(stack)

    async def _delete_stack(self, request: web.Request) -> web.Response:
        stack_actions.remove(self._simulator.engine, self._named_stack(request))
        return json_answer({})

    async def _script(self, request: web.Request) -> web.Response:
        stack = self._named_stack(request)
        script = await body_of(request, Script)
        outcomes = [seeding.outcome(spec) for spec in script.outcomes]
        stack.script = outcomes if script.replace else [*stack.script, *outcomes]
        self._simulator.account.touch("stack", stack.id)
        return self._shown(stack)

    async def _add_edge(self, request: web.Request) -> web.Response:
        new = await body_of(request, NewEdge)
        for stack_id in (new.stack, new.depends_on):
            found(self._simulator.account.stacks, stack_id, "stack")
        spec = specs.EdgeSpec(
            stack=new.depends_on, references=new.references, trigger_always=new.trigger_always
        )
        return json_answer(
            admin_answers.edge(seeding.put_edge(self._simulator.engine, new.stack, spec))
        )

    async def _delete_edge(self, request: web.Request) -> web.Response:
        key = await body_of(request, EdgeKey)
        edge = self._simulator.account.edge_between(key.stack, key.depends_on)
        if edge is None:
            raise NotThereError(f"no edge from {key.stack} to {key.depends_on}")
        self._simulator.account.remove_edge(edge.id)
        return json_answer(admin_answers.edge(edge))

    async def _put_key(self, request: web.Request) -> web.Response:
        document = await json_of(request)
        spec = checked(specs.KeySpec, {"id": request.match_info["key"], **document})
        key = seeding.put_key(self._simulator.engine, spec)
        return json_answer({"id": key.id, "role": key.role, "spaces": key.spaces})

    async def _delete_key(self, request: web.Request) -> web.Response:
        key = found(self._simulator.account.keys, request.match_info["key"], "key")
        del self._simulator.account.keys[key.id]
        self._simulator.account.touch("key", key.id)
        return json_answer({})

    async def _revoke(self, _request: web.Request) -> web.Response:
        self._simulator.tokens.revoke_all()
        return json_answer({})

    async def _put_pool(self, request: web.Request) -> web.Response:
        spec = await body_of(request, specs.PoolSpec)
        pool = seeding.put_pool(self._simulator.engine, request.match_info["pool"], spec)
        return json_answer({"id": pool.id, "workers": [worker.id for worker in pool.workers]})

    # -- inner -------------------------------------------------------------------------------

    def _named_stack(self, request: web.Request) -> Stack:
        return found(self._simulator.account.stacks, request.match_info["stack"], "stack")

    def _shown(self, stack: Stack) -> web.Response:
        return json_answer(admin_answers.stack(self._simulator.account, stack))

    def _put_edges(self, stack_id: str, spec: specs.StackSpec) -> None:
        account = self._simulator.account
        for edge in spec.depends_on:
            found(account.stacks, edge.stack, "stack")
            if account.edge_between(stack_id, edge.stack) is None:
                seeding.put_edge(self._simulator.engine, stack_id, edge)
