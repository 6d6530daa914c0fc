"""Through which proxy a server is reached: as kubectl reads the same variables."""

from urllib import parse as urlparse

import pytest

from controller.kube import errors, proxies

SERVER = "https://api.example.com:6443"
PROXY = "http://proxy:3128"


def chosen(server: str = SERVER, configured: str = "", **variables: str) -> str | None:
    found = proxies.choose(urlparse.urlsplit(server), configured, variables)
    return f"{found.host}:{found.port}" if found is not None else None


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, "proxy:3128"),
        ({"https_proxy": PROXY}, "proxy:3128"),
        ({"HTTPS_PROXY": "http://upper", "https_proxy": PROXY}, "upper:80"),
        ({"HTTPS_PROXY": "proxy:3128"}, "proxy:3128"),
        ({"HTTPS_PROXY": "http://[fd00::1]:3128"}, "fd00::1:3128"),
        ({"HTTP_PROXY": PROXY, "ALL_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "example.com"}, None),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "example.com"}, None),
    ],
)
def test_the_variable_of_the_scheme_counts(variables: dict[str, str], expected: str | None) -> None:
    assert chosen(**variables) == expected


def test_for_plain_http_there_is_another_variable_but_in_a_cgi_program() -> None:
    server = "http://api.example.com"

    assert chosen(server, HTTP_PROXY=PROXY, HTTPS_PROXY="http://x") == "proxy:3128"
    assert chosen(server, HTTP_PROXY=PROXY, REQUEST_METHOD="GET") is None


def test_the_kubeconfig_counts_before_all_variables() -> None:
    variables = {"HTTPS_PROXY": "http://x", "NO_PROXY": "*"}

    assert chosen("https://127.0.0.1", PROXY, **variables) == "proxy:3128"


@pytest.mark.parametrize(
    "server", ["https://localhost:1", "https://127.9.9.9", "https://[::1]:6443"]
)
def test_this_machine_needs_no_proxy(server: str) -> None:
    assert chosen(server, HTTPS_PROXY=PROXY) is None


NO_PROXY = [
    ("example.com", SERVER, True),
    ("EXAMPLE.com ", SERVER, True),
    ("api.example.com", SERVER, True),
    (".example.com", SERVER, True),
    ("*.example.com", SERVER, True),
    (".example.com", "https://example.com", False),
    ("*.example.com", "https://example.com", False),
    ("example.com", "https://example.com", True),
    ("ample.com", SERVER, False),
    ("other.org, example.com", SERVER, True),
    ("example.com:6443", SERVER, True),
    ("example.com:443", SERVER, False),
    ("example.com:443", "https://api.example.com", True),
    ("*", SERVER, True),
    ("", SERVER, False),
    (",,", SERVER, False),
    (":6443", SERVER, False),
    ("10.0.0.0/8", "https://10.1.2.3:6443", True),
    ("10.0.0.0/8", "https://11.1.2.3:6443", False),
    ("10.1.2.3/8", "https://10.9.9.9", True),
    ("10.0.0.0/8", SERVER, False),
    ("10.0.0.0/99", "https://10.1.2.3", False),
    ("10.1.2.3", "https://10.1.2.3:6443", True),
    ("10.1.2.3:6443", "https://10.1.2.3:6443", True),
    ("10.1.2.3:443", "https://10.1.2.3:6443", False),
    ("2.3", "https://10.1.2.3", True),
    ("fd00::/8", "https://[fd12::1]:6443", True),
    ("fd00::/8", "https://[fe80::1]:6443", False),
    ("fd12::1", "https://[fd12:0::1]:6443", True),
    ("[fd12::1]", "https://[fd12::1]:6443", True),
    ("[fd12::1]:6443", "https://[fd12::1]:6443", True),
    ("[fd12::1]:443", "https://[fd12::1]:6443", False),
    ("10.1.2.3", "https://[::ffff:10.1.2.3]", True),
    ("example.com", "https://api.example.com.:6443", True),
]


@pytest.mark.parametrize(("no_proxy", "server", "is_direct"), NO_PROXY)
def test_what_needs_no_proxy(no_proxy: str, server: str, is_direct: bool) -> None:
    expected = None if is_direct else "proxy:3128"

    assert chosen(server, HTTPS_PROXY=PROXY, NO_PROXY=no_proxy) == expected


def test_a_proxy_is_sent_user_and_password_and_nobody_is_shown_them() -> None:
    server = urlparse.urlsplit(SERVER)

    found = proxies.choose(server, "http://me:w%2Frd@proxy", {})

    assert found is not None
    assert found.headers == {"Proxy-Authorization": "Basic bWU6dy9yZA=="}
    assert "bWU6dy9yZA" not in repr(found)


@pytest.mark.parametrize(
    "address",
    [
        "socks5://me:s3cret@proxy:1080",
        "https://s3cret@proxy",
        "http://me:s3cret@proxy:port",
        "http://me:s3cret@[proxy",
        "http://me:s3cret@proxy\n",
        "me:s3cret@proxy",
        "http:///s3cret",
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(errors.Denied, match="proxy-url of the kubeconfig") as raised:
        chosen(configured=address)

    assert "s3cret" not in str(raised.value)


def test_a_variable_that_cannot_be_used_is_named() -> None:
    with pytest.raises(errors.Denied, match=r"^HTTPS_PROXY names a kind of proxy"):
        chosen(HTTPS_PROXY="socks5://me:s3cret@proxy:1080")
