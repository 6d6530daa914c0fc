"""Identifiers of the simulated account.

Run ids are ULIDs, so they sort by creation. Spacelift's clients page by that order, and the
operator compares ids to see what was created after what. So they have to be strictly monotonic.
"""

import random

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80


class Ulids:
    """Hands out ULIDs, each above the one before, even when the clock stands still or goes back."""

    def __init__(self, rng: random.Random) -> None:
        """Take the source of the random part."""
        self._rng = rng
        self._last = 0

    def next(self, now: float) -> str:
        """Return an id for the instant `now` (Unix seconds)."""
        moment = int(now * 1000)
        if moment > self._last >> _RANDOM_BITS:
            # The top bit stays clear, so that increments never run into the time part.
            self._last = moment << _RANDOM_BITS | self._rng.getrandbits(_RANDOM_BITS - 1)
        else:
            self._last += 1
        return encode(self._last)

    def continue_after(self, last_id: str) -> None:
        """From now on hand out ids above `last_id` only (state taken up after a restart)."""
        self._last = max(self._last, decode(last_id))


def encode(value: int) -> str:
    """Write a 128-bit number as 26 characters of Crockford's base 32."""
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -5, -5))


def decode(text: str) -> int:
    """Read what `encode` wrote."""
    value = 0
    for character in text:
        value = value << 5 | _ALPHABET.index(character)
    return value
