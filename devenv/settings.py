"""What the local environment reads from the shell, and which variables there it hides from roles.

The parts that it starts get their own settings, so a shell that is set up for a real account
changes nothing here.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from controller.config import environment
from controller.config import settings as product
from controller.config.environment import SettingsError as SettingsError
from controller.config.shell_settings import TerminalSettings as TerminalSettings
from controller.config.shell_settings import load_terminal_settings as load_terminal_settings


def existing_directory(text: str) -> Path:
    """Parse the path of a directory."""
    path = Path(text).expanduser()
    if not path.is_dir():
        raise ValueError("is not a directory; name one that exists")
    return path


@dataclass(frozen=True, kw_only=True, slots=True)
class DevSettings:
    """Where the local environment finds and keeps its programs."""

    kubebuilder_assets: Path | None = field(
        default=None,
        metadata=environment.env("KUBEBUILDER_ASSETS", existing_directory),
    )
    """Directory with kube-apiserver and etcd; None: they are downloaded or built once."""
    cache_dir: Path = field(
        default=Path(".cache/stackchain"), metadata=environment.env("XDG_CACHE_HOME")
    )
    """Directory that keeps downloaded and built programs: `stackchain` in XDG_CACHE_HOME."""


def load_dev_settings(environ: Mapping[str, str] | None = None) -> DevSettings:
    """Read what the local environment itself needs, whatever else the shell is set up for.

    Args:
        environ: the variables; None: those of this process.

    Raises:
        SettingsError: with every problem that was found.
    """
    reader = environment.Reader(variables_of_shell() if environ is None else environ)
    home = Path(reader.text("HOME") or Path.home())
    cache = Path(reader.text("XDG_CACHE_HOME") or home / ".cache")
    found = reader.group(DevSettings, cache_dir=cache / "stackchain")
    if reader.problems:
        raise SettingsError(*reader.problems)
    return found


def variables_of_shell() -> dict[str, str]:
    """Return all variables, for a program that a person would have started in this shell."""
    return dict(os.environ)  # noqa: TID251 (the one reader of devenv)


def search_path() -> str:
    """Return where the shell looks for programs."""
    return variables_of_shell().get("PATH", os.defpath)


def variables_of_roles() -> frozenset[str]:
    """Return every variable that a role of the product would read from the shell."""
    names = {row.variable for row in product.describe_settings()}
    return frozenset(names | {f"{name}_FILE" for name in names})
