"""The admin API: looking at runs, and at the requests that the account has had."""

from aiohttp import web

from devenv.simulator.model.run_entities import Run
from devenv.simulator.simulator import Simulator
from devenv.simulator.web import admin_answers
from devenv.simulator.web.admin_bodies import found, json_answer


class Records:
    """Handlers that show what happened."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/admin/runs", self._runs),
            web.get("/admin/runs/{run}", self._run),
            web.get("/admin/summary", self._summary),
            web.get("/admin/requests", self._requests),
            web.delete("/admin/requests", self._clear_requests),
            web.get("/admin/requests/counters", self._counters),
        ]

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
        return json_answer({"runs": [admin_answers.run(run) for run in runs]})

    async def _run(self, request: web.Request) -> web.Response:
        run: Run = found(self._simulator.account.runs, request.match_info["run"], "run")
        return json_answer(admin_answers.run(run))

    async def _summary(self, _request: web.Request) -> web.Response:
        return json_answer(admin_answers.summary(self._simulator.account))

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
        return json_answer(
            {"requests": [admin_answers.request(entry) for entry in entries[-limit:]]}
        )

    async def _clear_requests(self, _request: web.Request) -> web.Response:
        self._simulator.journal.clear()
        return json_answer({})

    async def _counters(self, _request: web.Request) -> web.Response:
        return json_answer(admin_answers.counters(self._simulator.journal))
