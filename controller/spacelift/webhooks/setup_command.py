"""`stackchain webhook setup`: registers at Spacelift what the receiver needs to be notified.

It reads what is there, says what differs, and writes only that. So it can be run again at any time:
after a change of the address or the secret, and after Spacelift has disabled the webhook because
deliveries failed.
"""

import argparse
import contextlib
import dataclasses
import ipaddress
import json
import urllib.parse
from collections.abc import AsyncIterator
from typing import TextIO

from controller import outside_text
from controller.config import connection_names, connections, parsing, settings
from controller.spacelift import account_session, endpoints, errors
from controller.spacelift.webhooks import plan, setup
from controller.spacelift.webhooks.client import WebhookClient
from controller.spacelift.webhooks.setup import SetupOutcome

# Anyone who guesses the secret can wake executions at will.
SHORTEST_SECRET = 16

_SPACES_SHOWN = 5
_WOULD = {
    plan.SetupAction.CREATE: "would create",
    plan.SetupAction.UPDATE: "would update",
    plan.SetupAction.REMOVE: "would remove",
}


async def run(all_settings: settings.Settings, options: argparse.Namespace, out: TextIO) -> int:
    """Register the webhook and its policy, or remove them, and print what became of each.

    Returns:
        The exit code: 0 done, or nothing to do; 1 a problem at Spacelift.

    Raises:
        settings.SettingsError: the options or the connection are not usable; nothing was sent.
    """
    connection = _connection(all_settings.spacelift, options.connection)
    set_up = _SetUp.of(connection, options)
    printer = _Printer(out, endpoints.account_of(connection.endpoint), set_up)
    if set_up.wanted is not None and not set_up.wanted.endpoint.endswith(
        connection_names.webhook_path(connection.name)
    ):
        printer.note(_path_note(connection.name))
    webhook_client = _webhook_client(connection, all_settings.spacelift)
    try:
        async for outcome in set_up.carry_out(webhook_client):
            printer.show(outcome)
    except plan.CannotSetUp as error:
        printer.fail(f"{error}; nothing was changed")
    except errors.AmbiguousOutcome as error:
        printer.fail(f"{error}; running this again is safe: it checks first")
    except errors.SpaceliftError as error:
        printer.fail(str(error))
    finally:
        await webhook_client.aclose()
    return printer.close()


def receiver_url(text: str, *, connection: str, is_insecure: bool) -> str:
    """Return the URL that deliveries of a connection are sent to.

    Raises:
        ValueError: it is not a URL, or others could read the deliveries on the way.
    """
    url = parsing.http_url(text)
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not is_insecure and not _is_loopback(parts.hostname or ""):
        raise ValueError(
            "does not use https, so others could read and repeat what Spacelift sends; give one "
            "with https, or add --insecure"
        )
    return url if parts.path else url + connection_names.webhook_path(connection)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _SetUp:
    """What was asked for, checked."""

    name: str
    wanted: plan.DesiredSetup | None
    """None: webhook and policy are to be removed."""
    secret: settings.Secret
    is_dry_run: bool
    is_json: bool

    @classmethod
    def of(cls, connection: connections.Connection, options: argparse.Namespace) -> "_SetUp":
        if not plan.slug(options.name):
            raise settings.SettingsError(
                "--name: needs a letter or a digit; the id is derived from it"
            )
        secret, wanted = settings.Secret(), None
        if not options.remove:
            secret = _signing_secret(connection)
            wanted = plan.DesiredSetup(
                name=options.name,
                endpoint=_url(connection, options),
                space=options.space,
                secret_mark=plan.secret_mark(secret.reveal(), name=options.name),
            )
        return cls(
            name=options.name,
            wanted=wanted,
            secret=secret,
            is_dry_run=options.dry_run,
            is_json=options.json,
        )

    def carry_out(self, webhook_client: WebhookClient) -> AsyncIterator[SetupOutcome]:
        if self.wanted is None:
            return setup.remove(webhook_client, self.name, is_dry_run=self.is_dry_run)
        return setup.set_up(
            webhook_client, self.wanted, secret=self.secret.reveal(), is_dry_run=self.is_dry_run
        )


class _Printer:
    """Prints each outcome when it is there, or one JSON object at the end."""

    def __init__(self, out: TextIO, account: str, set_up: _SetUp) -> None:
        self._out = out
        self._account = account
        self._set_up = set_up
        self._outcomes: list[SetupOutcome] = []
        self._notes: list[str] = []
        self._problem: str | None = None

    def show(self, outcome: SetupOutcome) -> None:
        self._outcomes.append(outcome)
        action = str(outcome.action)
        if self._set_up.is_dry_run:
            action = _WOULD.get(outcome.action, action)
        detail = ", ".join(outcome.differences)
        if outcome.action is plan.SetupAction.CREATE:
            detail = self._created(outcome)
        text = f"{outcome.kind} {outcome.name}" + (f": {detail}" if detail else "")
        self._line(action, text)
        if outcome.uncovered:
            self.note(_uncovered_note(outcome))

    def note(self, text: str) -> None:
        self._notes.append(text)
        self._line("note", text)

    def fail(self, problem: str) -> None:
        self._problem = problem
        self._line("PROBLEM", problem)

    def close(self) -> int:
        """Print what is left to print and return the exit code."""
        if self._set_up.is_json:
            print(json.dumps(self._document()), file=self._out)
        return 0 if self._problem is None else 1

    def _created(self, outcome: SetupOutcome) -> str:
        wanted = self._set_up.wanted
        if outcome.kind == "webhook" and wanted is not None:
            return f"sends to {wanted.endpoint}, in space {outcome.space}"
        return f"sends runs to it, in space {outcome.space}"

    def _line(self, action: str, text: str) -> None:
        if not self._set_up.is_json:
            print(f"{action:<12} {outside_text.visible(text)}", file=self._out, flush=True)

    def _document(self) -> dict[str, object]:
        rows = [
            {
                "kind": outcome.kind,
                "name": outcome.name,
                "id": outcome.id or None,
                "space": outcome.space,
                "action": outcome.action,
                "differences": outcome.differences,
            }
            for outcome in self._outcomes
        ]
        return {
            "ok": self._problem is None,
            "account": self._account,
            "dryRun": self._set_up.is_dry_run,
            "objects": rows,
            "notes": self._notes,
            "problem": self._problem,
        }


def _path_note(connection: str) -> str:
    return (
        "`stackchain webhook` receives deliveries at "
        f"{connection_names.webhook_path(connection)}; the proxy in front of it has to map the "
        "URL's path to that one"
    )


def _uncovered_note(outcome: SetupOutcome) -> str:
    spaces = outcome.uncovered
    shown = ", ".join(spaces[:_SPACES_SHOWN]) + (", ..." if len(spaces) > _SPACES_SHOWN else "")
    one = len(spaces) == 1
    return (
        f"{len(spaces)} {'space does' if one else 'spaces do'} not inherit from {outcome.space}: "
        f"{shown}; chains poll {'its' if one else 'their'} runs, or register another webhook there "
        "with --name and --space"
    )


def _connection(spacelift: settings.SpaceliftSettings, name: str) -> connections.Connection:
    catalog = connections.ConnectionCatalog(spacelift)
    connection = catalog.get(name)
    if connection is None:
        names = ", ".join(catalog.names()) or (
            "none; set SPACELIFT_CONNECTIONS_FILE or SPACELIFT_API_KEY_ENDPOINT"
        )
        raise settings.SettingsError(
            f"--connection: there is no connection {name}; this release has: {names}"
        )
    # Read here once, since a key that is not there is a matter of settings.
    connection.read_api_key()
    return connection


def _signing_secret(connection: connections.Connection) -> settings.Secret:
    """Return the secret that Spacelift is to sign with: the last one, which replaces the others."""
    if not connection.webhook_secrets:
        raise settings.SettingsError(
            f"connection {connection.name}: has no webhook secret; set webhookSecretFiles in the "
            "connections file, or SPACELIFT_WEBHOOK_SECRET for the connection default"
        )
    secret = connection.webhook_secrets[-1]
    if len(secret.reveal()) < SHORTEST_SECRET:
        raise settings.SettingsError(
            f"connection {connection.name}: its webhook secret has fewer than {SHORTEST_SECRET} "
            "characters and could be guessed; make one with `openssl rand -hex 32`"
        )
    return secret


def _url(connection: connections.Connection, options: argparse.Namespace) -> str:
    if options.url is None:
        raise settings.SettingsError("--url: is missing; give the address of `stackchain webhook`")
    try:
        return receiver_url(options.url, connection=connection.name, is_insecure=options.insecure)
    except ValueError as error:
        raise settings.SettingsError(f"--url: it {error}") from error


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _webhook_client(
    connection: connections.Connection, spacelift: settings.SpaceliftSettings
) -> WebhookClient:
    return WebhookClient(
        account_session.AccountSession(
            endpoint=connection.endpoint,
            read_api_key=connection.read_api_key,
            request_timeout_seconds=spacelift.request_timeout_seconds,
            ca_file=str(spacelift.ca_file) if spacelift.ca_file else None,
        )
    )
