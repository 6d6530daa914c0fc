"""Where the credentials of the Kubernetes API come from, and the message when there are none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from controller.config import settings
from controller.kube import client, errors

UNUSABLE = pytest.mark.parametrize(
    "content",
    [
        pytest.param("just a text", id="text"),
        pytest.param("[a, b]", id="a list"),
        pytest.param("a: [b: c\n - x", id="no YAML"),
        pytest.param("apiVersion: v1\nkind: Config\nclusters: []\n", id="no context"),
        pytest.param("current-context: a\ncontexts: [x]\n", id="contexts of another form"),
        pytest.param("", id="empty"),
    ],
)


@UNUSABLE
async def test_a_kubeconfig_that_cannot_be_used_is_told_in_one_line(
    content: str, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    connected = client.KubeClient(settings.KubernetesSettings(kubeconfig=path))

    with pytest.raises(errors.Denied) as raised:
        await connected.load_credentials()

    said = str(raised.value)
    assert said.startswith("No access to a Kubernetes API: ")
    assert said.endswith("Set KUBECONFIG, or run in a pod with a service account token")
    assert "\n" not in said


def test_the_operator_ends_at_once_with_a_line_that_names_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("just a text")
    environment = dict(os.environ) | {  # noqa: TID251 - PATH and the like, for a program
        "KUBECONFIG": str(path),
        "HEALTH_ADDRESS": "127.0.0.1:0",
        "SPACELIFT_API_KEY_ENDPOINT": "http://127.0.0.1:1",
        "SPACELIFT_ALLOWED_NAMESPACES": "*",
    }

    ended = subprocess.run(
        [sys.executable, "-m", "controller", "operator"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 2
    assert ended.stderr == (
        f"stackchain: KUBECONFIG: No access to a Kubernetes API: {path} is not a kubeconfig. Set "
        "KUBECONFIG, or run in a pod with a service account token\n"
    )
