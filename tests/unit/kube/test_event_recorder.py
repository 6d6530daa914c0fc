"""Events over a scripted API: which are sent again, and under which name.

Given: answers or errors, oldest first; pauses of no time. Asserted: requests and the log.
"""

import asyncio
import time
from typing import Any

import pytest

from controller.kube import errors, event_recorder
from tests.support.waiting import eventually

Json = dict[str, Any]

AWAY = errors.ApiUnreachable("POST: TimeoutError")
BUSY = errors.Throttled("POST: 429", retry_after_seconds=0.01)
KNOWN = errors.Conflict("POST: 409")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_recorder, "PAUSES_SECONDS", (0.0, 0.0, 0.0))


class ScriptedApi:
    """Answers in order, and then that all is well."""

    def __init__(self, *answers: errors.KubeError) -> None:
        self.answers = list(answers)
        self.names: list[str] = []

    async def request(self, method: str, path: str, **arguments: Any) -> Json:
        assert (method, path) == ("POST", "/api/v1/namespaces/team/events")
        self.names.append(arguments["body"]["metadata"]["name"])
        if self.answers:
            raise self.answers.pop(0)
        return {}


async def record(api: ScriptedApi, name: str = "chain") -> None:
    recorder = event_recorder.EventRecorder(api, "operator-1")
    await recorder.record(
        {"metadata": {"name": name, "namespace": "team"}},
        type="Normal",
        reason="RunStarted",
        message="Run 1 started.",
    )
    await eventually(lambda: not recorder._late)


@pytest.mark.parametrize(
    ("answers", "sent"),
    [
        pytest.param([], 1, id="taken"),
        pytest.param([KNOWN], 1, id="known"),
        pytest.param([AWAY], 2, id="away once"),
        pytest.param([BUSY], 2, id="throttled once"),
        pytest.param([AWAY, BUSY, AWAY], 4, id="away for a while"),
        pytest.param([AWAY, KNOWN], 2, id="the first answer was lost"),
    ],
)
async def test_an_event_is_sent_until_it_is_recorded(
    answers: list[errors.KubeError], sent: int, caplog: pytest.LogCaptureFixture
) -> None:
    api = ScriptedApi(*answers)

    await record(api)

    assert len(api.names) == sent
    # One and the same, or a lost answer would make two Events.
    assert len(set(api.names)) == 1
    assert not caplog.records


@pytest.mark.parametrize(
    ("answers", "sent"),
    [
        pytest.param([errors.Denied("403")], 1, id="refused"),
        pytest.param([errors.Invalid("422")], 1, id="invalid"),
        pytest.param([errors.ObjectNotFound("404")], 1, id="namespace gone"),
        pytest.param([errors.NotServed("404")], 1, id="not served"),
        pytest.param([AWAY, errors.Denied("403")], 2, id="refused later"),
        pytest.param([AWAY] * 4, 4, id="away for good"),
    ],
)
async def test_an_event_that_cannot_be_recorded_is_in_the_log(
    answers: list[errors.KubeError], sent: int, caplog: pytest.LogCaptureFixture
) -> None:
    api = ScriptedApi(*answers)

    await record(api)

    assert len(api.names) == sent
    (line,) = caplog.records
    assert line.message == "Event was not recorded"
    assert {"chain": "chain", "reason": "RunStarted"}.items() <= vars(line).items()


async def test_an_api_server_that_asks_for_a_pause_gets_it() -> None:
    began = time.monotonic()

    await record(ScriptedApi(errors.Throttled("POST: 429", retry_after_seconds=0.5)))

    assert time.monotonic() - began >= 0.5


async def test_late_events_do_not_hold_up_the_work_and_are_bounded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(event_recorder, "PAUSES_SECONDS", (600.0,))
    monkeypatch.setattr(event_recorder, "_MOST_LATE", 2)
    api = ScriptedApi(AWAY, AWAY, AWAY)
    recorder = event_recorder.EventRecorder(api, "operator-1")

    async with asyncio.timeout(60):
        for message in ("one", "two", "three"):
            await recorder.record(
                {"metadata": {"name": "chain", "namespace": "team"}},
                type="Normal",
                reason="RunStarted",
                message=message,
            )

    assert len(recorder._late) == 2
    assert len(caplog.records) == 1
    for task in list(recorder._late):
        task.cancel()


async def test_a_long_name_leaves_room_for_what_tells_events_apart() -> None:
    api = ScriptedApi()

    await record(api, "a" * 240 + ".chain")

    (name,) = api.names
    assert len(name) <= 253
    assert name.startswith("a" * 200)
