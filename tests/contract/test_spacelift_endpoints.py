"""Endpoints that are wrong, over real sockets: the message says which way, and what to do."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from controller.config import connections
from controller.spacelift import account_session, client, errors
from devenv import tools
from devenv.simulator import scenario as scenarios
from devenv.simulator import simulator as simulators
from devenv.simulator.web import server as simulator_server

ACCOUNT = "https://acme.app.spacelift.io"


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[simulator_server.Server]:
    account = simulators.Simulator(scenarios.parse({}))
    running = simulator_server.Server(account, host="127.0.0.1", port=0, tls_port=0, ca_file=None)
    await running.start()
    yield running
    await running.stop()


async def refusal(endpoint: str) -> str:
    """Return why an account cannot be asked for anything."""
    session = account_session.AccountSession(
        endpoint=endpoint,
        read_api_key=lambda: connections.ApiKey(key_id="01JKEY", secret="secret"),
    )
    async with contextlib.aclosing(client.SpaceliftClient(session)) as asking:
        with pytest.raises(errors.Unreachable) as refused:
            await asking.get_viewer()
    return str(refused.value)


def port_of(url: str | None) -> str:
    assert url is not None
    return url.rpartition(":")[2]


async def test_tls_on_a_port_without(server: simulator_server.Server) -> None:
    said = await refusal(f"https://127.0.0.1:{port_of(server.url)}")

    assert "there is no TLS on that port" in said
    assert "start with http://" in said


async def test_none_on_a_port_with_tls(server: simulator_server.Server) -> None:
    said = await refusal(f"http://127.0.0.1:{port_of(server.tls_url)}")

    assert "the endpoint has to start with https://" in said


async def test_a_certificate_of_an_unknown_authority(server: simulator_server.Server) -> None:
    said = await refusal(server.tls_url or "")

    assert "its certificate is not trusted" in said
    assert "SPACELIFT_API_TLS_CA" in said


async def test_a_port_on_which_nobody_listens() -> None:
    said = await refusal(f"http://127.0.0.1:{tools.free_port()}")

    assert said.endswith("check the endpoint, DNS and network")


async def test_a_path_that_is_no_account(server: simulator_server.Server) -> None:
    said = await refusal(f"{server.url}/elsewhere")

    assert "check the connection's endpoint" in said


@pytest.mark.parametrize(
    ("proxy", "how"), [("refuses", "refuses: check it"), ("is away", "is in between: check it")]
)
async def test_a_proxy_that_does_not_serve(
    server: simulator_server.Server, proxy: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = port_of(server.url) if proxy == "refuses" else tools.free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://jane:hidden@127.0.0.1:{port}")

    said = await refusal(ACCOUNT)

    assert f"the proxy 127.0.0.1:{port} {how}" in said
    assert "hidden" not in said
