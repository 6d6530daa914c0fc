"""Who may talk to the local API server: bearer tokens, and the kubeconfig that carries one."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

ADMIN = "admin"
OPERATOR = "stackchain-operator"
"""A user that starts without rights: it may do only what a test or a chart grants it."""

CONTROLLER_MANAGER = "system:kube-controller-manager"
GROUPS: Mapping[str, str] = {ADMIN: "system:masters", OPERATOR: "", CONTROLLER_MANAGER: ""}


@dataclass(frozen=True, kw_only=True, slots=True)
class UserTokens:
    """One random token per user; never shown by `repr`."""

    by_user: Mapping[str, str]

    def __repr__(self) -> str:
        return f"UserTokens(users={sorted(self.by_user)})"

    @classmethod
    def random(cls) -> "UserTokens":
        """Make new tokens for all users."""
        return cls(by_user={user: secrets.token_urlsafe(32) for user in GROUPS})

    @classmethod
    def load_or_create(cls, path: Path) -> "UserTokens":
        """Read the token file of an earlier start, or write a new one, readable by us only."""
        if path.exists():
            return cls.from_csv(path.read_text(encoding="utf-8"))
        tokens = cls.random()
        write_private(path, tokens.to_csv())
        return tokens

    @classmethod
    def from_csv(cls, text: str) -> "UserTokens":
        """Read what `to_csv` wrote."""
        rows = [line.split(",") for line in text.splitlines() if line]
        return cls(by_user={user: token for token, user, *_ in rows})

    def to_csv(self) -> str:
        """Return the text of an API server's token file: token, user, uid, groups."""
        return "".join(
            f'{token},{user},{user},"{GROUPS[user]}"\n' for user, token in self.by_user.items()
        )


def kubeconfig_text(*, server: str, ca_file: Path, user: str, token: str) -> str:
    """Return a kubeconfig with one cluster, one user and one context in use."""
    name = "stackchain-dev"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": server, "certificate-authority": str(ca_file)}}
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    return yaml.safe_dump(document, sort_keys=False)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, encoding="utf-8")
