"""Every kind of delivery over HTTP: how it is answered, counted and logged."""

import asyncio
import collections
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web_protocol

from controller.webhook import bodies, signature
from tests.support import webhooks
from tests.support.waiting import eventually
from tests.support.webhooks import Receiving, path, run_event, signed

BODY = json.dumps(run_event("vpc")).encode()
POLICY = {"stack_id": "dns", "run_id": "01R", "type": "TRACKED", "state": "FINISHED"}
MARK = "do-not-log-this"


@pytest.fixture
async def receiving(tmp_path: Path) -> AsyncIterator[Receiving]:
    async with webhooks.receiving(tmp_path) as running:
        yield running


def head(*lines: str, method: str = "POST") -> bytes:
    """Return the head of a request, with what each one needs."""
    first = f"{method} {path()} HTTP/1.1"
    always = ["Host: x", "Content-Type: application/json"]
    return "\r\n".join([first, *always, *lines, "", ""]).encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


# Taken


async def test_a_signed_delivery_is_answered_202_and_wakes_its_stack(receiving: Receiving) -> None:
    answer = await receiving.deliver(run_event("vpc", type="TRACKED"))

    assert (answer.status_code, answer.text) == (202, "")
    wake = receiving.queue.pop_due()
    assert wake is not None
    assert (wake.account, wake.stack_id, wake.is_root_run_finished) == ("acme", "vpc", True)
    assert receiving.counted() == {"queued": 1}


async def test_a_delivery_of_the_notification_policy_is_taken_too(receiving: Receiving) -> None:
    answer = await receiving.deliver(POLICY)

    assert answer.status_code == 202
    wake = receiving.queue.pop_due()
    assert wake is not None
    assert wake.stack_id == "dns"


async def test_doubles_and_what_does_not_fit_are_answered_202_and_counted(tmp_path: Path) -> None:
    async with webhooks.receiving(tmp_path, queue_size=2) as receiving:
        answers = [await receiving.deliver(run_event(stack)) for stack in ("a", "a", "b", "c", "d")]

        assert {answer.status_code for answer in answers} == {202}
        assert receiving.counted() == {"queued": 2, "merged": 1, "overflow": 2}
        assert len(receiving.queue) == 2


@pytest.mark.parametrize(
    ("document", "result"),
    [
        ({"account": "acme", "action": "stack.create", "data": {}}, "audit"),
        ({"title": "t", "body": "b", "error": "e", "severity": "ERROR"}, "internal_error"),
        ({}, "other"),
    ],
)
async def test_noise_is_answered_202_and_wakes_nobody(
    receiving: Receiving, document: dict[str, object], result: str
) -> None:
    answer = await receiving.deliver(document)

    assert answer.status_code == 202
    assert len(receiving.queue) == 0
    assert receiving.counted() == {result: 1}


async def test_each_of_several_secrets_counts_while_one_is_replaced(tmp_path: Path) -> None:
    async with webhooks.receiving(tmp_path, secrets=("old", "new")) as receiving:
        for secret in ("old", "new"):
            answer = await receiving.deliver(BODY, headers=signed(BODY, secret))
            assert answer.status_code == 202
        (tmp_path / "secret-0").unlink()

        refused = await receiving.deliver(BODY, headers=signed(BODY, "old"))
        taken = await receiving.deliver(BODY, headers=signed(BODY, "new"))

        assert (refused.status_code, taken.status_code) == (401, 202)


async def test_the_time_of_the_last_delivery_is_that_of_a_signed_one(receiving: Receiving) -> None:
    gauge = receiving.counters.webhook_last_delivery.labels("default")
    gauge.set(0)

    await receiving.deliver(BODY, headers=signed(BODY, "wrong"))
    assert gauge._value.get() == 0

    await receiving.deliver(BODY)
    assert gauge._value.get() > 0


async def test_a_body_in_pieces_is_one_body(receiving: Receiving) -> None:
    sign = f"{signature.HEADER}: {signature.sign(BODY, webhooks.SECRET)}"
    half = len(BODY) // 2
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:half], BODY[half:], b"")
    )

    answer = await receiving.send(
        head("Transfer-Encoding: chunked", sign, "Connection: close"), chunks
    )

    assert status_of(answer) == 202


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/cloud+json"])
async def test_json_may_be_called_by_its_other_names(receiving: Receiving, kind: str) -> None:
    answer = await receiving.deliver(BODY, headers=signed(BODY) | {"Content-Type": kind})

    assert answer.status_code == 202


# Refused


@pytest.mark.parametrize(
    ("headers", "status", "result"),
    [
        pytest.param({"Content-Type": "application/json"}, 401, "wrong_signature", id="unsigned"),
        pytest.param(signed(BODY, "wrong"), 401, "wrong_signature", id="wrong secret"),
        pytest.param(signed(BODY + b" "), 401, "wrong_signature", id="another body's"),
        pytest.param(
            signed(BODY) | {"Content-Type": "text/plain"}, 415, "wrong_content_type", id="text"
        ),
        pytest.param(
            {signature.HEADER: signature.sign(BODY, webhooks.SECRET)},
            415,
            "wrong_content_type",
            id="no content type",
        ),
    ],
)
async def test_a_delivery_that_is_not_spacelifts_is_refused(
    receiving: Receiving, headers: dict[str, str], status: int, result: str
) -> None:
    answer = await receiving.deliver(BODY, headers=headers)

    assert answer.status_code == status
    assert receiving.counted() == {result: 1}
    assert len(receiving.queue) == 0


async def test_a_missing_signature_is_answered_like_a_wrong_one_or_no_secret(
    receiving: Receiving,
) -> None:
    unsigned = {"Content-Type": "application/json"}
    answers = [
        await receiving.deliver(BODY, headers=unsigned),
        await receiving.deliver(BODY, headers=signed(BODY, "wrong")),
        await receiving.deliver(BODY, headers=signed(BODY), connection="silent"),
    ]

    seen = {
        (answer.status_code, answer.text, *sorted(set(answer.headers) - {"date"}))
        for answer in answers
    }
    assert len(seen) == 1
    assert answers[0].status_code == 401


@pytest.mark.parametrize("connection", ["other", "default/more", "", "de%66ault2", "..%2fx"])
async def test_an_unknown_connection_is_not_found_and_makes_no_series(
    receiving: Receiving, connection: str
) -> None:
    answer = await receiving.deliver(BODY, connection=connection)

    assert answer.status_code == 404
    assert sum(receiving.counted("").values()) == 1
    assert receiving.counted() == {}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
async def test_another_method_is_refused(receiving: Receiving, method: str) -> None:
    answer = await receiving.http.request(method, path())

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert receiving.counted("") == {"wrong_method": 1}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="broken"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"stack": {"id": 7}}', id="wrong type"),
        pytest.param(b'{"stack_id": null}', id="null"),
        pytest.param(b"\x80\x81", id="no text"),
    ],
)
async def test_a_signed_body_that_names_no_stack_is_malformed(
    receiving: Receiving, body: bytes
) -> None:
    answer = await receiving.deliver(body)

    assert answer.status_code == 400
    assert receiving.counted() == {"malformed": 1}


async def test_a_packed_body_is_not_unpacked(receiving: Receiving) -> None:
    """A few bytes could become gigabytes."""
    packed = gzip.compress(BODY)

    answer = await receiving.deliver(packed, headers=signed(packed) | {"Content-Encoding": "gzip"})

    assert answer.status_code == 415


@pytest.mark.parametrize("size", [100, 101])
async def test_a_body_may_be_as_large_as_said_and_not_larger(tmp_path: Path, size: int) -> None:
    body = json.dumps({"stack_id": "vpc", "filler": ""}).encode()
    body = body.replace(b'""', b'"' + b"x" * (size - len(body)) + b'"')
    async with webhooks.receiving(tmp_path, max_body_bytes=100) as receiving:
        answer = await receiving.deliver(body)

        assert answer.status_code == (202 if size <= 100 else 413)


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(
    receiving: Receiving,
) -> None:
    answer = await receiving.send(head("Content-Length: 99999999999"))

    assert status_of(answer) == 413


async def test_a_body_that_grows_too_large_is_refused_while_it_comes(tmp_path: Path) -> None:
    async with webhooks.receiving(tmp_path, max_body_bytes=100_000) as receiving:
        chunk = b"%x\r\n%s\r\n" % (50_000, b"x" * 50_000)

        answer = await receiving.send(head("Transfer-Encoding: chunked"), chunk, chunk, chunk)

        assert status_of(answer) == 413
        assert receiving.counted() == {"too_large": 1}


@pytest.mark.parametrize("parts", [(), (b"{",)], ids=["no body", "half a body"])
async def test_a_body_that_does_not_come_is_not_waited_for(
    tmp_path: Path, parts: tuple[bytes, ...]
) -> None:
    async with webhooks.receiving(tmp_path, body_seconds=0.2) as receiving:
        answer = await receiving.send(head("Content-Length: 100"), *parts)

        assert status_of(answer) == 408
        assert receiving.counted() == {"slow": 1}


@pytest.mark.parametrize("sent", [b"", b"POST /webhooks/spacelift/default HTTP/1.1\r\nHost: x\r\n"])
async def test_a_connection_without_a_whole_head_is_closed(tmp_path: Path, sent: bytes) -> None:
    async with webhooks.receiving(tmp_path, idle_seconds=0.2) as receiving:
        assert await receiving.send(sent) == b""
        assert receiving.server.connections == 0


async def test_slow_large_bodies_make_room_for_newer_ones(tmp_path: Path) -> None:
    """More of them than the budget holds: the oldest ones end, and no one else is held up."""
    half = bodies.BUDGET_BYTES // (900_000 - 1)
    async with webhooks.receiving(tmp_path, body_seconds=60) as receiving:
        start = head("Content-Length: 900000") + b"x" * 899_999
        slow = [asyncio.create_task(receiving.send(start)) for _ in range(2 * half)]
        await eventually(lambda: receiving.counted().get("crowded_out", 0) >= half)

        large = json.dumps({"stack_id": "vpc", "filler": "x" * 500_000}).encode()
        answers = [await receiving.deliver(BODY), await receiving.deliver(large)]

        assert [answer.status_code for answer in answers] == [202, 202]
        assert 0 < receiving.receiver.held_bytes <= bodies.BUDGET_BYTES
        ended, waiting = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
        assert {status_of(task.result()) for task in ended} == {429}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await eventually(lambda: receiving.receiver.held_bytes == 0)


async def test_a_sender_that_hangs_up_is_counted(receiving: Receiving) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", receiving.server.port)
    writer.write(head("Content-Length: 100") + b"{")
    await writer.drain()
    writer.close()

    await eventually(lambda: receiving.counted() == {"broken_off": 1})


async def test_a_connection_that_makes_room_at_once_is_no_mistake_of_our_own(
    receiving: Receiving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be closed between its head and its handler: aiohttp has another error for that."""
    handle = web_protocol.RequestHandler._handle_request

    async def closed_before(self: Any, *arguments: Any) -> Any:
        self.transport.abort()
        await asyncio.sleep(0.01)
        return await handle(self, *arguments)

    monkeypatch.setattr(web_protocol.RequestHandler, "_handle_request", closed_before)

    assert await receiving.send(head("Content-Length: 100") + b"{") == b""

    await eventually(lambda: receiving.counted() == {"broken_off": 1})
    assert "Delivery failed" not in caplog.messages


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 3, id="TLS"),
        pytest.param(b"GARBAGE\r\n\r\n", id="garbage"),
        pytest.param(head("X: " + "x" * 100_000), id="endless header"),
        pytest.param(head("Content-Length: -1"), id="negative length"),
        pytest.param(head("Content-Length: x"), id="no length"),
        pytest.param(head("Content-Length: 1", "Transfer-Encoding: chunked"), id="two lengths"),
        pytest.param(head("Transfer-Encoding: chunked") + b"zz\r\n", id="no chunk"),
    ],
)
async def test_what_is_no_http_is_refused(
    receiving: Receiving, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await receiving.send(sent)

    assert status_of(answer) == 400
    assert sum((receiving.counted("") | receiving.counted()).values()) == 1
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert not any(record.exc_info for record in caplog.records)
    assert (await receiving.deliver(BODY)).status_code == 202


# In the log


async def test_no_body_reaches_the_log_or_the_answer(
    receiving: Receiving, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    bodies = [
        f'{{"{MARK}": '.encode(),
        json.dumps({"stack_id": f"{MARK} 1"}).encode(),
        json.dumps({"stack": MARK}).encode(),
        f'"{MARK}"'.encode(),
    ]

    answers = [await receiving.deliver(body) for body in bodies]
    answers.append(await receiving.deliver(bodies[0], headers=signed(bodies[1])))
    garbage = await receiving.send(f"{MARK}\r\n\r\n".encode())

    ours = [vars(record) for record in caplog.records if record.name.startswith("controller")]
    assert ours
    assert MARK not in str(ours)
    assert not any(MARK in answer.text for answer in answers)
    assert status_of(garbage) == 400


async def test_a_mistake_of_our_own_is_no_failure_of_the_webhook(
    receiving: Receiving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten answers of 500 would end the deliveries, so this one simply counts as lost."""

    def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(receiving.queue, "put", fail)

    answer = await receiving.deliver(BODY)

    assert answer.status_code == 202
    assert receiving.counted("") == {"failed": 1}
    assert "Delivery failed" in caplog.messages


# Floods


async def test_nothing_is_left_of_ten_thousand_malformed_deliveries(receiving: Receiving) -> None:
    """Counts of what is held, since they are the same on every machine; `make bench` has bytes."""
    deep = b"[" * 2000
    kinds = [
        webhooks.request(BODY),
        webhooks.request(BODY, signature.sign(BODY, "wrong")),
        webhooks.request(b"{", signature.sign(b"{", webhooks.SECRET)),
        webhooks.request(deep, signature.sign(deep, webhooks.SECRET)),
        webhooks.request(BODY, signature.sign(BODY, webhooks.SECRET), connection="silent"),
    ]
    floods = await asyncio.gather(
        *(webhooks.flood(receiving.server.port, kinds, 500) for _ in range(20))
    )
    unknown = [await receiving.deliver(BODY, connection=f"unknown-{n}") for n in range(20)]

    assert sum(floods, collections.Counter()) == {401: 6000, 400: 4000}
    assert {answer.status_code for answer in unknown} == {404}
    assert receiving.counted() == {"wrong_signature": 4000, "malformed": 4000}
    assert receiving.counted("silent") == {"wrong_signature": 2000}
    assert len(receiving.queue) == receiving.receiver.held_bytes == 0
    labels = [
        sample.labels["connection"]
        for metric in receiving.counters.webhook_deliveries.collect()
        for sample in metric.samples
    ]
    assert set(labels) == {"", "default", "silent"}
    await receiving.http.aclose()
    await eventually(lambda: receiving.server.connections == 0)
