"""NotificationWorkflow and its activity against real receivers, and what the operator hands over.

Given: a receiver on loopback that answers as scripted, and the notifications file that names it.
"""

import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import temporalio.worker
import yaml
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.exceptions import ApplicationError

from controller.config import settings
from controller.notify import sinks
from controller.observability import metrics
from controller.temporal import client as temporal_client_module
from controller.temporal import ids, notification_messages, signing, worker
from controller.temporal.activities import notifications
from controller.temporal.operator import notifier
from tests.support import temporal as temporal_support
from tests.support.builders import make_notification
from tests.support.receivers import HANGS, Answer, Receiver
from tests.support.waiting import eventually
from tests.workflows import harness
from tests.workflows.test_policies import quick_client

__all__ = ["quick_client"]

SECRET = "hushhush-4711"
PATH = f"/services/{SECRET}?key={SECRET}"


@dataclasses.dataclass
class Telling:
    """A worker of notifications and an operator's end of it."""

    client: Client
    queue: str
    counters: metrics.Metrics
    notifier: notifier.Notifier

    def handle(self, told_id: str) -> WorkflowHandle[Any, notification_messages.NotificationResult]:
        return self.client.get_workflow_handle(
            ids.notification_workflow_id(told_id),
            result_type=notification_messages.NotificationResult,
        )

    async def result(self, told_id: str) -> notification_messages.NotificationResult:
        result: notification_messages.NotificationResult = await self.handle(told_id).result()
        return result

    async def history(self, told_id: str) -> WorkflowHistory:
        return await self.handle(told_id).fetch_history()

    def shown(self, sink: str, outcome: str) -> float | None:
        return self.counters.registry.get_sample_value(
            "stackchain_notification_deliveries_total", {"sink": sink, "outcome": outcome}
        )

    def count(self, sink: str, outcome: str) -> float:
        return float(self.counters.notification_deliveries.labels(sink, outcome)._value.get())


async def start(
    client: Client, asked: notification_messages.NotificationInput, queue: str
) -> WorkflowHandle[Any, notification_messages.NotificationResult]:
    """Start a notification by a handle for whose result the time-skipping server skips time."""
    handle: WorkflowHandle[
        Any, notification_messages.NotificationResult
    ] = await client.start_workflow(
        ids.NOTIFICATION_WORKFLOW,
        asked,
        id=ids.notification_workflow_id(asked.notification.id),
        task_queue=queue,
        result_type=notification_messages.NotificationResult,
    )
    return handle


def ask(*names: str, **fields: Any) -> notification_messages.NotificationInput:
    """Return a new notification with its own id."""
    told_id = temporal_support.unique("notification")
    told = make_notification(**{"id": told_id, **fields})
    return notification_messages.NotificationInput(notification=told, sinks=list(names))


def entry(name: str, receiver: Receiver, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "CloudEvents",
        "url": f"{receiver.url}{PATH}",
        "headers": {"X-Key": SECRET},
        "transitions": ["StackFailed"],
        # If a busy machine answers late, the same notification is sent twice.
        "timeoutSeconds": 30,
        **fields,
    }


def write(file: Path, *entries: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump({"sinks": list(entries)}))


@contextlib.asynccontextmanager
async def telling(
    client: Client,
    file: Path,
    *entries: dict[str, Any],
    signing_keys: signing.SigningKeys | None = None,
) -> AsyncIterator[Telling]:
    """Serve notifications to these sinks."""
    write(file, *entries)
    counters, task_queue = metrics.Metrics(), temporal_support.unique("queue")
    delivery = notifications.NotificationDelivery(
        sinks.SinkCatalog(file), counters, signing_keys=signing_keys
    )
    handing = notifier.Notifier(
        lambda: client, task_queue=task_queue, counters=counters, signing_keys=signing_keys
    )
    async with (
        contextlib.aclosing(delivery),
        temporalio.worker.Worker(
            client,
            task_queue=ids.notify_queue(task_queue),
            workflows=list(worker.NOTIFY_WORKFLOWS),
            workflow_runner=harness.sandbox_runner(),
            activities=[delivery.deliver_notification],
            max_cached_workflows=0,
        ),
    ):
        yield Telling(client, ids.notify_queue(task_queue), counters, handing)


def assert_tells_no_secret(history: WorkflowHistory) -> None:
    text = history.to_json()

    assert SECRET not in text
    assert "127.0.0.1" not in text
    harness.assert_sound(history)


def tries(history: WorkflowHistory) -> int:
    """Return how often the last activity was started."""
    started = [
        event.activity_task_started_event_attributes.attempt
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    ]
    return started[-1]


async def test_a_sink_gets_what_its_type_says_with_its_secrets_and_temporal_does_not(
    temporal_client: Client, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"Bearer {SECRET}\n")
    async with Receiver() as receiver:
        sink = entry("ops", receiver, headerFiles={"Authorization": str(secret)})
        async with telling(temporal_client, tmp_path / "n.yaml", sink) as served:
            shown = [served.shown("ops", outcome) for outcome in notifications.OUTCOMES]
            asked = ask("ops")
            await served.notifier.start([asked])
            result = await served.result(asked.notification.id)
            history = await served.history(asked.notification.id)

    # There from the start: otherwise Prometheus cannot distinguish a first failure from none.
    assert shown == [0.0] * 4
    (received,) = receiver.received
    assert received.path == PATH
    assert received.headers["Authorization"] == f"Bearer {SECRET}"
    assert received.headers["X-Key"] == SECRET
    assert received.headers["User-Agent"] == "stackchain"
    assert received.id == asked.notification.id
    assert received.transition == "StackFailed"
    assert result == notification_messages.NotificationResult(delivered=["ops"], given_up=[])
    assert served.count("ops", "delivered") == 1
    assert_tells_no_secret(history)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500, text=SECRET),
        Answer(status=408),
        Answer(status=429, headers={"Retry-After": "1"}),
        Answer(status=503, headers={"Retry-After": formatdate(0, usegmt=True)}),
        Answer(status=503, headers={"Retry-After": "soon"}),
        Answer(status=404, text=SECRET),
        Answer(status=302, headers={"Location": "/elsewhere"}),
        HANGS,
    ],
    ids=lambda answer: "hangs" if answer.hangs else f"{answer.status} {answer.headers}",
)
async def test_a_sink_that_fails_once_is_told_after_all(
    temporal_client: Client, tmp_path: Path, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    async with Receiver(answer) as receiver:
        # The second answer has as long as the first one, on a busy machine too.
        sink = entry("ops", receiver, timeoutSeconds=5 if answer.hangs else 30)
        async with telling(temporal_client, tmp_path / "n.yaml", sink) as served:
            asked = ask("ops")
            await served.notifier.start([asked])
            result = await served.result(asked.notification.id)
            history = await served.history(asked.notification.id)

    assert [item.id for item in receiver.received] == [asked.notification.id] * 2
    assert {item.path for item in receiver.received} == {PATH}
    assert result.delivered == ["ops"]
    assert tries(history) == 2
    outcome = "refused" if answer.status in (302, 404) else "unavailable"
    assert (served.count("ops", outcome), served.count("ops", "delivered")) == (1, 1)
    assert_tells_no_secret(history)
    assert [r.message.split(" (")[0] for r in caplog.records if r.levelname == "WARNING"] == [
        "Notification not delivered, still trying"
    ]
    assert SECRET not in caplog.text
    assert "127.0.0.1" not in caplog.text


async def test_a_sink_is_reached_through_the_proxy_of_the_environment_unless_it_is_excepted(
    temporal_client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Receiver() as proxy, Receiver() as inside:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        outside = entry("outside", proxy, url="http://sink.example.invalid/hook")
        entries = [outside, entry("inside", inside)]
        async with telling(temporal_client, tmp_path / "n.yaml", *entries) as served:
            asked = ask("outside", "inside")
            await served.notifier.start([asked])
            result = await served.result(asked.notification.id)

    assert result.delivered == ["inside", "outside"]
    assert [item.headers["Host"] for item in proxy.received] == ["sink.example.invalid"]
    assert [item.path for item in inside.received] == [PATH]


async def test_retry_after_is_kept(temporal_client: Client, tmp_path: Path) -> None:
    async with Receiver(Answer(status=429, headers={"Retry-After": "3"})) as receiver:
        file = tmp_path / "n.yaml"
        async with telling(temporal_client, file, entry("ops", receiver)) as served:
            asked = ask("ops")
            await served.notifier.start([asked])
            await served.result(asked.notification.id)
            history = await served.history(asked.notification.id)

    times = {
        event.event_type: event.event_time.ToDatetime()
        for event in history.events
        if event.event_type
        in (
            EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
            EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
        )
    }
    scheduled, started = sorted(times.values())
    assert (started - scheduled).total_seconds() >= 3


async def test_one_sink_that_hangs_or_is_gone_keeps_no_other_waiting(
    temporal_client: Client, tmp_path: Path
) -> None:
    async with Receiver(always=HANGS) as hanging, Receiver() as healthy:
        async with Receiver() as gone:
            pass
        entries = [
            entry("hangs", hanging, timeoutSeconds=1),
            entry("gone", gone),
            entry("well", healthy),
        ]
        async with telling(temporal_client, tmp_path / "n.yaml", *entries) as served:
            asked = [ask("gone", "hangs", "well") for _ in range(3)]
            await served.notifier.start(asked)
            await healthy.takes(3)
            pending = await served.handle(asked[0].notification.id).describe()
            await eventually(lambda: served.count("hangs", "unavailable") >= 3)
            await eventually(lambda: served.count("gone", "unavailable") >= 3)

            async def last_failures() -> dict[str, str]:
                """For the two sinks: Temporal learns of a failure after it was counted."""
                nonlocal pending
                pending = await served.handle(asked[0].notification.id).describe()
                found = {
                    item.activity_id: item.last_failure.message
                    for item in pending.raw_description.pending_activities
                }
                return found if all(found.values()) else {}

            failures = await eventually(last_failures)
            for item in asked:
                await served.handle(item.notification.id).terminate()

    assert failures["hangs"] == "sink hangs: no answer within 1 s"
    assert failures["gone"].startswith("sink gone: no connection (ClientConnectorError, Connection")
    assert SECRET not in str(pending.raw_description)
    assert str(gone.url).rpartition(":")[2] not in failures["gone"]


async def test_what_is_asked_for_again_is_told_once(
    temporal_client: Client, tmp_path: Path
) -> None:
    """The operator was killed before the status was written, or its write lost a race."""
    async with Receiver(Answer(status=500)) as receiver:
        file = tmp_path / "n.yaml"
        async with telling(temporal_client, file, entry("ops", receiver)) as served:
            asked, other = ask("ops"), ask("ops")
            await served.notifier.start([asked, asked])
            await receiver.takes(1)
            await served.result(asked.notification.id)
            await served.notifier.start([asked])
            await served.notifier.start([other])
            await receiver.takes(2)

    told = [item.id for item in receiver.answered]
    assert told == [asked.notification.id, other.notification.id]
    assert served.counters.notifications_waiting._value.get() == 0


# Giving up, on the server that skips time


@pytest.mark.parametrize(
    ("answer", "most", "least_seconds"),
    [
        (Answer(status=404, text="no_service"), notifications.REFUSALS, 500),
        (Answer(status=503), 400, 24 * 3600),
    ],
    ids=["refused", "unavailable"],
)
async def test_a_sink_that_never_takes_it_is_given_up_in_time_and_in_the_log(
    quick_client: Client,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    most: int,
    least_seconds: int,
) -> None:
    async with Receiver(always=answer) as receiver, Receiver() as healthy:
        entries = entry("bad", receiver), entry("good", healthy)
        async with telling(quick_client, tmp_path / "n.yaml", *entries) as served:
            asked = ask("bad", "good")
            result = await (await start(quick_client, asked, served.queue)).result()
            history = await served.history(asked.notification.id)

    assert result == notification_messages.NotificationResult(delivered=["good"], given_up=["bad"])
    assert len(receiver.received) <= most
    took = history.events[-1].event_time.ToDatetime() - history.events[0].event_time.ToDatetime()
    assert least_seconds <= took.total_seconds() <= least_seconds + 3700
    assert served.count("bad", "given_up") == 1
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.message.split(" (")[0] for record in errors] == ["Notification given up"]
    assert vars(errors[0])["why"] == f"HTTP {answer.status}" + (
        f" {answer.text}" if answer.text else ""
    )
    assert SECRET not in history.to_json() + caplog.text


@pytest.mark.parametrize(
    "break_it",
    [
        write,
        lambda path: path.with_name("url").unlink(),
        lambda path: path.with_name("url").write_text(f"https://a..b/{SECRET}"),
    ],
    ids=["not in the file", "without its secret", "with a URL that is none"],
)
async def test_a_sink_that_the_worker_cannot_tell_is_given_up_like_one_that_refuses(
    quick_client: Client,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    break_it: Callable[[Path], object],
) -> None:
    (tmp_path / "url").write_text("https://example.com")
    sink = {
        "name": "ops",
        "type": "Slack",
        "urlFile": str(tmp_path / "url"),
        "transitions": ["Problem"],
    }
    async with telling(quick_client, tmp_path / "n.yaml", sink) as served:
        break_it(tmp_path / "n.yaml")
        asked = ask("ops")
        result = await (await start(quick_client, asked, served.queue)).result()
        history = await served.history(asked.notification.id)

    assert result.given_up == ["ops"]
    assert SECRET not in history.to_json() + caplog.text
    assert served.count("ops", "refused") == notifications.REFUSALS - 1
    assert served.count("ops", "given_up") == 1


async def test_a_delivery_that_ends_in_another_way_is_told_in_the_log_too(
    temporal_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """As with a queue that is not polled for a day, which is too long to wait for."""

    @activity.defn(name="deliver_notification")
    async def broken(argument: notification_messages.DeliverNotificationInput) -> None:
        raise ApplicationError(f"{argument.sink} is broken", non_retryable=True)

    queue = temporal_support.unique("queue")
    async with temporalio.worker.Worker(
        temporal_client,
        task_queue=queue,
        workflows=list(worker.NOTIFY_WORKFLOWS),
        workflow_runner=harness.sandbox_runner(),
        activities=[broken],
    ):
        handle = await start(temporal_client, ask("ops"), queue)
        result = await handle.result()
        history = await handle.fetch_history()

    assert result == notification_messages.NotificationResult(delivered=[], given_up=["ops"])
    (line,) = [record for record in caplog.records if record.name == "temporalio.workflow"]
    assert (line.levelname, vars(line)["why"]) == ("ERROR", "ops is broken")
    (scheduled,) = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]
    assert scheduled.schedule_to_close_timeout.ToTimedelta() == timedelta(hours=25)


async def test_a_sink_is_told_only_what_an_operator_has_signed_for_it(
    temporal_client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever may start workflows in the Temporal namespace can read histories, too."""
    keys = signing.SigningKeys(settings.Secret(value="k" * 32))
    async with Receiver() as receiver:
        entries = [entry(name, receiver) for name in ("ops", "boss")]
        async with telling(
            temporal_client, tmp_path / "n.yaml", *entries, signing_keys=keys
        ) as served:
            asked = ask("ops")
            await served.notifier.start([asked])
            told = await served.result(asked.notification.id)
            signed = keys.signed_notification(asked)
            other = dataclasses.replace(asked.notification, message="Pay here.")
            forged = [
                ask("ops"),
                dataclasses.replace(signed, notification=other),
                dataclasses.replace(signed, sinks=["boss"]),
                dataclasses.replace(
                    signed, sinks=["boss"], signatures={"boss": signed.signatures["ops"]}
                ),
            ]
            refused = []
            for item in forged:
                handle = await served.client.start_workflow(
                    ids.NOTIFICATION_WORKFLOW,
                    item,
                    id=temporal_support.unique("forged"),
                    task_queue=served.queue,
                    result_type=notification_messages.NotificationResult,
                )
                refused.append((await handle.result()).delivered)

    assert told == notification_messages.NotificationResult(delivered=["ops"], given_up=[])
    assert [item.id for item in receiver.received] == [asked.notification.id]
    assert refused == [[]] * len(forged)
    assert caplog.messages.count("Work refused that no operator signed") == len(forged)


# The operator's end


async def test_what_temporal_does_not_take_is_handed_over_once_it_does(
    temporal_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    is_up = False

    def get_client() -> Client:
        if not is_up:
            raise temporal_client_module.TemporalUnreachable("Temporal is away.")
        return temporal_client

    queue, counters = temporal_support.unique("queue"), metrics.Metrics()
    handing = notifier.Notifier(get_client, task_queue=queue, counters=counters)
    asked = [ask("ops") for _ in range(50)]
    await handing.start(asked[:2])
    await handing.start(asked)
    waiting = counters.notifications_waiting._value.get()
    is_up = True
    await handing.aclose()

    assert waiting == len(asked)
    (line,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (vars(line)["count"], vars(line)["why"]) == (2, "Temporal is away.")
    assert counters.notifications_waiting._value.get() == 0
    assert counters.notifications_started._value.get() == len(asked)
    for item in asked:
        workflow_id = ids.notification_workflow_id(item.notification.id)
        handle = temporal_client.get_workflow_handle(workflow_id)
        assert (await handle.describe()).task_queue == f"{queue}-notify"
        await handle.terminate()


async def test_what_cannot_be_signed_yet_waits(temporal_client: Client, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    keys = signing.SigningKeys(settings.Secret(file=file))
    counters = metrics.Metrics()
    handing = notifier.Notifier(
        lambda: temporal_client, task_queue="queue", counters=counters, signing_keys=keys
    )
    asked = ask("ops")
    await handing.start([asked])
    waiting = counters.notifications_waiting._value.get()
    file.write_text("k" * 32)
    await handing.aclose()

    assert (waiting, counters.notifications_started._value.get()) == (1, 1)
    workflow_id = ids.notification_workflow_id(asked.notification.id)
    await temporal_client.get_workflow_handle(workflow_id).terminate()


async def test_what_temporal_never_takes_is_dropped_with_a_line_and_a_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def get_client() -> Client:
        raise temporal_client_module.TemporalUnreachable("Temporal is away.")

    counters = metrics.Metrics()
    handing = notifier.Notifier(get_client, task_queue="queue", counters=counters)
    await handing.start([ask("ops"), ask("ops")])
    await handing.aclose()

    assert counters.notifications_dropped._value.get() == 2
    dropped = [record for record in caplog.records if record.message == "Notifications dropped"]
    assert [vars(record)["count"] for record in dropped] == [2]


async def test_of_more_than_an_outage_brings_forth_the_oldest_are_dropped() -> None:
    def get_client() -> Client:
        raise temporal_client_module.TemporalUnreachable("Temporal is away.")

    counters = metrics.Metrics()
    handing = notifier.Notifier(get_client, task_queue="queue", counters=counters, most_waiting=3)
    for _ in range(5):
        await handing.start([ask("ops")])

    assert counters.notifications_waiting._value.get() == 3
    assert counters.notifications_dropped._value.get() == 2


def test_a_notification_is_small_in_histories() -> None:
    message = dataclasses.asdict(ask("ops"))

    assert len(json.dumps(message)) < 2_000
