"""The image, built by hack/build-image with whatever engine and base this machine has."""

import pytest

from tests.support import images


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> images.Image:
    """The image under test; hack/e2e gives its layers the same name."""
    archive = tmp_path_factory.mktemp("image") / "stackchain.tar"
    return images.build("localhost/stackchain:e2e", archive)
