"""Which proxy leads to a server, as kubectl chooses it. Pure.

kubectl reads the variables through Go's library, which differs from Python's: the upper case
counts first, loopback needs no proxy, and NO_PROXY knows networks, ports and `*.example.com`.
"""

import base64
import dataclasses
import ipaddress
from collections.abc import Mapping
from urllib import parse as urlparse

from controller import outside_text
from controller.kube import errors

_PORTS = {"http": 80, "https": 443}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Proxy:
    """A proxy that is spoken to in plain HTTP."""

    host: str
    port: int
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    """What it is sent itself: who the user is."""
    address: str = dataclasses.field(default="", repr=False)
    """As it was given, with user and password."""


def split(address: str, what: str) -> urlparse.SplitResult:
    """Return the parts of an address that has a scheme, a host, and maybe a port.

    Raises:
        errors.Denied: it is not an address; the message does not show its password.
    """
    wrong = errors.Denied(f"{what} is not an address such as https://example.com:6443")
    try:
        parts = urlparse.urlsplit(address)
        is_whole = bool(parts.scheme and parts.hostname) and parts.port != 0
    except ValueError:
        # Not as the cause: it quotes the address.
        raise wrong from None
    # A name that is not ASCII has a form that is, which is the one to write.
    if not is_whole or not address.isascii() or outside_text.visible(address) != address:
        raise wrong
    return parts


def host_of(parts: urlparse.SplitResult) -> str:
    """Return the name or address to connect to; an IPv6 address has no brackets."""
    return urlparse.unquote(parts.hostname or "")


def port_of(parts: urlparse.SplitResult) -> int:
    """Return the port to connect to."""
    return parts.port or _PORTS.get(parts.scheme, 0)


def authority(host: str, port: int | None = None) -> str:
    """Return a host as an address or a Host header has it: an IPv6 address in brackets."""
    # The zone of a link-local address means something only on this machine.
    host, is_ipv6 = host.partition("%")[0], ":" in host
    named = f"[{host}]" if is_ipv6 else host
    return named if port is None else f"{named}:{port}"


def shown(parts: urlparse.SplitResult) -> str:
    """Return an address for a message: without user and password."""
    return f"{parts.scheme}://{authority(host_of(parts), parts.port)}"


def choose(
    server: urlparse.SplitResult, configured: str, variables: Mapping[str, str]
) -> Proxy | None:
    """Return the proxy for a server; None if it is reached without one.

    Args:
        server: the address of the server.
        configured: `proxy-url` of the kubeconfig, which counts before all variables.
        variables: the environment.

    Raises:
        errors.Denied: its protocol is not supported.
    """
    if configured:
        return _proxy(configured, "proxy-url of the kubeconfig")
    name = f"{server.scheme.upper()}_PROXY"
    address = _value(variables, name)
    # In a CGI program HTTP_PROXY is a header of the client's request.
    if not address or (name == "HTTP_PROXY" and variables.get("REQUEST_METHOD")):
        return None
    if _is_direct(host_of(server).rstrip("."), port_of(server), _value(variables, "NO_PROXY")):
        return None
    return _proxy(address if "://" in address else f"http://{address}", name)


def _value(variables: Mapping[str, str], name: str) -> str:
    return variables.get(name) or variables.get(name.lower()) or ""


def _proxy(address: str, what: str) -> Proxy:
    parts = split(address, what)
    if parts.scheme != "http":
        raise errors.Denied(
            f"{what} names a kind of proxy that is not supported ({shown(parts)}); use an "
            "http:// proxy"
        )
    headers = {}
    if parts.username is not None:
        pair = f"{urlparse.unquote(parts.username)}:{urlparse.unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(host=host_of(parts), port=port_of(parts), headers=headers, address=address)


# NO_PROXY

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _is_direct(host: str, port: int, no_proxy: str) -> bool:
    host, found = host.lower(), _address(host)
    if host == "localhost" or (found is not None and found.is_loopback):
        return True
    entries = [entry.strip().lower() for entry in no_proxy.split(",")]
    return any(_is_meant(entry, host, found, port) for entry in entries if entry)


def _is_meant(entry: str, host: str, found: _Address | None, port: int) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return found is not None and _is_within(found, entry)
    name, wanted = _name_and_port(entry)
    if not name or (wanted and wanted != str(port)):
        return False
    address = _address(name)
    if address is not None:
        return address == found
    # With a dot in front only what is below it is meant.
    below = name.removeprefix("*") if name.startswith("*.") else name
    if below.startswith("."):
        return host.endswith(below)
    return host == below or host.endswith(f".{below}")


def _name_and_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _is_within(found: _Address, network: str) -> bool:
    try:
        return found in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _address(text: str) -> _Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
