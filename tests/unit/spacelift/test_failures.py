"""What each form of failure becomes, for a read and for a mutation."""

import datetime
import email.utils
import ssl
from typing import Any

import httpx
import pytest

from controller.spacelift import errors
from controller.spacelift.models import RunKey

KEY = RunKey(stack_id="vpc", run_id="01RUN1")
HTML = "<html><head><title>502 Bad Gateway</title></head>" + "x" * 2000


async def read(spacelift: Any) -> Any:
    return await spacelift.get_run(KEY)


async def mutate(spacelift: Any) -> Any:
    return await spacelift.trigger_run("vpc", marker="chain-7")


BOTH = pytest.mark.parametrize("call", [read, mutate])


@BOTH
@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), errors.Unreachable),
        (httpx.ConnectError("[Errno 111] Connection refused"), errors.Unreachable),
        (httpx.ConnectError(str(ssl.SSLCertVerificationError("bad CA"))), errors.Unreachable),
        (httpx.ConnectTimeout("slow"), errors.Unreachable),
        (httpx.PoolTimeout("busy"), errors.Unreachable),
        (httpx.ProxyError("407 Proxy Authentication Required"), errors.Unreachable),
        (httpx.ReadTimeout(""), errors.AmbiguousOutcome),
        (httpx.WriteTimeout("slow"), errors.AmbiguousOutcome),
        (httpx.ReadError("[Errno 104] Connection reset by peer"), errors.AmbiguousOutcome),
        (httpx.WriteError("broken pipe"), errors.AmbiguousOutcome),
        (httpx.RemoteProtocolError("Server disconnected"), errors.AmbiguousOutcome),
        (httpx.DecodingError("bad gzip"), errors.AmbiguousOutcome),
    ],
    ids=lambda value: f"{type(value).__name__}: {value}" if isinstance(value, Exception) else None,
)
async def test_transport_failures_split_by_whether_anything_was_sent(
    account: Any, spacelift: Any, call: Any, cause: Exception, expected: type[Exception]
) -> None:
    account.script = [cause]

    with pytest.raises(expected, match=r"run .*stack vpc.*acme.app.spacelift.io") as caught:
        await call(spacelift)

    assert type(caught.value) is expected
    assert caught.value.__cause__ is cause
    assert len(account.requests) == 1


@BOTH
@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (httpx.Response(500, html=HTML), errors.AmbiguousOutcome),
        (httpx.Response(502, html=HTML), errors.AmbiguousOutcome),
        (httpx.Response(503), errors.AmbiguousOutcome),
        (httpx.Response(504, html=HTML), errors.AmbiguousOutcome),
        (httpx.Response(408), errors.AmbiguousOutcome),
        (httpx.Response(200, html=HTML), errors.AmbiguousOutcome),
        (httpx.Response(200, content=b'{"data": {"stack"'), errors.AmbiguousOutcome),
        (httpx.Response(200, content=b"\xff\xfe"), errors.AmbiguousOutcome),
        (httpx.Response(200), errors.AmbiguousOutcome),
        (httpx.Response(204), errors.AmbiguousOutcome),
        (httpx.Response(200, json=[]), errors.AmbiguousOutcome),
        (httpx.Response(200, json={}), errors.AmbiguousOutcome),
        (httpx.Response(200, json={"data": None}), errors.AmbiguousOutcome),
        (httpx.Response(200, json={"data": "text"}), errors.AmbiguousOutcome),
        (httpx.Response(200, json={"errors": ["text"]}), errors.AmbiguousOutcome),
        (httpx.Response(200, json={"data": {"viewer": {"id": "me"}}}), errors.AmbiguousOutcome),
        (httpx.Response(400, text="bad request"), errors.SpaceliftRefused),
        (httpx.Response(413, html=HTML), errors.SpaceliftRefused),
        (httpx.Response(404, html=HTML), errors.Unreachable),
        (httpx.Response(403, html=HTML), errors.Unreachable),
        (httpx.Response(407), errors.Unreachable),
        (httpx.Response(302, headers={"Location": "/login"}), errors.Unreachable),
    ],
    ids=lambda value: (
        f"{value.status_code} {value.content[:24]!r}" if isinstance(value, httpx.Response) else None
    ),
)
async def test_http_failures_split_by_whether_it_may_have_been_done(
    account: Any, spacelift: Any, call: Any, response: httpx.Response, expected: type[Exception]
) -> None:
    account.script = [response]

    with pytest.raises(expected, match=r"run .*stack vpc") as caught:
        await call(spacelift)

    assert type(caught.value) is expected
    assert len(str(caught.value)) < 450
    assert len(account.requests) == 1


def http_date(now: float, *, seconds: int) -> str:
    moment = datetime.datetime.fromtimestamp(now + seconds, tz=datetime.UTC)
    return email.utils.format_datetime(moment, usegmt=True)


@BOTH
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("date+90", 90.0),
        ("date-90", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
async def test_429_carries_the_delay_that_spacelift_asks_for(
    account: Any, clock: Any, spacelift: Any, call: Any, header: str | None, expected: float | None
) -> None:
    if header is not None and header.startswith("date"):
        header = http_date(clock(), seconds=int(header.removeprefix("date")))
    headers = {} if header is None else {"Retry-After": header}
    account.script = [httpx.Response(429, headers=headers)]

    with pytest.raises(errors.RateLimited) as caught:
        await call(spacelift)

    assert caught.value.retry_after_seconds == expected
    assert len(account.requests) == 1


async def test_unauthorized_read_with_a_viewer_is_a_lack_of_permission(
    account: Any, spacelift: Any, failure: Any
) -> None:
    account.script = [
        failure("unauthorized", "stack", data={"viewer": {"id": "me"}, "stack": None})
    ]

    with pytest.raises(errors.PermissionDenied, match="run 01RUN1 of stack vpc"):
        await read(spacelift)

    assert len(account.requests) == len(account.exchanges) == 1


@BOTH
@pytest.mark.parametrize("has_data", [True, False])
async def test_unauthorized_that_a_new_token_heals_is_not_seen(
    account: Any, spacelift: Any, failure: Any, run_json: Any, call: Any, has_data: bool
) -> None:
    field = "stack" if call is read else "run"
    data = {field: None} | ({"viewer": None} if call is read else {}) if has_data else None
    answer = {"viewer": {"id": "me"}, "stack": {"run": run_json()}, "run": run_json()}
    account.script = [failure("unauthorized", field, data=data), answer]

    run = await call(spacelift)

    assert run.run_id == "01RUN1"
    assert account.tokens == ["Bearer token-1", "Bearer token-2"]
    assert account.bodies[0] == account.bodies[1]


@BOTH
async def test_http_401_that_a_new_token_heals_is_not_seen(
    account: Any, spacelift: Any, run_json: Any, call: Any
) -> None:
    answer = {"viewer": {"id": "me"}, "stack": {"run": run_json()}, "run": run_json()}
    account.script = [httpx.Response(401, text="unauthorized"), answer]

    run = await call(spacelift)

    assert run.run_id == "01RUN1"
    assert account.tokens == ["Bearer token-1", "Bearer token-2"]


@BOTH
@pytest.mark.parametrize("form", ["401", "errors"])
async def test_unauthorized_after_one_new_token_without_a_viewer_is_rejected_credentials(
    account: Any, spacelift: Any, failure: Any, call: Any, form: str
) -> None:
    denied = httpx.Response(401) if form == "401" else failure("unauthorized", "stack")
    account.script = [denied, denied, {"viewer": None}]

    with pytest.raises(errors.CredentialsRejected, match="key id and secret"):
        await call(spacelift)

    assert len(account.exchanges) == 2
    assert len(account.requests) == 3


@BOTH
async def test_unauthorized_after_one_new_token_with_a_viewer_is_a_lack_of_permission(
    account: Any, spacelift: Any, failure: Any, call: Any
) -> None:
    denied = failure("you are unauthorized to do this", "run")
    account.script = [denied, denied, {"viewer": {"id": "me"}}]

    with pytest.raises(errors.PermissionDenied, match="stack vpc"):
        await call(spacelift)

    assert len(account.exchanges) == 2
    assert len(account.requests) == 3


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(502), errors.Unreachable),
        (httpx.ReadTimeout("slow"), errors.Unreachable),
        (httpx.Response(429), errors.RateLimited),
        (httpx.Response(401), errors.CredentialsRejected),
    ],
    ids=["502", "time-out", "429", "401"],
)
async def test_a_denied_mutation_stays_denied_when_asking_why_fails(
    account: Any, spacelift: Any, failure: Any, answer: Any, expected: type[Exception]
) -> None:
    denied = failure("unauthorized", "run")
    account.script = [denied, denied, answer]

    with pytest.raises(expected):
        await mutate(spacelift)


async def test_a_list_that_is_empty_for_a_bad_token_is_asked_for_again(
    account: Any, spacelift: Any, stack_json: Any
) -> None:
    nothing = {"edges": [], "pageInfo": {"endCursor": None, "hasNextPage": False}}
    something = nothing | {"edges": [{"node": stack_json("vpc", labels=["team:net"])}]}
    account.script = [
        {"viewer": None, "searchStacks": nothing},
        {"viewer": {"id": "me"}, "searchStacks": something},
    ]

    stacks = await spacelift.list_stacks_by_labels(["team:net"])

    assert [stack.id for stack in stacks] == ["vpc"]
    assert len(account.exchanges) == 2


@pytest.mark.parametrize(
    "read_nothing",
    [
        lambda spacelift: spacelift.list_stacks_by_labels(["team:net"]),
        lambda spacelift: spacelift.get_stacks(["vpc"]),
        lambda spacelift: spacelift.get_runs([KEY]),
        lambda spacelift: spacelift.get_run(KEY),
        lambda spacelift: spacelift.list_runs_after("vpc", None),
        lambda spacelift: spacelift.get_viewer(),
    ],
    ids=["list_stacks_by_labels", "get_stacks", "get_runs", "get_run", "list_runs", "get_viewer"],
)
async def test_an_empty_answer_to_nobody_is_rejected_credentials(
    account: Any, spacelift: Any, read_nothing: Any
) -> None:
    nothing = {"edges": [], "pageInfo": {"endCursor": None, "hasNextPage": False}}
    account.script = [{"viewer": None, "stack": None, "a0": None, "searchStacks": nothing}]

    with pytest.raises(errors.CredentialsRejected):
        await read_nothing(spacelift)

    assert len(account.exchanges) == len(account.requests) == 2


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("stack has 1 error: commit: no such commit", errors.SpaceliftRefused),
        ("commit 4f0c2d9 not found", errors.SpaceliftRefused),
        ("run is not in an unconfirmed state", errors.SpaceliftRefused),
        ("not found", errors.SpaceliftObjectNotFound),
        ("stack vpc not found", errors.SpaceliftObjectNotFound),
        ("Run 01R: not found", errors.SpaceliftObjectNotFound),
    ],
)
async def test_a_sound_no_to_a_mutation_means_that_nothing_was_done(
    account: Any, spacelift: Any, failure: Any, message: str, expected: type[Exception]
) -> None:
    account.script = [failure(message, "run", data={"run": None})]

    with pytest.raises(expected, match="stack vpc") as caught:
        await mutate(spacelift)

    assert type(caught.value) is expected
    assert message in str(caught.value)
    assert len(account.requests) == 1


@BOTH
@pytest.mark.parametrize(
    "message",
    [
        "internal server error",
        "graphql: panic occurred: nil map",
        "context deadline exceeded",
        "context canceled",
        "request timed out",
        "service unavailable, try again later",
    ],
)
async def test_spacelift_failing_at_it_does_not_tell_how_far_it_came(
    account: Any, spacelift: Any, failure: Any, call: Any, message: str
) -> None:
    data = {"run": None, "viewer": {"id": "me"}, "stack": None}
    account.script = [failure(message, "run", data=data)]

    with pytest.raises(errors.AmbiguousOutcome, match=message):
        await call(spacelift)


async def test_a_rejected_document_is_a_refusal(account: Any, spacelift: Any) -> None:
    error = {"message": 'Cannot query field "x" on type "Run".', "locations": []}
    account.script = [httpx.Response(200, json={"errors": [error]})]

    with pytest.raises(errors.SpaceliftRefused, match="Cannot query field"):
        await mutate(spacelift)


@pytest.mark.parametrize("message", ["unauthorized", "not found", "internal error"])
async def test_a_mutation_whose_selection_failed_may_have_been_done(
    account: Any, spacelift: Any, failure: Any, message: str
) -> None:
    account.script = [failure(message, "run", "commit", "hash", data=None)]

    with pytest.raises(errors.AmbiguousOutcome, match=message):
        await mutate(spacelift)

    assert len(account.requests) == len(account.exchanges) == 1


async def test_a_mutation_that_answers_with_its_run_was_done_whatever_else_failed(
    account: Any, spacelift: Any, failure: Any, run_json: Any
) -> None:
    account.script = [failure("unauthorized", "run", "commit", data={"run": run_json(commit=None)})]

    run = await mutate(spacelift)

    assert run.run_id == "01RUN1"
    assert run.commit_sha is None


async def test_a_long_message_from_outside_is_cut(
    account: Any, spacelift: Any, failure: Any
) -> None:
    account.script = [failure("y" * 5000, "run", data={"run": None})]

    with pytest.raises(errors.SpaceliftRefused) as caught:
        await mutate(spacelift)

    assert len(str(caught.value)) < 400


async def test_the_observer_is_told_of_every_operation_and_its_outcome(
    account: Any, spacelift: Any, run_json: Any, observed: Any
) -> None:
    account.script = [
        {"run": run_json()},
        httpx.Response(503),
        httpx.Response(429),
        httpx.ConnectError("refused"),
    ]

    await mutate(spacelift)
    for _ in range(3):
        with pytest.raises(errors.SpaceliftError):
            await mutate(spacelift)

    assert observed == [
        ("ExchangeToken", "ok"),
        ("TriggerRun", "ok"),
        ("TriggerRun", "ambiguous"),
        ("TriggerRun", "rate_limited"),
        ("TriggerRun", "unreachable"),
    ]
