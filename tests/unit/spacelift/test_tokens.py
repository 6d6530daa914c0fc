import asyncio
from typing import Any

import httpx
import pytest

from controller.config import connections, settings
from controller.spacelift import errors, tokens

VIEWER = {"viewer": {"id": "me", "name": "Chains"}}


@pytest.mark.parametrize(
    ("life", "used_for"),
    [
        (36_000, 34_200),  # 5 % is more than 30 s
        (3600, 3420),
        (600, 570),  # 30 s is more than 5 %
        (60, 30),
        (40, 20),  # under the margin: half of its life
        (5, 2.5),
        (0, 30),  # over by our clock, which may be wrong
        (-900, 30),
    ],
)
def test_a_token_is_renewed_a_margin_before_its_end(life: float, used_for: float) -> None:
    renewal_time = tokens.renewal_time(obtained_at=1000, valid_until=1000 + life)

    assert renewal_time == 1000 + used_for


def test_a_token_without_an_end_is_renewed_all_the_same() -> None:
    assert tokens.renewal_time(obtained_at=1000, valid_until=None) == 1030


async def test_a_token_serves_until_its_renewal_is_due(
    account: Any, spacelift: Any, clock: Any
) -> None:
    account.script = [VIEWER]

    await spacelift.get_viewer()
    clock.now += 3419
    await spacelift.get_viewer()
    clock.now += 2
    await spacelift.get_viewer()

    assert account.tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


async def test_a_short_lived_token_is_not_exchanged_for_every_request(
    account: Any, spacelift: Any, clock: Any
) -> None:
    account.script = [VIEWER]
    account.token_life_seconds = 4

    for _ in range(6):
        await spacelift.get_viewer()
        clock.now += 0.5

    assert account.tokens == ["Bearer token-1"] * 4 + ["Bearer token-2"] * 2


async def test_many_requests_at_once_share_one_exchange(account: Any, spacelift: Any) -> None:
    account.script = [VIEWER]
    account.exchange = _slow({"apiKeyUser": {"jwt": "shared", "validUntil": 9e9}})

    await asyncio.gather(*(spacelift.get_viewer() for _ in range(50)))

    assert len(account.exchanges) == 1
    assert account.tokens == ["Bearer shared"] * 50


async def test_many_requests_whose_token_is_refused_share_one_exchange(
    account: Any, spacelift: Any
) -> None:
    def app(request: httpx.Request) -> Any:
        refused = request.headers["Authorization"] == "Bearer token-1"
        return {"viewer": None} if refused else VIEWER

    account.script = [app]

    viewers = await asyncio.gather(*(spacelift.get_viewer() for _ in range(50)))

    assert {viewer.id for viewer in viewers} == {"me"}
    assert len(account.exchanges) == 2


async def test_many_requests_share_a_failed_exchange_and_the_next_one_tries_anew(
    account: Any, spacelift: Any
) -> None:
    account.script = [VIEWER]
    account.exchange = _slow(httpx.ConnectTimeout("slow"))

    calls = (spacelift.get_viewer() for _ in range(50))
    failures = await asyncio.gather(*calls, return_exceptions=True)

    assert {type(failure) for failure in failures} == {errors.Unreachable}
    assert len(account.exchanges) == 1
    account.exchange = None
    assert (await spacelift.get_viewer()).id == "me"


async def test_a_canceled_request_leaves_the_others_their_exchange(
    account: Any, spacelift: Any
) -> None:
    account.script = [VIEWER]
    account.exchange = _slow({"apiKeyUser": {"jwt": "shared", "validUntil": 9e9}})

    first = asyncio.create_task(spacelift.get_viewer())
    second = asyncio.create_task(spacelift.get_viewer())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])

    assert first.cancelled()
    assert (await second).id == "me"
    assert len(account.exchanges) == 1


async def test_closing_gives_up_an_exchange_under_way(account: Any, spacelift: Any) -> None:
    is_under_way = asyncio.Event()

    async def hang(_request: httpx.Request) -> None:
        is_under_way.set()
        await asyncio.Event().wait()

    account.exchange = hang

    call = asyncio.create_task(spacelift.get_viewer())
    await is_under_way.wait()
    await spacelift.aclose()
    await asyncio.wait([call])

    assert call.cancelled()


async def test_the_secret_is_read_for_each_exchange_so_that_it_may_rotate(
    account: Any, spacelift: Any, key: Any, clock: Any
) -> None:
    account.script = [VIEWER]
    await spacelift.get_viewer()
    key.secret = "second-secret"
    account.secrets = {"second-secret"}

    await spacelift.get_viewer()
    clock.now += 3600
    await spacelift.get_viewer()

    assert [exchange["secret"] for exchange in account.exchanges] == [
        "first-secret",
        "second-secret",
    ]
    assert key.reads == 2


async def test_a_rotated_secret_heals_rejected_credentials(
    account: Any, spacelift: Any, key: Any
) -> None:
    account.script = [VIEWER]
    account.secrets = {"second-secret"}
    with pytest.raises(errors.CredentialsRejected):
        await spacelift.get_viewer()

    key.secret = "second-secret"

    assert (await spacelift.get_viewer()).id == "me"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"apiKeyUser": None}, errors.CredentialsRejected),
        ({"apiKeyUser": {"jwt": "", "validUntil": 9}}, errors.CredentialsRejected),
        (httpx.Response(401, text="unauthorized"), errors.CredentialsRejected),
        (
            httpx.Response(200, json={"data": None, "errors": [{"message": "unauthorized"}]}),
            errors.CredentialsRejected,
        ),
        (
            httpx.Response(200, json={"errors": [{"message": "first-secret is too short"}]}),
            errors.SpaceliftRefused,
        ),
        (
            httpx.Response(200, json={"errors": [{"message": "internal server error"}]}),
            errors.Unreachable,
        ),
        (httpx.Response(429, headers={"Retry-After": "9"}), errors.RateLimited),
        (httpx.Response(400, text="bad secret: first-secret"), errors.SpaceliftRefused),
        (httpx.Response(404), errors.Unreachable),
        (httpx.Response(502, html="<html>"), errors.Unreachable),
        (httpx.Response(200, text="first-secret"), errors.Unreachable),
        ({"apiKeyUser": {"validUntil": 9}}, errors.Unreachable),
        ({"apiKeyUser": {"jwt": "j", "validUntil": "tomorrow"}}, errors.Unreachable),
        (httpx.ReadTimeout("slow"), errors.Unreachable),
        (httpx.ConnectError("refused"), errors.Unreachable),
    ],
    ids=lambda value: str(value)[:60] if not isinstance(value, type) else value.__name__,
)
async def test_a_failed_exchange_is_never_ambiguous_for_the_mutation_behind_it(
    account: Any, spacelift: Any, answer: Any, expected: type[Exception]
) -> None:
    account.exchange = lambda _request: answer

    with pytest.raises(expected, match="token exchange for API key 01K56PKQ8Z3V") as caught:
        await spacelift.trigger_run("vpc", marker="chain-7")

    assert type(caught.value) is expected
    assert "first-secret" not in f"{caught.value} {caught.value.__cause__}"
    assert account.requests == []
    assert len(account.exchanges) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<!doctype html><title>Sign in</title>"),
        httpx.Response(200, json={"status": "ok"}),
        httpx.Response(200, json=["not", "GraphQL"]),
        httpx.Response(200, text=""),
        httpx.Response(404, html="<h1>Not found</h1>"),
        httpx.Response(302, headers={"Location": "https://sso.example.com"}),
    ],
    ids=["page", "other API", "list", "nothing", "404", "redirect"],
)
async def test_what_is_no_account_makes_the_endpoint_the_suspect(
    account: Any, spacelift: Any, answer: httpx.Response
) -> None:
    account.exchange = lambda _request: answer

    with pytest.raises(errors.Unreachable, match="check the connection's endpoint"):
        await spacelift.get_viewer()


async def test_half_of_an_answer_is_no_reason_to_suspect_the_endpoint(
    account: Any, spacelift: Any
) -> None:
    account.exchange = lambda _request: httpx.Response(200, text='{"data": {"apiKeyUs')

    with pytest.raises(errors.Unreachable, match="try again") as caught:
        await spacelift.get_viewer()
    assert "endpoint" not in caught.value.message


async def test_a_failed_renewal_after_a_refused_mutation_is_not_ambiguous_either(
    account: Any, spacelift: Any, failure: Any, clock: Any
) -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        account.exchange = lambda _request: httpx.Response(503)
        response: httpx.Response = failure("unauthorized", "run")
        return response

    account.script = [refuse]

    with pytest.raises(errors.Unreachable):
        await spacelift.trigger_run("vpc", marker="chain-7")


async def test_a_key_that_cannot_be_read_is_rejected_credentials(
    account: Any, spacelift: Any, key: Any
) -> None:
    key.error = settings.SettingsError("connection default: /secret is empty")

    with pytest.raises(errors.CredentialsRejected, match=r"cannot be read: .*/secret is"):
        await spacelift.get_viewer()

    assert account.exchanges == []


def test_secrets_do_not_show_in_a_repr() -> None:
    shown = repr(connections.ApiKey(key_id="k", secret="s3cret")) + repr(
        tokens.Token(jwt="s3cret", renew_at=0)
    )

    assert "s3cret" not in shown


def _slow(answer: Any) -> Any:
    async def respond(_request: httpx.Request) -> Any:
        await asyncio.sleep(0.01)
        return answer

    return respond
