"""What a process says to Kubernetes and Prometheus: alive, ready, and its numbers.

Live means that the event loop answers: a role whose work has ended ends itself. An outage of
Temporal or Kubernetes makes a process not ready, never dead: a restart would not help.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import prometheus_client
from aiohttp import web

from controller import clock, http_server

logger = logging.getLogger(__name__)

CACHE_SECONDS = 5.0
"""Probes come from several sides; what they ask must not become load."""
PROBLEM_CACHE_SECONDS = 0.5
"""A problem is rechecked soon: whoever waits for readiness waits for it to disappear."""
CHECK_TIMEOUT_SECONDS = 4.0
"""Below the usual probe time-out of 5 s, so that the answer with the reason arrives."""

ReadyCheck = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Result:
    check: ReadyCheck
    problem: str | None
    at: float


class HealthServer:
    """Serves /healthz, /readyz and /metrics from `start` to `stop`."""

    def __init__(
        self,
        address: str,
        registry: prometheus_client.CollectorRegistry | None = None,
        *,
        cache_seconds: float = CACHE_SECONDS,
        check_timeout_seconds: float = CHECK_TIMEOUT_SECONDS,
        idle_seconds: float = http_server.IDLE_SECONDS,
        clock: Callable[[], float] = clock.monotonic,
    ) -> None:
        # Without a registry there are no numbers: a zero for work that a process does not do would
        # raise an alert.
        self._registry = registry or prometheus_client.CollectorRegistry()
        self._cache_seconds = cache_seconds
        self._check_timeout_seconds = check_timeout_seconds
        self._clock = clock
        self._ready_checks: dict[str, ReadyCheck] = {}
        self._results: dict[str, _Result] = {}
        self._checking = asyncio.Lock()
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
            ]
        )
        self._http = http_server.HttpServer(address, app, idle_seconds=idle_seconds)

    def add_ready_check(self, name: str, check: ReadyCheck) -> None:
        """Register what must hold for this process to do its work; the check returns a problem.

        It replaces the one of this name. Until the first one comes, the process is not ready; a
        role that has to wait before it can make a check registers one that fails until then.
        """
        self._ready_checks[name] = check

    @property
    def port(self) -> int:
        """The port that is listened on, even if the address said 0."""
        return self._http.port

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._http.connections

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be listened on.
        """
        await self._http.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._http.stop()

    async def ready_problems(self) -> dict[str, str]:
        """Return the failing ready checks with their reasons, at most `cache_seconds` old."""
        asked: dict[str, ReadyCheck] = {}
        problems: dict[str, str | None] = {"start": "The process is starting."}
        # One at a time: probes that come together share the answers.
        async with self._checking:
            # A check may come while others are asked.
            while asked != self._ready_checks:
                asked = dict(self._ready_checks)
                results = await asyncio.gather(*(self._result(*item) for item in asked.items()))
                problems = dict(zip(asked, results, strict=True))
        return {name: problem for name, problem in problems.items() if problem is not None}

    async def _result(self, name: str, check: ReadyCheck) -> str | None:
        cached = self._results.get(name)
        if (
            cached is not None
            and cached.check is check
            and self._clock() - cached.at < self._life(cached)
        ):
            return cached.problem
        problem = await self._run(name, check)
        self._results[name] = _Result(check=check, problem=problem, at=self._clock())
        return problem

    def _life(self, result: _Result) -> float:
        if result.problem is None:
            return self._cache_seconds
        return min(self._cache_seconds, PROBLEM_CACHE_SECONDS)

    async def _run(self, name: str, check: ReadyCheck) -> str | None:
        try:
            async with asyncio.timeout(self._check_timeout_seconds):
                return await check()
        except TimeoutError:
            return f"did not answer within {self._check_timeout_seconds:g} s"
        except Exception as error:
            # The edge of the process: a check with a bug must not take the other answers away.
            logger.exception("Ready check failed", extra={"check": name})
            return f"failed: {type(error).__name__}"

    async def _healthz(self, _: web.Request) -> web.Response:
        return _answer({})

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer(await self.ready_problems())

    async def _metrics(self, _: web.Request) -> web.Response:
        # The checks keep what they find in metrics, which must not be as old as the last probe.
        await self.ready_problems()
        content = prometheus_client.generate_latest(self._registry)
        # aiohttp wants type and charset apart; Prometheus gives one header value.
        return web.Response(
            body=content, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST}
        )


def _answer(problems: dict[str, str]) -> web.Response:
    if not problems:
        return web.Response(text="ok\n")
    text = "".join(f"{name}: {problem}\n" for name, problem in problems.items())
    return web.Response(status=503, text=text)
