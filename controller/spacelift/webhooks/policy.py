"""The notification policy as it is registered: the documented one, for a webhook's own id."""

import json
from importlib import resources

TYPE = "NOTIFICATION"

_FILE = "notification-policy.rego"
_DOCUMENTED_LINE = 'endpoint_id := "stackchain"\n'


def body(endpoint_id: str) -> str:
    """Return the Rego text that routes runs to the named webhook of this id."""
    text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    # A JSON string is a Rego string.
    return text.replace(_DOCUMENTED_LINE, f"endpoint_id := {json.dumps(endpoint_id)}\n")
