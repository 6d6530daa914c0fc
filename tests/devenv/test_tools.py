import subprocess
import sys
from pathlib import Path

import pytest

from devenv import tools

ROOT = Path(__file__).parents[2]


def test_a_missing_program_tells_how_to_install_it() -> None:
    with pytest.raises(tools.DevError, match="install it so"):
        tools.find_program("no-such-program", install="install it so")


def test_a_program_beside_python_wins_over_the_path() -> None:
    found = tools.find_program(Path(sys.executable).name, install="")

    assert found.parent == Path(sys.executable).parent


def test_free_ports_differ_and_lie_below_those_of_outgoing_connections() -> None:
    ports = tools.free_ports(20)

    assert len(set(ports)) == 20
    assert max(ports) < 32768


def test_a_port_that_another_process_was_given_is_not_given_again() -> None:
    """Nothing listens on it yet: a part may start seconds after its port was chosen."""
    code = "from devenv import tools; print(tools.free_port(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        while_it_runs = tools.reserve_port(port)
        other.communicate("over")

    assert not while_it_runs
    assert tools.reserve_port(port)
    assert not tools.reserve_port(port)


def test_a_step_is_said_once_it_is_done() -> None:
    said: list[str] = []

    with tools.timed(said.append, "API server ready"):
        assert said == []

    assert said[0].startswith("API server ready (0.")


def test_a_failed_step_is_not_said() -> None:
    said: list[str] = []

    with pytest.raises(tools.DevError), tools.timed(said.append, "never"):
        raise tools.DevError

    assert said == []
