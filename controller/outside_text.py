"""Text that others wrote: Spacelift, Temporal, the API server, deliveries, people. Pure.

All of it that is shown passes through here where it enters. What is left is one line of visible
characters, free of secrets, and not longer than there is room for. What goes out, to a status, an
Event, a terminal or a log, is limited to visible characters once more. See ADR 0027.
"""

import re
import unicodedata
from collections.abc import Collection
from urllib import parse as urlparse

LIMIT = 256
REDACTED = "[redacted]"

# No one needs all of a megabyte to see a line of it.
_MOST_READ = 16_384

# Signs that a format character has, though Unicode counts them as marks and letters.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
_VARIATIONS = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_ANY_INVISIBLE = re.compile(
    "["
    + "".join(sorted(_INVISIBLE))
    + "".join(f"{chr(first)}-{chr(last)}" for first, last in _VARIATIONS)
    + "]"
)

# Debug pages like to echo request headers, and people paste what they have at hand into notes.
_SECRET = re.compile(
    r"""
    (?i:\bbearer\s+)\S+                                  # an Authorization header
    | (?i:\bbasic\s+)(?=\S*[\d=])[\w+/=-]{8,}
    | \beyJ[\w-]{8,}(?:\.[\w-]*)*                          # a JSON Web Token
    | \bgh[a-z]_\w{16,} | \bgithub_pat_\w{16,}             # GitHub
    | \bglpat-[\w-]{16,}                                   # GitLab
    | \bxox[a-z]-[\w-]{10,}                                # Slack
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b                        # AWS
    | \bhv[sb]\.[\w-]{16,}                                 # Vault
    | (?<=hooks\.slack\.com/services/)[\w/]+               # a webhook that anyone may use
    | (?<=://)[^\s/@:]*:[^\s/@]+(?=@)                      # a user and password in a URL
    | (?i:(?<=password=)|(?<=passwd=)|(?<=secret=)|(?<=token=)|(?<=api_key=)|(?<=apikey=)
        |(?<=access_key=))[^\s&;,"']+                      # a parameter
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*-----|$)
    """,
    re.VERBOSE,
)

# An id, a state, most names. Of what has letters and digits only, three things may be secret.
_PLAIN = re.compile(r"(?!eyJ|AKIA|ASIA)[A-Za-z0-9]+")

_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&])")


def clean(text: object, *, most: int = LIMIT, hide: Collection[str] = ()) -> str:
    """Return text on one line, with nothing invisible and no secret, cut to a length.

    Args:
        text: what came from outside; anything but a string counts as empty.
        most: characters that are left at most.
        hide: known secrets. They are taken out before the cut, since half a secret is a leak, too.
    """
    if not isinstance(text, str):
        return ""
    if not hide and len(text) <= most and _PLAIN.fullmatch(text):
        return text
    text = visible(without(text, hide)[:_MOST_READ])
    text = " ".join(_SECRET.sub(REDACTED, text).split())
    return shortened(text, most)


def shortened(text: str, most: int) -> str:
    """Return at most this many characters of text; a cut one shows it."""
    return text if len(text) <= most else text[: most - 3].rstrip() + "..."


def shortened_bytes(text: str, most: int) -> str:
    """Return at most this many bytes of UTF-8; text that was cut shows it."""
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    return encoded[: most - 3].decode(errors="ignore").rstrip() + "..."


def visible(text: str) -> str:
    """Return text without what a reader does not see and a terminal or YAML may choke on.

    Line breaks and other control characters become blanks. What only formats, such as a change of
    the direction, is dropped. What is not a character, such as half of a surrogate pair, is shown
    as one that could not be read.
    """
    # Most is ASCII, and nothing of that is printable but not seen.
    if text.isprintable() and (text.isascii() or _ANY_INVISIBLE.search(text) is None):
        return text
    return "".join(_seen(character) for character in text)


def _seen(character: str) -> str:
    if _ANY_INVISIBLE.match(character):
        return ""
    if character.isprintable():
        return character
    match unicodedata.category(character):
        case "Cf":
            return ""
        case "Cs" | "Co" | "Cn":
            return "\ufffd"
    return " "


def escaped(text: str) -> str:
    r"""Return text with `\x1b` and the like instead of what cannot be seen, for logs."""
    if text.isprintable() and _ANY_INVISIBLE.search(text) is None:
        return text
    return "".join(
        character
        if character.isprintable() and not _ANY_INVISIBLE.match(character)
        else character.encode("unicode_escape").decode()
        for character in text
    )


def without(text: str, hide: Collection[str]) -> str:
    """Return text without known secrets."""
    for secret in hide:
        if secret:
            text = text.replace(secret, REDACTED)
    return text


def link(text: str | None) -> str | None:
    """Return a URL that people may be given to click on: http or https, otherwise none."""
    if not text or visible(text) != text or " " in text:
        return None
    try:
        parts = urlparse.urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.netloc else None


def markdown(text: str) -> str:
    """Return text that Markdown shows unchanged."""
    return _MARKDOWN.sub(r"\\\1", visible(text))
