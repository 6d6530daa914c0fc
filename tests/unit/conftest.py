"""Unit tests decide on plain values: a connection to anything is a mistake in the test."""

import socket
from typing import NoReturn

import pytest


@pytest.fixture(autouse=True)
def _no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: socket.socket, address: object) -> NoReturn:
        pytest.fail(f"a unit test connects to {address!r}; it belongs into another folder")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
