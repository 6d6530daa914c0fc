"""What tests of the resource share."""

import pytest

from devenv.control_plane import server
from tests.support.kubectl import Kubectl


@pytest.fixture
def kubectl(control_plane: server.ControlPlane, namespace: str) -> Kubectl:
    """The real kubectl in the test's namespace."""
    return Kubectl(plane=control_plane, namespace=namespace)
