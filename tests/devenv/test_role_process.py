from pathlib import Path

import pytest

from devenv import role_process, simulator_process, tools

ENDPOINTS = role_process.Endpoints(
    kubeconfig=Path("/k"),
    temporal_address="127.0.0.1:7233",
    spacelift_url="http://127.0.0.1:1",
    api_key=simulator_process.AccountKey(id="key", secret="hidden"),
)


def test_each_role_gets_only_what_it_needs() -> None:
    """As in a cluster: the worker has no rights there, the operator no key of Spacelift."""
    operator, worker = ENDPOINTS.variables("operator"), ENDPOINTS.variables("worker")
    webhook = ENDPOINTS.variables("webhook")

    assert "KUBECONFIG" in operator
    assert "SPACELIFT_API_KEY_SECRET" not in operator
    assert "KUBECONFIG" not in worker
    assert worker["SPACELIFT_API_KEY_SECRET"] == "hidden"
    assert "KUBECONFIG" not in webhook
    assert "SPACELIFT_API_KEY_SECRET" not in webhook
    assert "SPACELIFT_WEBHOOK_SECRET" in webhook
    assert "SPACELIFT_WEBHOOK_SECRET" not in operator | worker


def test_everything_may_be_tried_in_the_simulated_account() -> None:
    operator = ENDPOINTS.variables("operator")

    assert operator["SPACELIFT_ALLOWED_OPERATIONS"] == "Apply,Plan,Destroy"


def test_secrets_do_not_show() -> None:
    assert "hidden" not in repr(ENDPOINTS)
    assert simulator_process.WEBHOOK_SECRET not in repr(ENDPOINTS)


@pytest.mark.parametrize(
    "name", ["KUBECONFIG", "TEMPORAL_API_KEY", "SPACELIFT_API_KEY_SECRET_FILE", "LOG_LEVEL"]
)
def test_settings_of_the_shell_do_not_reach_a_role(name: str) -> None:
    assert role_process.cleared_environment()[name] is None


def test_a_role_has_a_stable_identity(tmp_path: Path) -> None:
    role = role_process.Role(
        role_process.RoleOptions(
            role="worker", directory=tmp_path, environment=ENDPOINTS.variables("worker"), instance=1
        )
    )

    environment = role.command.environment
    assert environment["STACKCHAIN_POD_NAME"] == "stackchain-worker-1"
    assert environment["HEALTH_ADDRESS"] == role.health_url.removeprefix("http://")
    assert environment["KUBECONFIG"] is None
    assert environment["TEMPORAL_ADDRESS"] == "127.0.0.1:7233"


def test_a_child_that_was_not_started_says_so(tmp_path: Path) -> None:
    with pytest.raises(tools.DevError, match="has not been started"):
        _ = simulator_process.SimulatorProcess(tmp_path).process


def test_our_key_is_added_to_those_of_a_scenario_once() -> None:
    scenario = {"account": "acme", "keys": [{"id": "a", "secret": "b"}]}

    twice = simulator_process.with_api_key(simulator_process.with_api_key(scenario))

    assert [key["id"] for key in twice["keys"]] == ["a", simulator_process.API_KEY.id]
    assert len(scenario["keys"]) == 1
