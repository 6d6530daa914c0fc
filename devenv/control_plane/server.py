"""A real API server with etcd and, where there is one, a controller manager, on loopback."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from devenv import processes, tools
from devenv.control_plane import certificates, credentials
from devenv.control_plane.binaries import Binaries

_START_SECONDS = 90
# An API server that has lost etcd does not end on SIGTERM within a minute.
_STOP_SECONDS = 2

# Without a node, controllers of workloads have nothing to control: they would only cost time.
_CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """Loopback ports, kept over restarts."""

    etcd_client: int
    etcd_peer: int
    api_server: int
    controller_manager: int

    @classmethod
    def free(cls) -> "Ports":
        """Choose free ports."""
        etcd_client, etcd_peer, api_server, controller_manager = tools.free_ports(4)
        return cls(
            etcd_client=etcd_client,
            etcd_peer=etcd_peer,
            api_server=api_server,
            controller_manager=controller_manager,
        )


class ControlPlane:
    """Etcd outlives the API server: the API server may be stopped, killed and started again."""

    def __init__(
        self,
        binaries: Binaries,
        directory: Path,
        ports: Ports | None = None,
        *,
        api_server_flags: tuple[str, ...] = (),
    ) -> None:
        """Prepare a control plane without starting it.

        Args:
            binaries: The programs to run.
            directory: Where data, keys, logs and the kubeconfig are kept; what an earlier start
                left there is used again.
            ports: Where to listen; free ports by default.
            api_server_flags: Further flags of the API server, such as those of an audit log.
        """
        self.binaries = binaries
        # The programs run in it, and get paths below it.
        self.directory = directory.absolute()
        self.ports = ports or Ports.free()
        self._api_server_flags = api_server_flags
        self.url = f"https://127.0.0.1:{self.ports.api_server}"
        self.logs = self.directory / "log"
        self._certificates = certificates.Certificates(directory=self.directory / "pki")
        self.ca_file = self._certificates.authority
        self._token_file = self.directory / "pki" / "tokens.csv"
        self._etcd: processes.Process | None = None
        self._api_server: processes.Process | None = None
        self._controller_manager: processes.Process | None = None

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the administrator."""
        return self.directory / "kubeconfig"

    @property
    def is_running(self) -> bool:
        """Whether the API server and etcd are there."""
        processes_needed = (self._etcd, self._api_server)
        return all(process is not None and process.is_running for process in processes_needed)

    @property
    def token(self) -> str:
        """Bearer token of the administrator."""
        return self.token_of(credentials.ADMIN)

    def token_of(self, user: str) -> str:
        """Return the bearer token of `admin` or of the user without rights."""
        return credentials.UserTokens.load_or_create(self._token_file).by_user[user]

    def write_kubeconfig(self, user: str, path: Path) -> Path:
        """Write a kubeconfig for one of the users, readable by its owner only."""
        text = credentials.kubeconfig_text(
            server=self.url, ca_file=self.ca_file, user=user, token=self.token_of(user)
        )
        credentials.write_private(path, text)
        return path

    async def start(self) -> None:
        """Start all programs and wait until the API server is ready.

        Raises:
            DevError: A program ended or was not ready in time; with the tail of its log.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._certificates.ensure()
        self.write_kubeconfig(credentials.ADMIN, self.kubeconfig)
        try:
            await self._start_etcd()
            await self.start_api_server()
            self._start_controller_manager()
        except BaseException:
            # Cancellation included: nothing may be left running.
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop all programs; etcd ends last, since an API server without it does not end."""
        if self._controller_manager is not None:
            await self._controller_manager.kill()
        await self.stop_api_server()
        if self._etcd is not None:
            await self._etcd.terminate(timeout_seconds=_STOP_SECONDS)

    async def start_api_server(self) -> None:
        """Start the API server on its port and wait until it is ready."""
        self._api_server = self._start("kube-apiserver", self._api_server_argv())
        await self._api_server.wait_until(
            self._is_ready, timeout_seconds=_START_SECONDS, what="ready"
        )

    async def stop_api_server(self) -> None:
        """Stop the API server; etcd keeps the data."""
        if self._api_server is not None:
            await self._api_server.terminate(timeout_seconds=_STOP_SECONDS)

    async def kill_api_server(self) -> None:
        """End the API server as a crash would; etcd keeps the data."""
        if self._api_server is not None:
            await self._api_server.kill()

    async def pause_api_server(self) -> None:
        """Freeze the API server: connections stay open and nothing answers."""
        if self._api_server is not None:
            await self._api_server.freeze()

    def resume_api_server(self) -> None:
        """Let a frozen API server continue."""
        if self._api_server is not None:
            self._api_server.thaw()

    async def __aenter__(self) -> "ControlPlane":
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.shield(self.stop())

    async def _start_etcd(self) -> None:
        self._etcd = self._start("etcd", self._etcd_argv())
        await self._etcd.wait_until(
            self._etcd_is_healthy, timeout_seconds=_START_SECONDS, what="healthy"
        )

    async def _etcd_is_healthy(self) -> bool:
        url = f"http://127.0.0.1:{self.ports.etcd_client}/health"
        return await tools.http_status(url) == 200

    def _start_controller_manager(self) -> None:
        argv = self._controller_manager_argv()
        if argv is not None:
            self._controller_manager = self._start("kube-controller-manager", argv)

    def _start(self, name: str, argv: tuple[str, ...]) -> processes.Process:
        log_file = self.logs / f"{name}.log"
        return processes.Process.start(
            processes.Command(name=name, argv=argv, log_file=log_file, directory=self.directory)
        )

    async def _is_ready(self) -> bool:
        status = await tools.http_status(
            f"{self.url}/readyz", token=self.token, ca_file=self.ca_file
        )
        return status == 200

    def _etcd_argv(self) -> tuple[str, ...]:
        client = f"http://127.0.0.1:{self.ports.etcd_client}"
        peer = f"http://127.0.0.1:{self.ports.etcd_peer}"
        return (
            *self.binaries.etcd,
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            # Data of a local environment need not survive a power cut, only a restart.
            "--unsafe-no-fsync",
            "--log-level=warn",
        )

    def _api_server_argv(self) -> tuple[str, ...]:
        files = self._certificates
        without = () if self.has_controller_manager else ("ServiceAccount",)
        return (
            *self.binaries.kube_apiserver,
            f"--etcd-servers=http://127.0.0.1:{self.ports.etcd_client}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.ports.api_server}",
            f"--cert-dir={files.directory}",
            f"--tls-cert-file={files.server}",
            f"--tls-private-key-file={files.server_key}",
            f"--token-auth-file={self._token_file}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={files.service_account_key}",
            f"--service-account-signing-key-file={files.service_account_key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            *(f"--disable-admission-plugins={name}" for name in without),
            *self._api_server_flags,
        )

    @property
    def has_controller_manager(self) -> bool:
        """Whether garbage is collected and deleted namespaces end."""
        return self.binaries.kube_controller_manager is not None

    def _controller_manager_argv(self) -> tuple[str, ...] | None:
        if self.binaries.kube_controller_manager is None:
            return None
        user = credentials.CONTROLLER_MANAGER
        kubeconfig = self.write_kubeconfig(user, self.directory / "pki" / "manager.kubeconfig")
        return (
            *self.binaries.kube_controller_manager,
            "--bind-address=127.0.0.1",
            f"--secure-port={self.ports.controller_manager}",
            f"--cert-dir={self.directory / 'pki' / 'manager'}",
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--authentication-skip-lookup",
            "--leader-elect=false",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self._certificates.service_account_key}",
            f"--root-ca-file={self.ca_file}",
            f"--controllers={','.join(_CONTROLLERS)}",
        )
