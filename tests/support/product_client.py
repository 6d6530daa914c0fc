"""The product's own client of the API server, which is closed whatever becomes of the test.

What a failing test leaves open is collected during another test, which then fails as well.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from controller.config import settings
from controller.kube import api_requests, client


@contextlib.asynccontextmanager
async def connected(
    kubeconfig: Path | None, *, request_timeout: float = api_requests.REQUEST_TIMEOUT_SECONDS
) -> AsyncIterator[client.KubeClient]:
    """Give a client with this kubeconfig; None: with what a pod has."""
    made = client.KubeClient(
        settings.KubernetesSettings(kubeconfig=kubeconfig), request_timeout=request_timeout
    )
    try:
        yield made
    finally:
        await made.close()
