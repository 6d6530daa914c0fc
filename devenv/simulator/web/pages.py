"""Pages for people: where the links in a chain's status lead in the local environment.

They show no more than is needed to confirm or discard a run by hand, as a user of the web interface
does. Two other places here hand out files without a token: a stack's state, and uploaded
workspaces.
"""

import html

from aiohttp import web

from devenv.simulator.model import run_actions
from devenv.simulator.model.entities import Stack
from devenv.simulator.model.run_entities import Run
from devenv.simulator.model.states import RunState
from devenv.simulator.simulator import Simulator
from devenv.simulator.web.action_admin import PERSON

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{refresh}
<style>body{{font:16px sans-serif;margin:2em}} td,th{{padding:.2em 1em .2em 0;text-align:left}}
form{{display:inline}} button{{font:inherit;padding:.3em 1em}}</style></head>
<body><h1>{title}</h1>{body}</body></html>
"""
_REFRESH = '<meta http-equiv="refresh" content="2">'
_RUNS_SHOWN = 50


class Pages:
    """Handlers of the pages."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/", self._stacks),
            web.get("/stack/{stack}", self._stack),
            web.get("/stack/{stack}/run/{run}", self._run),
            web.post("/stack/{stack}/run/{run}/{act:confirm|discard}", self._act),
            web.get("/state/{stack}", self._state),
            web.put("/workspace/{workspace}", self._upload),
        ]

    async def _stacks(self, _request: web.Request) -> web.Response:
        stacks = sorted(self._simulator.account.stacks.values(), key=lambda stack: stack.id)
        rows = [
            [_link(f"/stack/{stack.id}", stack.id), html.escape(stack.state)] for stack in stacks
        ]
        return _page(self._simulator.account.name, _table(["stack", "state"], rows), is_live=True)

    async def _stack(self, request: web.Request) -> web.Response:
        stack = self._found_stack(request)
        rows = []
        for run in self._simulator.account.newest_runs_of(stack.id):
            link = _link(f"/stack/{stack.id}/run/{run.id}", run.id)
            rows.append([link, run.type, run.state, html.escape(run.triggered_by or "")])
        table = _table(["run", "type", "state", "triggered by"], rows[:_RUNS_SHOWN])
        body = f"<p>State: <b>{html.escape(stack.state)}</b></p>{table}"
        return _page(stack.name, body, is_live=True)

    async def _run(self, request: web.Request) -> web.Response:
        run = self._found_run(request)
        rows = [
            [entry.state, html.escape(entry.username or ""), html.escape(entry.note or "")]
            for entry in reversed(run.history)
        ]
        base = f"/stack/{run.stack_id}/run/{run.id}"
        buttons = "".join(
            f'<form method="post" action="{html.escape(base)}/{act.lower()}">'
            f"<button>{act}</button></form> "
            for act in ("Confirm", "Discard")
            if run.state is RunState.UNCONFIRMED
        )
        body = (
            f"<p>{run.type} run of {_link(f'/stack/{run.stack_id}', run.stack_id)}: "
            f"<b>{run.state}</b></p><p>{buttons}</p>{_table(['state', 'by', 'note'], rows)}"
        )
        return _page(f"Run {run.id}", body, is_live=not run.finished)

    async def _act(self, request: web.Request) -> web.Response:
        run = self._found_run(request)
        is_confirmed = request.match_info["act"] == "confirm"
        act = run_actions.confirm if is_confirmed else run_actions.discard
        act(self._simulator.engine, run, username=PERSON)
        raise web.HTTPSeeOther(location=f"/stack/{run.stack_id}/run/{run.id}")

    async def _state(self, request: web.Request) -> web.Response:
        stack = self._found_stack(request)
        return web.json_response({"version": 4, "outputs": sorted(stack.outputs)})

    async def _upload(self, request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    def _found_stack(self, request: web.Request) -> Stack:
        stack = self._simulator.account.stacks.get(request.match_info["stack"])
        if stack is None:
            raise web.HTTPNotFound(text="no such stack")
        return stack

    def _found_run(self, request: web.Request) -> Run:
        run = self._simulator.account.runs.get(request.match_info["run"])
        if run is None or run.stack_id != request.match_info["stack"]:
            raise web.HTTPNotFound(text="no such run")
        return run


def _page(title: str, body: str, *, is_live: bool) -> web.Response:
    refresh = _REFRESH if is_live else ""
    text = _PAGE.format(title=html.escape(title), body=body, refresh=refresh)
    return web.Response(text=text, content_type="text/html")


def _link(path: str, text: str) -> str:
    return f'<a href="{html.escape(path)}">{html.escape(text)}</a>'


def _table(heads: list[str], rows: list[list[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f"<th>{name}</th>" for name in heads)
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
