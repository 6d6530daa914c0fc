"""Temporal's server as people run it: four services over PostgreSQL, which can be taken away.

The dev server is its own database, so it cannot show a frontend that answers without one.
`python -m tests.support.temporal_database` compiles the server, as `make soak` does first.
"""

import os
import pwd
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import temporalio.service
import yaml

from devenv import processes, settings, tools
from tests.support import go_programs

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
    return (Path(on_path) if on_path else debian[-1]).parent


class DatabaseTemporal:
    """A server with its own database; either may be stopped and started again."""

    def __init__(self, programs: Path, logs: Path) -> None:
        self._programs, self._logs = programs, logs
        self._postgres = find_postgres()
        # Not below pytest's folders, which PostgreSQL's user may not enter.
        self._folder = Path(tempfile.mkdtemp(prefix="stackchain-temporal-"))
        self._database_port, *self._ports = tools.free_ports(1 + 2 * len(_SERVICES))
        self.address = f"127.0.0.1:{self._ports[0]}"
        self._database: processes.Process | None = None
        self._server: processes.Process | None = None

    @property
    def is_running(self) -> bool:
        """Whether the server process is there."""
        return self._server is not None and self._server.is_running

    async def __aenter__(self) -> "DatabaseTemporal":
        try:
            await self._make_database()
            await self.start_database()
            await self._make_schemas()
            self._write_configuration()
            await self.start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._end()

    async def start(self) -> None:
        """Start the server, and wait until its frontend says that it serves."""
        services = (f"--service={name}" for name in _SERVICES)
        configuration = ("--config-file", str(self._folder / "server.yaml"))
        self._server = processes.Process.start(
            self._command("server", *configuration, "--allow-no-auth", "start", *services)
        )
        await self._server.wait_until(
            self.is_healthy, timeout_seconds=_START_SECONDS, what="serving"
        )

    async def stop(self) -> None:
        """Stop the server."""
        if self._server is not None:
            await self._server.terminate(timeout_seconds=_STOP_SECONDS)

    async def is_healthy(self) -> bool:
        """Whether the frontend says that it serves."""
        config = temporalio.service.ConnectConfig(target_host=self.address)
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

    async def _end(self) -> None:
        if self._server is not None:
            await self._server.kill()
        await self.stop_database()
        shutil.rmtree(self._folder, ignore_errors=True)

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
                "max_connections = 100\nfsync = off\n"
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
        frontend = {"rpcAddress": self.address, "rpcName": "frontend"}
        document = {
            "log": {"stdout": True, "level": "warn"},
            "persistence": {
                "defaultStore": "temporal",
                "visibilityStore": "temporal_visibility",
                "numHistoryShards": 4,
                "datastores": {name: {"sql": self._store(name)} for name in _STORES},
            },
            "global": {"membership": {"maxJoinDuration": "30s", "broadcastAddress": "127.0.0.1"}},
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
        }
        (self._folder / "server.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

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
        where = PROGRAM.obtain(settings.load_dev_settings().cache_dir, _say)
        find_postgres()
    except (tools.DevError, settings.SettingsError) as error:
        _say(f"stackchain: {error}")
        return 1
    _say(f"Temporal's server: {where}")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
