"""The admin API: acting as people and as the world around the account.

Everything here goes through the same rules as a mutation: what Spacelift would refuse to a person
in its web interface is refused with 409 and the text of the refusal.
"""

from collections.abc import Callable
from typing import Any

import pydantic
from aiohttp import web

from devenv.simulator.model import creation, run_actions, stack_actions
from devenv.simulator.model.behavior import StrictModel
from devenv.simulator.model.entities import Stack
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunType
from devenv.simulator.simulator import Simulator
from devenv.simulator.web import admin_answers
from devenv.simulator.web.admin_bodies import body_of, found, json_answer

PERSON = "jdoe@example.com"


class Action(StrictModel):
    """Who acts, and what they say."""

    user: str = PERSON
    note: str | None = None


class TriggerAction(Action):
    """A run started by hand."""

    type: RunType = RunType.TRACKED
    commit_sha: str | None = None
    force_apply: str | None = None
    environment: dict[str, str] = pydantic.Field(default={})


class TaskAction(Action):
    """A command."""

    command: str


class CommentAction(Action):
    """A comment."""

    body: str


class PushAction(StrictModel):
    """A push; without `sha` the commit is made up."""

    sha: str | None = None
    message: str = "Change something"
    proposed: bool = False
    repository: str | None = None
    branch: str = "main"


class ReslugAction(StrictModel):
    """A new id."""

    id: str


class Actions:
    """Handlers that act under the rules of the account."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post("/admin/stacks/{stack}/trigger", self._trigger),
            web.post("/admin/stacks/{stack}/task", self._task),
            web.post("/admin/stacks/{stack}/push", self._push_stack),
            web.post("/admin/stacks/{stack}/drift", self._drift),
            web.post("/admin/stacks/{stack}/reslug", self._reslug),
            web.post("/admin/stacks/{stack}/{act:lock|unlock|enable|disable}", self._stack_act),
            web.post("/admin/push", self._push),
            web.post("/admin/runs/{run}/comment", self._comment),
            web.post("/admin/runs/{run}/{act}", self._run_act),
        ]

    async def _trigger(self, request: web.Request) -> web.Response:
        act = await body_of(request, TriggerAction)
        stack = self._stack(request)
        order = creation.Order(
            stack=stack,
            type=act.type,
            triggered_by=act.user,
            commit=stack_actions.find_commit(stack, act.commit_sha),
            force_apply=act.force_apply,
            environment=act.environment,
        )
        user = stack_actions.User(login=act.user)
        return _runs(stack_actions.trigger(self._simulator.engine, [order], user))

    async def _task(self, request: web.Request) -> web.Response:
        act = await body_of(request, TaskAction)
        stack = self._stack(request)
        creation.check_may_create(stack, act.user)
        order = creation.Order(
            stack=stack, type=RunType.TASK, triggered_by=act.user, command=act.command
        )
        return _runs([creation.make(self._simulator.engine, order)])

    async def _push_stack(self, request: web.Request) -> web.Response:
        return self._pushed(await body_of(request, PushAction), [self._stack(request)])

    async def _push(self, request: web.Request) -> web.Response:
        act = await body_of(request, PushAction)
        stacks = [
            stack
            for stack in self._simulator.account.stacks.values()
            if stack.repository == act.repository and stack.branch == act.branch
        ]
        return self._pushed(act, stacks)

    def _pushed(self, act: PushAction, stacks: list[Stack]) -> web.Response:
        engine = self._simulator.engine
        seed = act.sha or engine.ids.next(engine.now)
        commit = stack_actions.made_up_commit(seed, message=act.message, timestamp=int(engine.now))
        commit.hash = act.sha or commit.hash
        runs = stack_actions.push(engine, stacks, commit, is_proposed=act.proposed)
        return json_answer(
            {"commit": commit.hash, "runs": [admin_answers.run(run) for run in runs]}
        )

    async def _drift(self, request: web.Request) -> web.Response:
        stack = self._stack(request)
        return _runs([stack_actions.drift_check(self._simulator.engine, stack)])

    async def _reslug(self, request: web.Request) -> web.Response:
        act = await body_of(request, ReslugAction)
        stack = stack_actions.rename(self._simulator.engine, self._stack(request), act.id)
        return self._shown(stack)

    async def _stack_act(self, request: web.Request) -> web.Response:
        act = await body_of(request, Action)
        stack, engine = self._stack(request), self._simulator.engine
        user = stack_actions.User(login=act.user)
        match request.match_info["act"]:
            case "lock":
                stack_actions.lock(engine, stack, user, act.note)
            case "unlock":
                stack_actions.unlock(engine, stack, user)
            case name:
                stack_actions.set_disabled(engine, stack, is_disabled=name == "disable")
        return self._shown(stack)

    async def _comment(self, request: web.Request) -> web.Response:
        act = await body_of(request, CommentAction)
        run = self._run(request)
        run_actions.comment(self._simulator.engine, run, act.body, username=act.user)
        return json_answer(admin_answers.run(run))

    async def _run_act(self, request: web.Request) -> web.Response:
        act = await body_of(request, Action)
        engine, run = self._simulator.engine, self._run(request)
        name = request.match_info["act"]
        if name in ("approve", "reject"):
            decision = name.upper()
            run_actions.review(engine, run, decision, username=act.user, note=act.note)
        elif name == "retry":
            run = run_actions.retry(engine, run, username=act.user)
        else:
            found(_RUN_ACTIONS, name, "act")(engine, run, username=act.user, note=act.note)
        return json_answer(admin_answers.run(run))

    def _stack(self, request: web.Request) -> Stack:
        return found(self._simulator.account.stacks, request.match_info["stack"], "stack")

    def _run(self, request: web.Request) -> Run:
        return found(self._simulator.account.runs, request.match_info["run"], "run")

    def _shown(self, stack: Stack) -> web.Response:
        return json_answer(admin_answers.stack(self._simulator.account, stack))


_RUN_ACTIONS: dict[str, Callable[..., Any]] = {
    "confirm": run_actions.confirm,
    "discard": run_actions.discard,
    "cancel": run_actions.cancel,
    "stop": run_actions.stop,
    "kill": run_actions.kill,
}


def _runs(runs: list[Run]) -> web.Response:
    return json_answer({"runs": [admin_answers.run(run) for run in runs]})
