"""Settings of the kubectl plugin, and the only place where the environment is read.

Separate from `settings`: a user who presses Tab waits for everything that this loads.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from controller.config import environment, parsing
from controller.config.environment import SettingsError as SettingsError
from controller.config.environment import env

SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesSettings:
    """How the API server is reached."""

    kubeconfig: Path | None = field(
        default=None,
        metadata=env("KUBECONFIG", default="the pod's service account, else `~/.kube/config`"),
    )
    """Kubeconfig file, or several separated by colons."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TerminalSettings:
    """What the shell says of the terminal; the variables are those of all programs, not ours."""

    no_color: bool = False
    """`NO_COLOR`: any text turns colors off (https://no-color.org)."""
    term: str = ""
    """`TERM`: a terminal called `dumb` is not drawn on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginSettings:
    """What the kubectl plugin reads; a shell may have any other setting in any form."""

    kubernetes: KubernetesSettings = field(default_factory=KubernetesSettings)
    terminal: TerminalSettings = field(default_factory=TerminalSettings)
    completion_seconds: float = 3.0
    """`STACKCHAIN_COMPLETION_SECONDS`: how long a completion waits for the cluster."""
    cache_folder: Path | None = None
    """Below `XDG_CACHE_HOME`, or `~/.cache`; None if there is no home."""
    has_display: bool = False
    """Whether a browser has a screen to open on. Elsewhere it would take the terminal over."""


def load_terminal_settings(environ: Mapping[str, str] | None = None) -> TerminalSettings:
    """Read what the shell says of the terminal.

    Args:
        environ: the variables; None: those of this process.
    """
    reader = reader_of(environ)
    return TerminalSettings(
        no_color=reader.text("NO_COLOR") is not None, term=reader.text("TERM") or ""
    )


def load_plugin_settings(
    *, kubeconfig: str | None = None, environ: Mapping[str, str] | None = None
) -> PluginSettings:
    """Read what the kubectl plugin needs.

    Args:
        kubeconfig: what the user named instead of the variable.
        environ: the variables; None: those of this process.

    Raises:
        SettingsError: there is no such kubeconfig, or a variable of the plugin's own is unusable.
    """
    reader = reader_of({"KUBECONFIG": kubeconfig} if kubeconfig else environ)
    kubernetes, own = load_kubernetes(reader), reader_of(environ)
    patience = own.parsed(
        "STACKCHAIN_COMPLETION_SECONDS", parsing.seconds, PluginSettings().completion_seconds
    )
    if problems := [*reader.problems, *own.problems]:
        raise SettingsError(*problems)
    return PluginSettings(
        kubernetes=kubernetes,
        terminal=load_terminal_settings(environ),
        completion_seconds=patience,
        cache_folder=_cache_folder(own),
        has_display=_has_display(own),
    )


def child_environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this process and further ones, for a program that it starts."""
    return {**_variables(None), **more}


def proxy_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that say by which proxy a server is reached, in either case."""
    names = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "REQUEST_METHOD")
    found = _variables(environ)
    return {name: value for name, value in found.items() if name.upper() in names}


def service_address(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the address of the API server as a pod sees it; None outside of one."""
    reader = reader_of(environ)
    host, port = reader.text("KUBERNETES_SERVICE_HOST"), reader.text("KUBERNETES_SERVICE_PORT")
    if host is None or port is None:
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _cache_folder(reader: environment.Reader) -> Path | None:
    named = Path(reader.text("XDG_CACHE_HOME") or "~/.cache")
    try:
        # As the specification has it: a relative one is passed over.
        known = named if named.is_absolute() else Path("~/.cache").expanduser()
    except RuntimeError:
        return None
    return known / "kubectl-stackchain"


def _has_display(reader: environment.Reader) -> bool:
    if sys.platform in ("darwin", "win32"):
        return reader.text("SSH_CONNECTION") is None
    return bool(reader.text("DISPLAY") or reader.text("WAYLAND_DISPLAY"))


def reader_of(environ: Mapping[str, str] | None) -> environment.Reader:
    """Return what reads typed values out of the variables; None: those of this process."""
    return environment.Reader(_variables(environ))


def _variables(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if environ is None else environ  # noqa: TID251 (the one reader)


def load_kubernetes(reader: environment.Reader) -> KubernetesSettings:
    """Read how the API server is reached; the reader notes what is wrong."""
    text = reader.text("KUBECONFIG")
    # Like kubectl: of several files, those that are missing are passed over.
    if text and not any(Path(part).is_file() for part in text.split(os.pathsep)):
        reader.problem("KUBECONFIG", f"{text!r} is not a file; name a kubeconfig that exists")
    return KubernetesSettings(kubeconfig=Path(text) if text else None)
