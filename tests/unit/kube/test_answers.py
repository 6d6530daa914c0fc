"""What an answer of the API server, or of something else, means to a caller."""

import json
from typing import Any

import pytest

from controller.kube import api_requests, errors

PATH = "/apis/stackchain.dev/v1alpha1/namespaces/team/stackchains/chain"
DETAILS = {"name": "chain", "group": "stackchain.dev", "kind": "stackchains"}


def refusal(details: dict[str, Any] | None = None, message: str = "no") -> bytes:
    status: dict[str, Any] = {"kind": "Status", "message": message}
    return json.dumps(status | ({"details": details} if details else {})).encode()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(404, refusal(DETAILS), errors.ObjectNotFound, id="resource is gone"),
        pytest.param(404, refusal(), errors.NotServed, id="404 without details"),
        pytest.param(404, b"404 page not found", errors.NotServed, id="404 of a proxy"),
        pytest.param(
            404,
            refusal({"name": "cha", "kind": "stackchains"}),
            errors.ApiUnreachable,
            id="404 of another name",
        ),
        pytest.param(
            404,
            refusal({"name": "chain", "kind": "secrets"}),
            errors.ApiUnreachable,
            id="404 of another kind",
        ),
        pytest.param(401, refusal(), errors.Denied, id="401"),
        pytest.param(403, refusal(), errors.Denied, id="403"),
        pytest.param(409, refusal(), errors.Conflict, id="409"),
        pytest.param(410, refusal(), errors.Expired, id="410"),
        pytest.param(400, refusal(), errors.Invalid, id="400"),
        pytest.param(422, refusal(), errors.Invalid, id="422"),
        pytest.param(500, b"<html>", errors.ApiUnreachable, id="500"),
        pytest.param(503, refusal(), errors.ApiUnreachable, id="503"),
        pytest.param(302, b"", errors.ApiUnreachable, id="redirect to a login page"),
        pytest.param(200, b"<html>", errors.ApiUnreachable, id="200 of a login page"),
    ],
)
def test_status_means_error(status: int, body: bytes, expected: type[Exception]) -> None:
    with pytest.raises(errors.KubeError) as raised:
        api_requests.read_answer(f"GET {PATH}", status, {}, body)

    assert isinstance(raised.value, expected)
    assert PATH in str(raised.value)


def test_a_status_patch_of_a_missing_resource_is_not_found() -> None:
    with pytest.raises(errors.ObjectNotFound):
        api_requests.read_answer(f"PATCH {PATH}/status", 404, {}, refusal(DETAILS))


def test_an_object_is_returned_as_it_is() -> None:
    assert api_requests.read_answer(f"GET {PATH}", 200, {}, b'{"kind": "StackChain"}') == {
        "kind": "StackChain"
    }


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry-After": "7"}, 7.0, id="seconds"),
        pytest.param({}, 1.0, id="none"),
        pytest.param({"Retry-After": "86400"}, 300.0, id="minutes at most"),
        pytest.param({"Retry-After": "0"}, 1.0, id="never at once"),
        pytest.param(
            {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 1.0, id="a date that is past"
        ),
    ],
)
def test_throttling_says_how_long(headers: dict[str, str], seconds: float) -> None:
    with pytest.raises(errors.Throttled) as raised:
        api_requests.read_answer(f"GET {PATH}", 429, headers, refusal())

    assert raised.value.retry_after_seconds == seconds


def test_a_long_refusal_is_cut() -> None:
    with pytest.raises(errors.Invalid) as raised:
        api_requests.read_answer(f"GET {PATH}", 422, {}, refusal(message="x" * 10_000))

    assert len(str(raised.value)) < 500
