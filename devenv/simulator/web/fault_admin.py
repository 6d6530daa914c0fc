"""The admin API: looking at runs and requests, and letting things go wrong."""

from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

from devenv.simulator import faults
from devenv.simulator.model.behavior import StrictModel
from devenv.simulator.model.entities import Run
from devenv.simulator.simulator import Simulator
from devenv.simulator.web import views
from devenv.simulator.web.bodies import body_of, found, json_answer


class Outage(StrictModel):
    """All of `/graphql` out of order: HTTP errors, broken connections, or no listener."""

    mode: Literal["off", "error", "reset", "refuse"]


class FaultAdmin:
    """Handlers that show what happened, and those of faults."""

    def __init__(self, simulator: Simulator, set_outage: Callable[[str], Awaitable[None]]) -> None:
        self._simulator = simulator
        self._set_outage = set_outage

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/admin/runs", self._runs),
            web.get("/admin/runs/{run}", self._run),
            web.get("/admin/summary", self._summary),
            web.get("/admin/requests", self._requests),
            web.delete("/admin/requests", self._clear_requests),
            web.get("/admin/requests/counters", self._counters),
            web.get("/admin/faults", self._faults),
            web.post("/admin/faults", self._add_fault),
            web.delete("/admin/faults", self._clear_faults),
            web.delete("/admin/faults/{fault}", self._delete_fault),
            web.put("/admin/outage", self._outage),
        ]

    # -- looking -----------------------------------------------------------------------------

    async def _runs(self, request: web.Request) -> web.Response:
        wanted = request.query
        runs = [
            run
            for run in sorted(self._simulator.account.runs.values(), key=lambda run: run.id)
            if wanted.get("stack") in (None, run.stack_id)
            and wanted.get("state") in (None, run.state)
            and wanted.get("type") in (None, run.type)
            and wanted.get("triggeredBy") in (None, run.triggered_by or "")
            and run.id > wanted.get("after", "")
        ]
        return json_answer({"runs": [views.run(run) for run in runs]})

    async def _run(self, request: web.Request) -> web.Response:
        run: Run = found(self._simulator.account.runs, request.match_info["run"], "run")
        return json_answer(views.run(run))

    async def _summary(self, _request: web.Request) -> web.Response:
        return json_answer(views.summary(self._simulator.account))

    async def _requests(self, request: web.Request) -> web.Response:
        field = request.query.get("field")
        after = int(request.query.get("after", "0"))
        entries = [
            entry
            for entry in self._simulator.journal.entries
            if entry.number > after
            and (field is None or any(root.name == field for root in entry.fields))
        ]
        limit = int(request.query.get("limit", "0"))
        return json_answer({"requests": [views.request(entry) for entry in entries[-limit:]]})

    async def _clear_requests(self, _request: web.Request) -> web.Response:
        self._simulator.journal.clear()
        return json_answer({})

    async def _counters(self, _request: web.Request) -> web.Response:
        return json_answer(views.counters(self._simulator.journal))

    # -- faults ------------------------------------------------------------------------------

    async def _faults(self, _request: web.Request) -> web.Response:
        rules = self._simulator.faults.rules.values()
        return json_answer(
            {
                "outage": self._simulator.faults.outage,
                "faults": [views.fault(rule) for rule in rules],
            }
        )

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = self._simulator.faults.add(await body_of(request, faults.FaultSpec))
        return json_answer(views.fault(fault), status=201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        await self._set_outage("off")
        self._simulator.faults.clear()
        return await self._faults(request)

    async def _delete_fault(self, request: web.Request) -> web.Response:
        rules = {str(number): rule for number, rule in self._simulator.faults.rules.items()}
        rule = found(rules, request.match_info["fault"], "fault")
        del self._simulator.faults.rules[rule.id]
        return json_answer(views.fault(rule))

    async def _outage(self, request: web.Request) -> web.Response:
        outage = await body_of(request, Outage)
        await self._set_outage(outage.mode)
        return await self._faults(request)
