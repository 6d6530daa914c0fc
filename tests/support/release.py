"""The release on a real cluster, as the tests in tests/cluster handle it: with kubectl and Helm.

The simulated account is a pod of the cluster. It is reached through the API server, which works
wherever the cluster is.
"""

import collections
import dataclasses
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import helm as helms
from tests.support import temporal_certificates

MANIFESTS = Path(__file__).parents[1] / "cluster" / "manifests"
NAME = "stackchain"
_AUTHORITY, _CLIENT = "temporal-authority", "temporal-client"
CRD = "crd/stackchains.stackchain.dev"

_KUBECTL_SECONDS = 240
_READY_SECONDS = 180
# Runs of the account take about three seconds. When pods are killed a chain takes longer: a new
# operator waits for the Lease, and runs that a worker followed wait for a heartbeat to time out.
_CHAIN_SECONDS = 180

Body = dict[str, Any]


class KubectlFailed(Exception):
    """kubectl ended with an error; the text is what it printed."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """A cluster through kubectl."""

    program: Path
    kubeconfig: Path

    def kubectl(self, *arguments: str, given: str = "") -> str:
        """Run kubectl and return what it printed.

        Raises:
            KubectlFailed: it failed.
        """
        done = subprocess.run(
            [self.program, f"--kubeconfig={self.kubeconfig}", *arguments],
            input=given,
            capture_output=True,
            check=False,
            text=True,
            timeout=_KUBECTL_SECONDS,
        )
        if done.returncode != 0:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def read(self, *arguments: str) -> Body:
        """Return what `kubectl get` knows, as it is in the API."""
        return dict(json.loads(self.kubectl("get", *arguments, "--output=json")))

    def raw(self, path: str) -> Body:
        """GET a path of the API server."""
        return dict(json.loads(self.kubectl("get", "--raw", path)))

    def post(self, path: str, body: Mapping[str, Any]) -> Body:
        """POST to a path of the API server."""
        sent = self.kubectl("create", "--raw", path, "--filename=-", given=json.dumps(dict(body)))
        return dict(json.loads(sent))

    def apply(self, *bodies: Mapping[str, Any], namespace: str) -> None:
        """Apply objects."""
        given = "\n---\n".join(json.dumps(dict(body)) for body in bodies)
        self.kubectl("apply", f"--namespace={namespace}", "--filename=-", given=given)

    @contextmanager
    def namespace(self, name: str, *, wait: bool = True) -> Iterator[str]:
        """Make a namespace that takes restricted pods only; in the end it goes with its contents.

        Args:
            name: its name.
            wait: wait until it is gone, which takes the cluster ten seconds.
        """
        label = {"pod-security.kubernetes.io/enforce": "restricted"}
        metadata = {"name": name, "labels": label}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        self.apply(body, namespace=name)
        try:
            yield name
        finally:
            waiting = f"--timeout={_READY_SECONDS}s" if wait else "--wait=false"
            self.kubectl("delete", "namespace", name, waiting)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """The simulated Spacelift account, through its admin API."""

    cluster: Cluster
    namespace: str

    def start(self) -> None:
        """Start it and wait until it answers."""
        manifest = str(MANIFESTS / "simulator.yaml")
        there = f"--namespace={self.namespace}"
        self.cluster.kubectl("apply", there, f"--filename={manifest}")
        wait = (f"--timeout={_READY_SECONDS}s", "deployment/simulator")
        self.cluster.kubectl("rollout", "status", there, *wait)

    def add(self, stacks: Mapping[str, Sequence[str]]) -> None:
        """Add stacks, each with those that its labels say it depends on.

        Spacelift does not know such an order and queues nothing: we trigger each run ourselves.
        """
        specs = {
            stack: {"autodeploy": True, "labels": [f"dependsOn:{up}" for up in upstreams]}
            for stack, upstreams in stacks.items()
        }
        self.cluster.post(self._path("seed"), {"stacks": specs})

    def runs(self, stacks: Sequence[str] | Mapping[str, Any]) -> list[Body]:
        """Return the runs of some stacks."""
        runs = self.cluster.raw(self._path("runs"))["runs"]
        return [run for run in runs if run["stackId"] in stacks]

    def runs_per_stack(self, stacks: Sequence[str] | Mapping[str, Any]) -> dict[str, int]:
        """Count the runs of each of some stacks, whoever triggered them."""
        counted = collections.Counter(run["stackId"] for run in self.runs(stacks))
        return {stack: counted[stack] for stack in stacks}

    def _path(self, what: str) -> str:
        services = f"/api/v1/namespaces/{self.namespace}/services"
        return f"{services}/simulator:8500/proxy/admin/{what}"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TemporalOutside:
    """A Temporal server outside of the cluster that wants a client certificate."""

    address: str
    """Host and port, as pods reach it."""
    certificates: temporal_certificates.TemporalCertificates

    def let_in(self, cluster: Cluster, namespace: str) -> None:
        """Give a namespace what a release there needs."""
        there, made = f"--namespace={namespace}", self.certificates
        authority = ("configmap", _AUTHORITY, f"--from-file=ca.crt={made.authority}")
        cluster.kubectl("create", there, *authority)
        certificate = (f"--cert={made.certificate('client')}", f"--key={made.key('client')}")
        cluster.kubectl("create", there, "secret", "tls", _CLIENT, *certificate)

    @property
    def values(self) -> dict[str, str]:
        """The values of the chart for it."""
        return {
            "temporal.devServer.enabled": "false",
            "temporal.address": self.address,
            "temporal.tls.serverName": temporal_certificates.SERVER_NAME,
            "temporal.tls.ca.existingConfigMap": _AUTHORITY,
            "temporal.tls.client.existingSecret": _CLIENT,
        }


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """The chart, installed; the account is in the same namespace."""

    cluster: Cluster
    helm: helms.Helm
    account: Account
    temporal: TemporalOutside | None = None
    """None: the dev server in the release."""

    @property
    def namespace(self) -> str:
        """Where the release is."""
        return self.account.namespace

    def install(self) -> None:
        """Install it, with values for a test, and wait until all pods are ready."""
        self._put("install")

    def upgrade(self, *settings: str) -> None:
        """Upgrade it with changed values (`worker.replicas=1`) and wait until that is done."""
        self._put("upgrade", *(f"--set={setting}" for setting in settings))

    def test(self) -> str:
        """Run `helm test` and return the log of what it runs."""
        return self._helm("test", NAME, "--logs")

    def uninstall(self) -> str:
        """Uninstall it and wait until that is done; return what Helm says."""
        return self._helm("uninstall", NAME, "--wait")

    def remove(self) -> None:
        """Uninstall it if it is there."""
        self._helm("uninstall", NAME, "--wait", "--ignore-not-found")

    def pods_that_are_left(self) -> list[str]:
        """Return the names of all pods of the release, those included that are about to go."""
        chosen = f"--selector=app.kubernetes.io/instance={NAME}"
        found = self.cluster.read("pods", self._there, chosen)
        return [pod["metadata"]["name"] for pod in found["items"]]

    def pods(self, component: str) -> list[str]:
        """Return the names of a component's pods that are not about to go."""
        found = self.cluster.read("pods", self._there, f"--selector={self._labels(component)}")
        alive = (pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"])
        return sorted(pod["metadata"]["name"] for pod in alive)

    def started_pods(self, component: str) -> list[str]:
        """Return the names of those of its pods whose containers run, ready or not."""
        found = self.cluster.read("pods", self._there, f"--selector={self._labels(component)}")
        return [pod["metadata"]["name"] for pod in found["items"] if _runs(pod)]

    def kill(self, component: str) -> None:
        """Kill all pods of a component without a grace period."""
        forced = ("--grace-period=0", "--force", "--wait=false")
        self.cluster.kubectl(
            "delete", "pods", self._there, f"--selector={self._labels(component)}", *forced
        )

    def log(self, component: str) -> str:
        """Return the ends of the logs of a component's pods, for a test that fails."""
        chosen = (f"--selector={self._labels(component)}", "--tail=40", "--prefix")
        try:
            return self.cluster.kubectl("logs", self._there, *chosen)
        except KubectlFailed as error:
            return str(error)

    @property
    def _there(self) -> str:
        return f"--namespace={self.namespace}"

    def _put(self, verb: str, *arguments: str) -> None:
        values = [f"--values={MANIFESTS / 'values.yaml'}"]
        waiting = ("--wait", f"--timeout={_READY_SECONDS}s")
        if self.temporal is not None:
            values += [f"--set={key}={value}" for key, value in self.temporal.values.items()]
        self._helm(verb, NAME, str(helms.CHART), *values, *waiting, *arguments)

    def _helm(self, *arguments: str) -> str:
        return self.helm(*arguments, self._there)

    def _labels(self, component: str) -> str:
        return f"app.kubernetes.io/instance={NAME},app.kubernetes.io/component={component}"


def _runs(pod: Body) -> bool:
    containers = pod["status"].get("containerStatuses", [])
    return bool(containers) and all("running" in one["state"] for one in containers)


def graph(prefix: str) -> dict[str, list[str]]:
    """Return seven stacks on four levels, each with the stacks that it depends on."""
    upstreams: dict[str, list[str]] = {
        "network": [],
        "dns": ["network"],
        "cluster": ["network"],
        "database": ["network"],
        "queue": ["dns", "cluster"],
        "service": ["cluster", "database"],
        "web": ["queue", "service"],
    }
    return {f"{prefix}-{name}": [f"{prefix}-{up}" for up in ups] for name, ups in upstreams.items()}


def chain(name: str, root: str) -> Body:
    """Return a StackChain of a root and all the stacks that labels put behind it."""
    return {
        "apiVersion": "stackchain.dev/v1alpha1",
        "kind": "StackChain",
        "metadata": {"name": name},
        "spec": {"roots": {"stackIds": [root]}, "graph": {"sources": ["Labels"]}},
    }


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """A StackChain in the cluster, as a person looks at it."""

    cluster: Cluster
    namespace: str
    name: str

    @classmethod
    def apply(cls, cluster: Cluster, namespace: str, name: str) -> "Applied":
        """Apply one over the stacks of `graph(name)`."""
        cluster.apply(chain(name, f"{name}-network"), namespace=namespace)
        return cls(cluster=cluster, namespace=namespace, name=name)

    def status(self) -> Body:
        """Return its status, empty before the operator has seen it."""
        return dict(self.cluster.read(*self._what).get("status", {}))

    def is_in_the_middle(self) -> bool:
        """Whether some stacks are done, some run, and some have not begun."""
        phases = {stack["phase"] for stack in self.status().get("stacks", [])}
        return {"Succeeded", "Running"} < phases

    def wait_until_ready(self) -> None:
        """Wait as a person would.

        Raises:
            KubectlFailed: it did not become ready.
        """
        timeout = f"--timeout={_CHAIN_SECONDS}s"
        self.cluster.kubectl("wait", *self._what, "--for=condition=Ready", timeout)

    def row(self) -> list[str]:
        """Return the words of its row in `kubectl get schain`."""
        return self.cluster.kubectl("get", *self._what, "--no-headers").split()

    def annotate(self, annotation: str) -> None:
        """Set an annotation, as `key=value`."""
        self.cluster.kubectl("annotate", *self._what, annotation)

    @property
    def _what(self) -> tuple[str, str]:
        return f"--namespace={self.namespace}", f"schain/{self.name}"


Apply = Callable[[str], Applied]
"""Applies a chain of a name over stacks that are made for it."""
