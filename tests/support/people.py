"""What people do to chains: all of it with the real kubectl, as its help and our docs say."""

import json
from typing import Any

from devenv.control_plane import server
from tests.support import chains
from tests.support.kubectl import Kubectl


class People:
    """Those who steer the chains of an installation; a refusal fails the test."""

    def __init__(self, release: chains.Installation, plane: server.ControlPlane) -> None:
        self._release = release
        self._kubectl = Kubectl(plane=plane, namespace=release.namespace)

    async def apply(
        self, name: str, *roots: str, account: chains.Account, **spec: Any
    ) -> chains.Chain:
        """Create a chain, or change it to a spec, with `kubectl apply`."""
        document = {"connectionName": account.name, "roots": {"stackIds": list(roots)}, **spec}
        chain = self._release.chain(name)
        code, output = await self._kubectl.apply(document, name=name)
        assert code == 0, output
        return chain

    async def patch(self, name: str, **spec: Any) -> None:
        """Change fields of a spec with `kubectl patch`."""
        await self._run(
            "patch", "schain", name, "--type=merge", f"--patch={json.dumps({'spec': spec})}"
        )

    async def annotate(self, name: str, **annotations: str) -> None:
        """Ask for something: `retry="1"` is the annotation `stackchain.dev/retry: "1"`."""
        texts = [f"stackchain.dev/{short}={value}" for short, value in annotations.items()]
        await self._run("annotate", "schain", name, "--overwrite", *texts)

    async def _run(self, *arguments: str) -> None:
        code, output = await self._kubectl(*arguments)
        assert code == 0, output
