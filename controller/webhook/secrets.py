"""The secrets that sign the deliveries of each connection, as their files are now.

A file is looked at for each delivery and read when it has changed, so that a rotated secret counts
at once, and a flood of deliveries costs no reading.
"""

import logging
from pathlib import Path

from controller.config import connections, files, settings

logger = logging.getLogger(__name__)


class WebhookSecrets:
    """Never gives an empty secret, and none of a file that is gone."""

    def __init__(self, catalog: connections.ConnectionCatalog) -> None:
        self._catalog = catalog
        self._files: dict[Path, tuple[files.Stamp, str]] = {}

    def of(self, connection: connections.Connection) -> list[str]:
        """Return the secrets that are valid now; an empty list: no delivery is."""
        found = (self._text(secret) for secret in connection.webhook_secrets)
        return [text for text in found if text]

    def log_connections(self) -> None:
        """Log which connections take deliveries; called once, at the start."""
        for name in self._catalog.names():
            connection = self._catalog.get(name)
            count = len(self.of(connection)) if connection is not None else 0
            if count:
                logger.info("Deliveries are taken", extra={"connection": name, "secrets": count})
            else:
                logger.error(
                    "Every delivery is refused: the connection has no webhook secret; set "
                    "webhookSecretFiles of the connection, or SPACELIFT_WEBHOOK_SECRET",
                    extra={"connection": name},
                )

    def _text(self, secret: settings.Secret) -> str:
        if secret.file is None:
            return secret.value
        stamp = files.stamp(secret.file)
        known = self._files.get(secret.file)
        if known is None or known[0] != stamp:
            known = self._files[secret.file] = stamp, _read(secret)
        return known[1]


def _read(secret: settings.Secret) -> str:
    try:
        text = secret.reveal()
    except settings.SettingsError as error:
        # Once for each change of the file. The connection's other secrets still count.
        logger.warning("Webhook secret is not usable", extra={"problems": list(error.problems)})
        return ""
    logger.info("Webhook secret read", extra={"file": str(secret.file)})
    return text
