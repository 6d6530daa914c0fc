"""Bodies and errors of the admin API: JSON in, JSON out, and a sentence when something is wrong."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import pydantic
from aiohttp import web

from devenv.simulator import scenario
from devenv.simulator.model.errors import Refusal
from devenv.simulator.simulator import Simulator

_Model = TypeVar("_Model", bound=pydantic.BaseModel)
_Value = TypeVar("_Value")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class NotThereError(Exception):
    """An admin request names something that does not exist."""


async def json_of(request: web.Request) -> Any:
    """Return the JSON body of a request; an empty body is an empty object."""
    text = await request.text()
    try:
        return json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise scenario.ScenarioError(f"body: is not JSON ({error})") from error


async def body_of(request: web.Request, model: type[_Model]) -> _Model:
    """Return the body of a request as a checked document."""
    return checked(model, await json_of(request))


def checked(model: type[_Model], document: Any) -> _Model:
    """Check a document; problems are reported as for a scenario."""
    try:
        return model.model_validate(document)
    except pydantic.ValidationError as error:
        raise scenario.ScenarioError(scenario.first_problem(error, model)) from error


def found(table: Mapping[str, _Value], key: str, kind: str) -> _Value:
    """Return what a request names."""
    if key not in table:
        raise NotThereError(f"no {kind} {key}")
    return table[key]


def json_answer(document: Any, *, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.json_response(document, status=status)


def middleware(simulator: Simulator, wake: Callable[[], None]) -> Callable[..., Any]:
    """Bring the account up to date around each admin request, and turn errors into answers."""

    @web.middleware
    async def handle(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not request.path.startswith(("/admin", "/stack")):
            return await handler(request)
        simulator.advance()
        try:
            response = await handler(request)
        except scenario.ScenarioError as error:
            response = json_answer({"error": str(error)}, status=400)
        except NotThereError as error:
            response = json_answer({"error": str(error)}, status=404)
        except (Refusal, ValueError) as error:
            response = json_answer({"error": str(error)}, status=409)
        simulator.advance()
        wake()
        return response

    return handle
