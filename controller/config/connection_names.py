"""The names of connections that are known without reading any: part of addresses and options."""

DEFAULT_CONNECTION = "default"


def webhook_path(connection: str) -> str:
    """Return where the receiver takes the deliveries of a connection."""
    return f"/webhooks/spacelift/{connection}"
