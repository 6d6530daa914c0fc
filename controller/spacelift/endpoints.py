"""Where an account is, what it is called, and which links and user ids belong to it; all pure."""

import re
import urllib.parse

_GRAPHQL_PATH = "/graphql"
_DEFAULT_PORTS = {"http": 80, "https": 443}

# acme.app.spacelift.io, and acme.app.us.spacelift.io for other regions.
_HOSTED = re.compile(r"(?P<account>[a-z0-9-]+)\.app(?:\.(?P<region>[a-z0-9-]+))?\.spacelift\.io")

# Spacelift shortens an API key's id to its first 7 characters in newer texts. Fewer would match
# strangers' keys.
_SHORTEST_KEY_PREFIX = 7


def normalize_endpoint(text: str) -> str:
    """Return the base URL of an account, so that two spellings of one account are equal.

    Args:
        text: A URL with or without scheme, `/graphql` and trailing slashes.

    Raises:
        ValueError: If the text names no http or https host, or carries a user, query or fragment.
    """
    text = text.strip()
    parts = urllib.parse.urlsplit(text if "://" in text else f"https://{text}")
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        message = f"Spacelift endpoint {text!r} is not an http or https URL; give https://ACCOUNT.app.spacelift.io"
        raise ValueError(message)
    if "@" in parts.netloc or parts.query or parts.fragment:
        message = (
            "Spacelift endpoint has a user, query or fragment; give scheme, host and path only"
        )
        raise ValueError(message)
    path = parts.path.rstrip("/").removesuffix(_GRAPHQL_PATH).rstrip("/")
    return f"{parts.scheme}://{_host_and_port(parts)}{path}"


def graphql_url(endpoint: str) -> str:
    """Return the one URL that every request goes to."""
    return normalize_endpoint(endpoint) + _GRAPHQL_PATH


def account_of(endpoint: str) -> str:
    """Return a name for the account that is fit for a workflow id and differs between accounts.

    A hosted account goes by its own name, with the region if it has one, since the same name may
    belong to another customer in another region. Any other goes by host, port and path.
    """
    parts = urllib.parse.urlsplit(normalize_endpoint(endpoint))
    hosted = _HOSTED.fullmatch(parts.hostname or "")
    if hosted is not None:
        return ".".join(part for part in hosted.groups() if part)
    return re.sub(r"[^a-z0-9.]+", "-", (parts.netloc + parts.path).lower()).strip("-.")


def stack_url(endpoint: str, stack_id: str) -> str:
    """Return the link to a stack in Spacelift's UI."""
    return f"{normalize_endpoint(endpoint)}/stack/{urllib.parse.quote(stack_id, safe='')}"


def run_url(endpoint: str, stack_id: str, run_id: str) -> str:
    """Return the link to a run in Spacelift's UI."""
    return f"{stack_url(endpoint, stack_id)}/run/{urllib.parse.quote(run_id, safe='')}"


def is_own_run(triggered_by: str | None, key_id: str, *, key_name: str = "") -> bool:
    """Return whether a run's `triggeredBy`, or the owner of a lock, names the API key.

    Spacelift writes `api::<key id>`, and in newer texts `api::<start of the key id>::<key name>`.
    Keys that were made within half a minute share that start, so the name must match too, if the
    key's name is known. If it is not, the start alone counts: if one of our runs were taken for
    another's, the stack would be triggered once more. An OIDC key's id is
    `oidc::<issuer>::<key id>`, of which the last part counts on both sides.
    """
    kind, _, rest = (triggered_by or "").partition("::")
    own = key_id.rsplit("::", 1)[-1].upper()
    if not rest or not own:
        return False
    parts = rest.split("::")
    if kind == "oidc" or (kind == "api" and parts[0] == "oidc"):
        return parts[-1].upper() == own
    named = parts[0].upper()
    if kind != "api" or named == own:
        return kind == "api"
    is_start = len(named) >= _SHORTEST_KEY_PREFIX and own.startswith(named)
    return is_start and key_name in ("", _name_in(rest))


def key_name(triggered_by: str | None) -> str:
    """Return the name of the API key in a run's `triggeredBy`; empty if there is none."""
    kind, _, rest = (triggered_by or "").partition("::")
    return _name_in(rest) if kind == "api" and not rest.startswith("oidc::") else ""


def _name_in(rest: str) -> str:
    # A name may hold the separator itself.
    return rest.partition("::")[2]


def _host_and_port(parts: urllib.parse.SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    if parts.port is None or parts.port == _DEFAULT_PORTS[parts.scheme]:
        return host
    return f"{host}:{parts.port}"
