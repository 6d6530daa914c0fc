"""Which definitions are brought into a cluster; that they are is in tests/e2e."""

from pathlib import Path

import pytest

from devenv import tools
from devenv.control_plane import definitions


async def test_a_package_without_definitions_says_where_they_are(tmp_path: Path) -> None:
    """The installed package has no `crds/` next to it."""
    cluster = definitions.Cluster(log_file=tmp_path / "kubectl.log")

    with pytest.raises(tools.DevError, match="run this from a clone of the repository"):
        await definitions.apply(cluster, tmp_path / "crds")

    assert not cluster.log_file.exists()


async def test_a_definition_without_conditions_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`kubectl wait` fails at once at a new one, in which they are null."""
    calls = tmp_path / "calls"
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(
        "#!/bin/sh\n"
        f'echo "$*" >> {calls}\n'
        f'if [ "$(grep -c " wait " {calls})" = 1 ]; then\n'
        "  echo 'error: <nil> is not array or slice and cannot be filtered' >&2; exit 1\n"
        "fi\n"
    )
    kubectl.chmod(0o755)
    monkeypatch.setattr(tools, "find_program", lambda name, install: kubectl)
    (tmp_path / "crds").mkdir()
    (tmp_path / "crds" / "chain.yaml").write_text("{}")
    cluster = definitions.Cluster(log_file=tmp_path / "kubectl.log")

    await definitions.apply(cluster, tmp_path / "crds")

    asked = [line.split()[1] for line in calls.read_text().splitlines()]
    assert asked == ["apply", "wait", "wait"]
