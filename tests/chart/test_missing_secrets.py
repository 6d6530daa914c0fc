"""A Secret or a key of it that is not there: the role says so in one line, and ends.

With `terminationMessagePolicy: FallbackToLogsOnError` that line is part of the pod's status. The
Secrets are optional volumes, so their files are missing where the chart's paths lead.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import charts

Release = Callable[..., charts.Objects]


@pytest.mark.parametrize(
    ("role", "changes", "secret", "key"),
    [
        ("worker", {}, "keys", "api-key-id"),
        ("operator", {"temporal.apiKey.existingSecret": "cloud"}, "cloud", "api-key"),
        ("worker", {"temporal.tls.client.existingSecret": "mtls"}, "mtls", "tls.crt"),
        ("worker", {"temporal.payloadKeys.existingSecret": "aes"}, "aes", "payload-keys"),
        ("operator", {"signing.existingSecret": "hmac"}, "hmac", "signing-keys"),
    ],
    ids=[
        "Spacelift API key",
        "Temporal API key",
        "client certificate",
        "payload keys",
        "signing keys",
    ],
)
def test_the_role_names_the_secret_and_its_key(
    release: Release,
    tmp_path: Path,
    role: str,
    changes: dict[str, Any],
    secret: str,
    key: str,
) -> None:
    objects = release(changes)
    connections = tmp_path / "connections.yaml"
    connections.write_text(objects.one("ConfigMap", "connections")["data"]["connections.yaml"])
    made_by_the_chart = tmp_path / "signing-keys"
    made_by_the_chart.write_text("k" * 32)
    environment = {
        **objects.environment(role),
        "STACKCHAIN_NAMESPACE": "default",
        "SPACELIFT_CONNECTIONS_FILE": str(connections),
    }
    if "signing.existingSecret" not in changes:
        environment["STACKCHAIN_SIGNING_KEYS_FILE"] = str(made_by_the_chart)

    done = subprocess.run(
        [sys.executable, "-m", "controller", *objects.container(role)["args"]],
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert done.returncode == 2
    assert f"/{secret}/{key}" in done.stderr
    assert "Traceback" not in done.stderr
    assert all(line.startswith("stackchain: ") for line in done.stderr.splitlines())
