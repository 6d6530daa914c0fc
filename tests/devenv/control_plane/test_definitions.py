"""Which definitions are brought into a cluster; that they are is in tests/e2e."""

from pathlib import Path

import pytest

from devenv import tools
from devenv.control_plane import definitions


async def test_a_package_without_definitions_says_where_they_are(tmp_path: Path) -> None:
    """The installed package has no `crds/` beside it."""
    cluster = definitions.Cluster(log_file=tmp_path / "kubectl.log")

    with pytest.raises(tools.DevError, match="run this from a clone of the repository"):
        await definitions.apply(cluster, tmp_path / "crds")

    assert not cluster.log_file.exists()
