"""Temporal's server as people run it: four services, mutual TLS, and PostgreSQL below it.

The dev server is its own database, so it cannot show a frontend that answers without one.
`python -m tests.support.temporal_database` compiles the server, as `make soak` does first.
"""

import asyncio
import dataclasses
import datetime
import os
import pwd
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import temporalio.client
import temporalio.service
import yaml

from devenv import processes, settings, tools
from tests.support import go_programs, temporal, temporal_certificates

PROGRAM = go_programs.GoProgram(
    name="Temporal",
    module="go.temporal.io/server",
    folder=Path(__file__).parent / "temporal_go",
    packages=("go.temporal.io/server/cmd/server", "go.temporal.io/server/cmd/tools/sql"),
    takes="ten minutes of processor time",
    install="install Go 1.26 to have Temporal's server compiled",
)

_START_SECONDS = 120
_STOP_SECONDS = 10
_SERVICES = ("frontend", "history", "matching", "worker")
_STORES = {"temporal": "temporal", "temporal_visibility": "visibility"}
_USER = "postgres"
# It can never be changed. With 4, as in Temporal's smallest examples, four chains are one queue.
_SHARDS = 64
_RETENTION = datetime.timedelta(days=3)
# The columns for ids are that long.
_DYNAMIC_CONFIG = {"limit.maxIDLength": [{"value": 255}]}
NAMESPACE = "default"
# Statistics of PostgreSQL come late, so the rows are counted.
_STORED = """
select
  sum((xpath('/row/c/text()', query_to_xml('select count(*) as c from ' || quote_ident(tablename),
    false, true, '')))[1]::text::bigint),
  sum(pg_total_relation_size(quote_ident(tablename)::regclass))
from pg_tables where schemaname = 'public'
"""


def find_postgres() -> Path:
    """Return the folder with the programs of PostgreSQL.

    Raises:
        DevError: there is none.
    """
    # Debian keeps them off the PATH.
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if on_path is None and not debian:
        raise tools.DevError("there is no PostgreSQL: install it (Debian: `postgresql`)")
    # A link may name only some of the programs.
    return (Path(on_path).resolve() if on_path else debian[-1]).parent


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What is in the databases, or by how much that has grown."""

    rows: int
    size: int
    """Bytes on disk, those of indexes included."""

    def __sub__(self, before: "Stored") -> "Stored":
        return Stored(rows=self.rows - before.rows, size=self.size - before.size)


def obtain() -> Path:
    """Return the folder with the server's programs, compiled first where they are missing.

    Raises:
        DevError: they or PostgreSQL cannot be had; the message says what to do.
    """
    find_postgres()
    return PROGRAM.obtain(settings.load_dev_settings().cache_dir, _say)


class DatabaseTemporal:
    """A server with its own database; either may be stopped and started again."""

    ui_url = ""

    def __init__(self, programs: Path, logs: Path) -> None:
        self._programs, self._logs = programs, logs
        self._postgres = find_postgres()
        # Not below pytest's folders, which PostgreSQL's user may not enter.
        self._folder = Path(tempfile.mkdtemp(prefix="stackchain-temporal-"))
        self._database_port, self._metrics_port, *self._ports = tools.free_ports(
            2 + 2 * len(_SERVICES)
        )
        self.address = f"127.0.0.1:{self._ports[0]}"
        self.metrics_url = f"http://127.0.0.1:{self._metrics_port}/metrics"
        self.certificates = temporal_certificates.TemporalCertificates(
            directory=self._folder / "certificates"
        )
        self._database: processes.Process | None = None
        self._server: processes.Process | None = None
        self._has_namespace = False

    @property
    def is_running(self) -> bool:
        """Whether the server process is there."""
        return self._server is not None and self._server.is_running

    @property
    def role_environment(self) -> dict[str, str]:
        """The settings with which a role of the product reaches it, but for its address."""
        return {
            "TEMPORAL_TLS_SERVER_NAME": temporal_certificates.SERVER_NAME,
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(self.certificates.authority),
            "TEMPORAL_TLS_CLIENT_CERT_PATH": str(self.certificates.certificate("client")),
            "TEMPORAL_TLS_CLIENT_KEY_PATH": str(self.certificates.key("client")),
        }

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run, by what they are."""
        parts = {"Temporal": self._server, "PostgreSQL": self._database}
        return {name: part.pid for name, part in parts.items() if part and part.is_running}

    async def connect(self, namespace: str = NAMESPACE) -> temporalio.client.Client:
        """Return a client, as a role connects."""
        return await temporalio.client.Client.connect(
            self.address, namespace=namespace, tls=self._tls()
        )

    async def __aenter__(self) -> "DatabaseTemporal":
        try:
            await self.prepare()
            await self.start()
        except BaseException:
            await self.end()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.end()

    async def prepare(self) -> None:
        """Make certificates and the databases, and start PostgreSQL."""
        self.certificates.write()
        await self._make_database()
        await self.start_database()
        await self._make_schemas()
        self._write_configuration()

    async def start(self) -> None:
        """Start the server, and wait until its namespace is served; the first start makes it."""
        services = (f"--service={name}" for name in _SERVICES)
        configuration = ("--config-file", str(self._folder / "server.yaml"))
        self._server = processes.Process.start(
            self._command("server", *configuration, "--allow-no-auth", "start", *services)
        )
        await self._server.wait_until(
            self.is_healthy, timeout_seconds=_START_SECONDS, what="serving"
        )
        if not self._has_namespace:
            await temporal.create_namespace(await self.connect(), NAMESPACE, retention=_RETENTION)
            self._has_namespace = True

    async def stop(self) -> None:
        """Stop the server."""
        if self._server is not None:
            await self._server.terminate(timeout_seconds=_STOP_SECONDS)

    async def kill(self) -> None:
        """End the server as a crash would; the database lives on."""
        if self._server is not None:
            await self._server.kill()

    async def is_healthy(self) -> bool:
        """Whether the frontend says that it serves."""
        config = temporalio.service.ConnectConfig(target_host=self.address, tls=self._tls())
        try:
            client = await temporalio.service.ServiceClient.connect(config)
            return await client.check_health()
        except RuntimeError:
            return False

    async def start_database(self) -> None:
        """Start PostgreSQL, and wait until it takes connections."""
        self._database = processes.Process.start(
            self._as_user("postgres", "-D", str(self._folder / "data"))
        )
        await self._database.wait_until(
            self._takes_connections, timeout_seconds=_START_SECONDS, what="ready"
        )

    async def stop_database(self) -> None:
        """End PostgreSQL at once, as a crash would: all connections break, new ones are refused."""
        if self._database is not None:
            # PostgreSQL's own signal for that: killed, it would leave processes that hold its
            # memory.
            self._database.signal(signal.SIGQUIT)
            await self._database.wait()

    async def stored(self) -> Stored:
        """Count the rows of all tables of both databases, and their bytes on disk."""
        found = [await self._stored_in(database) for database in _STORES]
        return Stored(rows=sum(one.rows for one in found), size=sum(one.size for one in found))

    async def end(self) -> None:
        """End both, and forget all that was stored."""
        await self.kill()
        await self.stop_database()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tls(self) -> temporalio.service.TLSConfig:
        return temporalio.service.TLSConfig(
            domain=temporal_certificates.SERVER_NAME,
            server_root_ca_cert=self.certificates.authority.read_bytes(),
            client_cert=self.certificates.certificate("client").read_bytes(),
            client_private_key=self.certificates.key("client").read_bytes(),
        )

    async def _stored_in(self, database: str) -> Stored:
        reach = ("-h", "127.0.0.1", "-p", str(self._database_port), "-U", "temporal")
        program = str(self._postgres / "psql")
        child = await asyncio.create_subprocess_exec(
            program, *reach, "-d", database, "-XAtc", _STORED, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await child.communicate()
        if child.returncode != 0:
            raise tools.DevError(f"psql could not read {database}: code {child.returncode}")
        counted, size = said.decode().strip().split("|")
        return Stored(rows=int(counted), size=int(size))

    async def _takes_connections(self) -> bool:
        return await tools.is_listened_on(self._database_port)

    async def _make_database(self) -> None:
        if os.getuid() == 0:
            owner = pwd.getpwnam(_USER)
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        initdb = ("initdb", "-D", str(self._folder / "data"), "-U", "temporal", "--auth=trust")
        await processes.run(self._as_user(*initdb), timeout_seconds=_START_SECONDS)
        with (self._folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(
                "listen_addresses = '127.0.0.1'\n"
                f"port = {self._database_port}\n"
                f"unix_socket_directories = '{self._folder}'\n"
                "max_connections = 200\nshared_buffers = 256MB\n"
            )

    async def _make_schemas(self) -> None:
        reach = ("--plugin", "postgres12", "--ep", "127.0.0.1", "-p", str(self._database_port))
        for database, schema in _STORES.items():
            tool = (*reach, "-u", "temporal", "--db", database)
            for step in (
                ("create-database",),
                ("setup-schema", "-v", "0.0"),
                ("update-schema", "--schema-name", f"postgresql/v12/{schema}"),
            ):
                command = self._command("sql", *tool, *step)
                await processes.run(command, timeout_seconds=_START_SECONDS)

    def _write_configuration(self) -> None:
        places = zip(_SERVICES, self._ports[::2], self._ports[1::2], strict=True)
        dynamic_config = self._folder / "dynamic.yaml"
        dynamic_config.write_text(yaml.safe_dump(_DYNAMIC_CONFIG), encoding="utf-8")
        frontend = {"rpcAddress": self.address, "rpcName": "frontend"}
        document = {
            "log": {"stdout": True, "level": "warn"},
            "persistence": {
                "defaultStore": "temporal",
                "visibilityStore": "temporal_visibility",
                "numHistoryShards": _SHARDS,
                "datastores": {name: {"sql": self._store(name)} for name in _STORES},
            },
            "global": {
                "membership": {"maxJoinDuration": "30s", "broadcastAddress": "127.0.0.1"},
                "metrics": {
                    "prometheus": {
                        "timerType": "histogram",
                        "listenAddress": f"127.0.0.1:{self._metrics_port}",
                    }
                },
                "tls": self._server_tls(),
            },
            "services": {
                name: {"rpc": {"grpcPort": rpc, "membershipPort": own, "bindOnIP": "127.0.0.1"}}
                for name, rpc, own in places
            },
            "clusterMetadata": {
                "enableGlobalNamespace": False,
                "failoverVersionIncrement": 10,
                "masterClusterName": "active",
                "currentClusterName": "active",
                "clusterInformation": {
                    "active": {"enabled": True, "initialFailoverVersion": 1, **frontend}
                },
            },
            "dcRedirectionPolicy": {"policy": "noop"},
            "archival": {
                "history": {"state": "disabled"},
                "visibility": {"state": "disabled"},
            },
            "publicClient": {"hostPort": self.address},
            "dynamicConfigClient": {"filepath": str(dynamic_config), "pollInterval": "10s"},
        }
        (self._folder / "server.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    def _server_tls(self) -> dict[str, Any]:
        authority = [str(self.certificates.authority)]
        own = {
            "certFile": str(self.certificates.certificate("server")),
            "keyFile": str(self.certificates.key("server")),
        }
        client = {"serverName": temporal_certificates.SERVER_NAME, "rootCaFiles": authority}
        both = {
            "server": {**own, "requireClientAuth": True, "clientCaFiles": authority},
            "client": client,
        }
        # The server's own worker is a client of the frontend.
        return {"internode": both, "frontend": both, "systemWorker": {**own, "client": client}}

    def _store(self, database: str) -> dict[str, Any]:
        return {
            "pluginName": "postgres12",
            "databaseName": database,
            "connectAddr": f"127.0.0.1:{self._database_port}",
            "connectProtocol": "tcp",
            "user": "temporal",
            "password": "",
            "maxConns": 20,
            "maxIdleConns": 20,
        }

    def _command(self, name: str, *arguments: str) -> processes.Command:
        program = self._programs / name
        return processes.Command(
            name=name, argv=(str(program), *arguments), log_file=self._logs / f"{name}.log"
        )

    def _as_user(self, name: str, *arguments: str) -> processes.Command:
        """Return a command of PostgreSQL, which refuses to be root."""
        argv = (str(self._postgres / name), *arguments)
        if os.getuid() == 0:
            # The change of user drops what ties the process to us, so we ask for it again.
            setpriv = tools.find_program("setpriv", install="install util-linux")
            user = (f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", "--pdeathsig=KILL")
            argv = (str(setpriv), *user, *argv)
        return processes.Command(
            name=name, argv=argv, log_file=self._logs / f"{name}.log", directory=self._folder
        )


def main() -> int:
    """Compile the server unless it is there, and say where it is."""
    try:
        where = obtain()
    except (tools.DevError, settings.SettingsError) as error:
        _say(f"stackchain: {error}")
        return 1
    _say(f"Temporal's server: {where}")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
