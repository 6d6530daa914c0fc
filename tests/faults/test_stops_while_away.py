"""A role ends within seconds of a SIGTERM, whatever is away, and however it is away.

Given: relays in front of Temporal and the API server, which refuse all connections, or take them
and say nothing; StackChains that wait for what is away. Each case is tried several times, at
different moments: what kept an operator alive did so in six of fourteen tries.
"""

import asyncio
import dataclasses
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from devenv import role_process, tools
from tests.conftest import StartRole
from tests.support import chains, kube, relay, temporal

# Less than a pod gets, and more than a busy machine takes; what waits forever takes far longer.
SECONDS = 20.0
TRIES = 3
CHAINS = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Away:
    """What stands between a role and the two that may be away."""

    temporal: relay.Relay
    api: relay.Relay
    endpoints: role_process.Endpoints

    def relays(self, names: tuple[str, ...]) -> list[relay.Relay]:
        return [{"Temporal": self.temporal, "API server": self.api}[name] for name in names]


@pytest.fixture
async def away(parts: chains.Parts, tmp_path: Path) -> AsyncIterator[Away]:
    namespace = temporal.unique("stops")
    await parts.kube.create_namespace(namespace)
    await temporal.create_namespace(parts.temporal_client, namespace)
    document = yaml.safe_load(parts.control_plane.kubeconfig.read_text(encoding="utf-8"))
    cluster = document["clusters"][0]["cluster"]
    before_temporal = relay.Relay(parts.temporal_server.address)
    before_api = relay.Relay(cluster["server"].removeprefix("https://"))
    cluster["server"] = f"https://{before_api.address}"
    kubeconfig = tmp_path / "relayed.kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(document), encoding="utf-8")
    people = kube.StackChains(parts.kube, namespace)
    for number in range(CHAINS):
        spec = {"connectionName": "default", "roots": {"stackIds": [f"s{number}"]}}
        await people.create(f"waits-{number}", spec)
    yield Away(
        temporal=before_temporal,
        api=before_api,
        endpoints=role_process.Endpoints(
            kubeconfig=kubeconfig,
            temporal_address=before_temporal.address,
            spacelift_url="https://acme.app.spacelift.io",
            temporal_namespace=namespace,
            release_namespace=namespace,
            watch_namespaces=(namespace,),
            installation=namespace,
            webhook_address=f"127.0.0.1:{tools.free_port()}",
        ),
    )
    await before_temporal.close()
    await before_api.close()
    await temporal.delete_namespace(parts.temporal_client, namespace)


@pytest.mark.parametrize("how", ["refuses", "is silent"])
@pytest.mark.parametrize(
    ("role_name", "names"),
    [
        pytest.param("operator", ("Temporal",), id="operator without Temporal"),
        pytest.param("operator", ("API server",), id="operator without the API server"),
        pytest.param("operator", ("Temporal", "API server"), id="operator without both"),
        pytest.param("worker", ("Temporal",), id="worker without Temporal"),
        pytest.param("webhook", ("Temporal",), id="receiver without Temporal"),
    ],
)
async def test_a_role_ends_within_seconds(
    start_role: StartRole, away: Away, role_name: str, names: tuple[str, ...], how: str
) -> None:
    took = []
    for number in range(TRIES):
        for between in (away.temporal, away.api):
            between.start()
        role = await start_role(role_name, away.endpoints, instance=number)

        for between in away.relays(names):
            if how == "refuses":
                await between.close()
            else:
                between.silence()
        await asyncio.sleep(0.7 * number)
        asked_at = time.monotonic()
        role.process.signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            code = await role.process.wait()

        took.append(time.monotonic() - asked_at)
        assert code == 0, role.log()
        for between in away.relays(names):
            await between.close()
    print("from SIGTERM to the end:", " ".join(f"{seconds:.2f} s" for seconds in took))
    assert max(took) < SECONDS
