"""Which delivery is sent when, and what its answer leads to; nothing is sent here."""

import random
from typing import Any

import pytest

from devenv.simulator.model import delivery_behavior, outbox
from devenv.simulator.model.account import Account
from devenv.simulator.model.webhooks import Attempt, Delivery, Webhook, WebhookKind

SENT = Attempt(at=0, seconds=0, status=202)
BROKEN = Attempt(at=0, seconds=0, status=503)
LOST = Attempt(at=0, seconds=0, error="timeout")


def given(*webhooks: str, retries: bool = False, **turned: Any) -> tuple[Account, outbox.Outbox]:
    """An account with these webhooks, and its outbox."""
    account = Account()
    account.delivery_behavior = delivery_behavior.DeliveryBehavior.model_validate(turned)
    for name in webhooks or ("w",):
        account.webhooks[name] = Webhook(
            id=name,
            kind=WebhookKind.NAMED,
            endpoint="http://h/",
            created_at=0,
            retry_on_failure=retries,
        )
    return account, outbox.Outbox(account)


def add(box: outbox.Outbox, *, to: str = "w", due: float = 0) -> Delivery:
    number = box.next_number()
    delivery = Delivery(
        id=f"{number:08}",
        number=number,
        webhook_id=to,
        endpoint="http://h/",
        secret="",
        body="{}",
        event="run",
        created_at=0,
        due=due,
    )
    box.add(delivery)
    return delivery


def take(box: outbox.Outbox, now: float, limit: int = 100) -> list[int]:
    box.advance(now)
    return [delivery.number for delivery in box.take(limit)]


def test_deliveries_of_one_webhook_go_one_after_the_other_in_the_order_of_their_time() -> None:
    account, box = given()
    late, early = add(box, due=2), add(box, due=1)

    assert take(box, 0) == []
    assert box.next_due() == 1
    assert take(box, 5) == [early.number]
    assert take(box, 5) == []
    box.finish(early, SENT, now=5)
    assert take(box, 5) == [late.number]
    assert box.waiting == 1
    assert account.deliveries[early.id].state == "delivered"


def test_webhooks_do_not_wait_for_each_other() -> None:
    _, box = given("v", "w")
    for name in ("v", "v", "w", "w"):
        add(box, to=name)

    assert take(box, 0) == [1, 3]


def test_no_more_are_taken_than_there_is_room_for() -> None:
    _, box = given(concurrency=64)
    for _ in range(5):
        add(box)

    assert take(box, 0, limit=2) == [1, 2]
    assert take(box, 0, limit=0) == []
    assert take(box, 0, limit=9) == [3, 4, 5]


@pytest.mark.parametrize(
    ("retries", "attempt", "due"),
    [
        (True, BROKEN, 14.0),
        (True, LOST, None),
        (False, BROKEN, None),
    ],
)
def test_a_retry_waits_its_time(retries: bool, attempt: Attempt, due: float | None) -> None:
    _, box = given(retries=retries, retryDelay=4)
    delivery = add(box)
    take(box, 0)

    box.finish(delivery, attempt, now=10)

    assert delivery.due == due
    assert delivery.state == ("pending" if due else "failed")
    assert box.waiting == (1 if due else 0)


def test_what_waits_for_a_disabled_webhook_is_discarded_and_a_farewell_is_not() -> None:
    account, box = given(disableAfter=1)
    first, waits, farewell = add(box), add(box), add(box)
    farewell.is_farewell = True
    take(box, 0)

    box.finish(first, LOST, now=7)

    assert (account.webhooks["w"].enabled, account.webhooks["w"].disabled_at) == (False, 7)
    assert take(box, 7) == [farewell.number]
    assert waits.state == "discarded"
    box.finish(farewell, SENT, now=7)
    assert account.webhooks["w"].failures == 1


def test_what_comes_when_too_many_wait_is_dropped() -> None:
    _, box = given()
    for _ in range(outbox.WAITING_LIMIT):
        add(box)

    over = add(box)

    assert over.state == "dropped"
    assert box.waiting == outbox.WAITING_LIMIT


def test_a_new_outbox_takes_up_what_an_account_has_still_to_send() -> None:
    account, box = given()
    sent, asked, waits = add(box), add(box), add(box, due=9)
    take(box, 0)
    box.finish(sent, SENT, now=0)
    take(box, 0)

    again = outbox.Outbox(account)

    assert again.next_number() == waits.number + 1
    assert take(again, 0) == [asked.number]
    assert again.next_due() == 9


def test_the_fate_of_a_delivery_follows_from_seed_and_number_alone() -> None:
    turned = delivery_behavior.DeliveryBehavior(
        drop=0.5, duplicate=0.5, reorder=0.5, delay=1, spread="normal"
    )
    numbers = list(range(1, 200))
    random.shuffle(numbers)

    shuffled = {number: delivery_behavior.plan(turned, number) for number in numbers}

    assert all(
        delivery_behavior.plan(turned, number) == shuffled[number] for number in range(1, 200)
    )
    other = turned.model_copy(update={"seed": 1})
    assert any(delivery_behavior.plan(other, number) != shuffled[number] for number in numbers)


@pytest.mark.parametrize(
    ("every", "at", "seconds", "due"),
    [
        (0, 10, 5, 15),
        (60, 61, 0, 120),
        (60, 61, 70, 180),
        (60, 120, 0, 120),
    ],
)
def test_bursts_leave_at_multiples_of_their_seconds(
    every: float, at: float, seconds: float, due: float
) -> None:
    assert (
        delivery_behavior.due(delivery_behavior.DeliveryBehavior(burst_every=every), at, seconds)
        == due
    )
