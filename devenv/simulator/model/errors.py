"""The one error of the model.

```
Refusal      the account refuses what was asked for; its text is what Spacelift's error would say
```
Clients must not match on these texts: only `unauthorized` and `not found` are known to be stable.
"""


class Refusal(Exception):
    """The account refuses a request."""


def unauthorized() -> Refusal:
    """Return the refusal of a bad token, or of one without permission: the text is the same."""
    return Refusal("unauthorized")
