"""The admin API: letting things go wrong."""

from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

from devenv.simulator import faults
from devenv.simulator.model.behavior import StrictModel
from devenv.simulator.simulator import Simulator
from devenv.simulator.web import admin_answers
from devenv.simulator.web.admin_bodies import body_of, found, json_answer


class Outage(StrictModel):
    """All of `/graphql` out of order: HTTP errors, broken connections, or no listener."""

    mode: Literal["off", "error", "reset", "refuse"]


class FaultAdmin:
    """Handlers of faults and outages."""

    def __init__(self, simulator: Simulator, set_outage: Callable[[str], Awaitable[None]]) -> None:
        self._simulator = simulator
        self._set_outage = set_outage

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/admin/faults", self._faults),
            web.post("/admin/faults", self._add_fault),
            web.delete("/admin/faults", self._clear_faults),
            web.delete("/admin/faults/{fault}", self._delete_fault),
            web.put("/admin/outage", self._outage),
        ]

    async def _faults(self, _request: web.Request) -> web.Response:
        rules = self._simulator.faults.rules.values()
        return json_answer(
            {
                "outage": self._simulator.faults.outage,
                "faults": [admin_answers.fault(rule) for rule in rules],
            }
        )

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = self._simulator.faults.add(await body_of(request, faults.FaultSpec))
        return json_answer(admin_answers.fault(fault), status=201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        await self._set_outage("off")
        self._simulator.faults.clear()
        return await self._faults(request)

    async def _delete_fault(self, request: web.Request) -> web.Response:
        rules = {str(number): rule for number, rule in self._simulator.faults.rules.items()}
        rule = found(rules, request.match_info["fault"], "fault")
        del self._simulator.faults.rules[rule.id]
        return json_answer(admin_answers.fault(rule))

    async def _outage(self, request: web.Request) -> web.Response:
        outage = await body_of(request, Outage)
        await self._set_outage(outage.mode)
        return await self._faults(request)
