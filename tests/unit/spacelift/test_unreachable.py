"""What to check, given the failure of a request and the proxies of the environment."""

import ssl

import httpx
import pytest

from controller.spacelift import unreachable

URL = httpx.URL("https://acme.app.spacelift.io/graphql")
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
NETWORK = "check the endpoint, DNS and network"
TLS = "there is no TLS on that port"
CERTIFICATE = "its certificate is not trusted: set SPACELIFT_API_TLS_CA to the authority"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *map(str.lower, PROXIES)):
        monkeypatch.delenv(name, raising=False)


def untrusted() -> httpx.ConnectError:
    """Return an error as httpx raises it, of which only the cause says what was wrong."""
    error = httpx.ConnectError("")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("All connection attempts failed"), NETWORK),
        (httpx.ConnectTimeout(""), NETWORK),
        (httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), TLS),
        (httpx.ConnectError("[SSL: RECORD_LAYER_FAILURE] record layer failure"), TLS),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get issuer"), CERTIFICATE),
        (untrusted(), CERTIFICATE),
    ],
)
def test_the_failure_says_what_to_check(error: Exception, expected: str) -> None:
    assert unreachable.advice(error, URL).startswith(expected)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ""),
        ({"HTTPS_PROXY": "http://proxy.example.com:3128"}, "proxy.example.com:3128"),
        ({"https_proxy": "http://proxy.example.com:3128"}, "proxy.example.com:3128"),
        ({"ALL_PROXY": "proxy.example.com:3128"}, "proxy.example.com:3128"),
        ({"HTTPS_PROXY": "http://jane:secret@proxy.example.com:3128"}, "proxy.example.com:3128"),
        ({"HTTPS_PROXY": "http://proxy:port"}, "of the environment"),
        ({"HTTP_PROXY": "http://proxy.example.com:3128"}, ""),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "spacelift.io"}, ""),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com"}, "proxy:3128"),
    ],
)
def test_the_proxy_is_that_of_the_environment_without_its_password(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert unreachable.proxy_of(URL) == expected


def test_a_proxy_is_named_whatever_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")

    assert unreachable.advice(httpx.ConnectError(""), URL).startswith("the proxy proxy:3128 is in")
    assert unreachable.advice(httpx.ProxyError("403"), URL).startswith("the proxy proxy:3128 refus")
    assert "the proxy proxy:3128 replaces" in unreachable.advice(untrusted(), URL)
