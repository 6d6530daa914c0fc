"""Parsers of one value: they take its text, or raise ValueError with what it must be.

The message continues a sentence about the value, such as "must be true or false". It does not quote
the value, which could be a secret.
"""

import enum
import ipaddress
import math
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib import parse as urlparse

Choice = TypeVar("Choice", bound=enum.StrEnum)


def below_home(path: str | Path) -> Path:
    """Return a path with `~` replaced by the home; unchanged if there is no home."""
    try:
        return Path(path).expanduser()
    # A container may run as a user whom its system does not know.
    except RuntimeError:
        return Path(path)


def existing_file(text: str) -> Path:
    """Parse the path of a file that can be read now."""
    path = below_home(text)
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"cannot be read ({reason_of(error)}); name a readable file") from error


def authorities_file(text: str) -> Path:
    """Parse the path of a file with the certificates of authorities, in PEM."""
    path = existing_file(text)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        # Refused now: later, every connection would fail without saying why.
        raise ValueError("contains no PEM certificate; give the CA's certificate file") from error
    return path


def is_key_pair(certificate: Path, key: Path) -> bool:
    """Return whether two files in PEM hold a certificate and its private key, without password."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # A password would be asked for on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError):
        return False
    return True


def seconds(text: str) -> float:
    """Parse a length of time above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError("must be a number of seconds above 0, for example 30")
    return value


def whole(minimum: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from a minimum on."""

    def parse(text: str) -> int:
        # Not int(): it accepts "1_000" and surrounding blanks, which no chart or shell means.
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < minimum:
            raise ValueError(f"must be a whole number, {minimum} or more")
        return int(text)

    return parse


def boolean(text: str) -> bool:
    """Parse true or false."""
    match text.lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
    raise ValueError("must be true or false")


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser of a fixed set of words, taken in any case and returned as spelled here."""
    spelled = {choice.lower(): choice for choice in choices}

    def parse(text: str) -> str:
        if text.lower() not in spelled:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return spelled[text.lower()]

    return parse


def member_of(choices: type[Choice]) -> Callable[[str], Choice]:
    """Return a parser of the values of an enumeration, taken in any case."""
    spell = one_of(*choices)
    return lambda text: choices(spell(text))


def matching(pattern: str, description: str) -> Callable[[str], str]:
    """Return a parser of texts of a form."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {description}")
        return text

    return parse


dns_label = matching(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    "a Kubernetes name: at most 63 lower case letters, digits and inner dashes",
)


def all_or(item: Callable[[str], str]) -> Callable[[str], str]:
    """Return a parser of an item, or of `*` for whatever there is."""

    def parse(text: str) -> str:
        return text if text == "*" else item(text)

    return parse


def comma_list(item: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """Return a parser of comma separated items, sorted and each one once."""

    def parse(text: str) -> tuple[str, ...]:
        words = {word.strip() for word in text.split(",")} - {""}
        return tuple(sorted(item(word) for word in words))

    return parse


def host_port(text: str) -> str:
    """Parse `host:port`, with brackets around the host of IPv6."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) <= 65535 or "/" in host:
        raise ValueError("must be host:port, for example temporal:7233")
    if ":" in host:
        try:
            ipaddress.IPv6Address(host.strip("[]"))
        except ValueError:
            raise ValueError("must be host:port, with an IPv6 host in brackets") from None
        if not (host.startswith("[") and host.endswith("]")):
            raise ValueError("must have brackets around the IPv6 host, for example [::]:8080")
    return text


def http_url(text: str) -> str:
    """Parse a URL of http or https without credentials; a trailing slash goes."""
    try:
        parts = urlparse.urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            raise ValueError
    except ValueError:
        raise ValueError("must be a URL such as https://example.app.spacelift.io") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be a URL without user, query and fragment")
    return text.rstrip("/")


def is_encrypted_or_local(url: str) -> bool:
    """Return whether what is sent to a URL is not to be read on any network."""
    parts = urlparse.urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def plain(text: str) -> str:
    """Return the text unchanged."""
    return text


def reason_of(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file cannot be read, without its path."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "not UTF-8 text"
