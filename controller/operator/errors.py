"""Maps what reconcile raises to kopf's two kinds; the only place that does."""

import contextlib
from collections.abc import Iterator

import kopf

from controller.kube import errors as kube_errors
from controller.operator import reconciler
from controller.temporal import client as temporal_client
from controller.temporal.activities import chain_status

# The status says that it is retried; often enough to feel prompt, rare enough for an outage.
RETRY_SECONDS = 5.0


@contextlib.contextmanager
def as_kopf() -> Iterator[None]:
    """Let kopf retry what may pass on its own, and end what only an edit can fix."""
    try:
        yield
    except kube_errors.Throttled as error:
        raise kopf.TemporaryError(str(error), delay=error.retry_after_seconds) from error
    except (temporal_client.TemporalUnreachable, kube_errors.KubeError) as error:
        raise kopf.TemporaryError(str(error), delay=RETRY_SECONDS) from error
    except chain_status.ReconcileFailed as error:
        raise kopf.TemporaryError(str(error), delay=error.retry_seconds) from error
    except reconciler.InvalidSpec as error:
        raise kopf.PermanentError(str(error)) from error
    except chain_status.ResourceGone:
        # Nothing is left to bring in line.
        return
