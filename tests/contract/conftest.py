"""What tests of the resource share."""

import gc

import pytest

from devenv.control_plane import server
from tests.support.kubectl import Kubectl


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_by_others() -> None:
    """Collect what tests of other folders left before modules are parsed.

    Python 3.11 fails to parse one if something that is collected meanwhile parses, too, as the
    text of a traceback does ("AST constructor recursion depth mismatch").
    """
    gc.collect()


@pytest.fixture
def kubectl(control_plane: server.ControlPlane, namespace: str) -> Kubectl:
    """The real kubectl in the test's namespace."""
    return Kubectl(plane=control_plane, namespace=namespace)
