"""The id of an installation: where it comes from, and the message while it cannot be read."""

import asyncio
from typing import Any

import pytest

from controller.config import settings
from controller.kube import errors, installation_id, stackchains


class FakeApiServer:
    """Knows the namespace kube-system, or fails."""

    def __init__(self, *failures: errors.KubeError) -> None:
        self.failures = list(failures)
        self.asked = 0

    async def request(self, method: str, path: str, **_: Any) -> dict[str, Any]:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return {"metadata": {"uid": "12345678-aaaa-bbbb"}}


def of(api: FakeApiServer, **fields: Any) -> installation_id.InstallationId:
    installation = settings.InstallationSettings(namespace="platform", **fields)
    chains = stackchains.StackChains(api)
    return installation_id.InstallationId(installation, chains, retry_seconds=0.001)


async def test_it_is_made_of_the_cluster_and_the_namespace() -> None:
    assert await of(FakeApiServer()).find() == "12345678-platform"


async def test_one_that_is_set_is_taken_and_nothing_is_asked() -> None:
    api = FakeApiServer()
    found = of(api, installation_id="blue")

    assert await found.check() is None
    assert await found.find() == "blue"
    assert api.asked == 0


async def test_until_it_can_be_read_readiness_says_why_and_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    api = FakeApiServer(errors.Denied("403 no"), errors.Denied("403 no"))
    found = of(api)
    said = [await found.check()]

    finding = asyncio.create_task(found.find())
    while not finding.done():
        await asyncio.sleep(0)
        said.append(await found.check())

    assert finding.result() == "12345678-platform"
    assert "has not been read yet" in (said[0] or "")
    assert any("403 no" in (why or "") and "STACKCHAIN_INSTALLATION" in (why or "") for why in said)
    assert await found.check() is None
    assert len(caplog.records) == 1
