"""Alerts and dashboard query what processes really expose, after chains and during one."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from devenv import role_process
from tests.support import chains, prometheus, promql, receivers, webhooks
from tests.support.chains import account_document
from tests.support.waiting import eventually

Samples = list[tuple[str, dict[str, str], float]]


CHAIN_PANELS = {
    "panel StackChains that need someone": {"both", "fails", "locked", "lost", "waits"},
    "panel Longest waits and runs by StackChain": {"both", "locked", "waits"},
    "panel Stacks that are held up": {"locked"},
}
"""The panels that name StackChains, and which ones they name."""
TROUBLES_PANEL = "panel Other troubles by StackChain"


def names(series: list[dict[str, Any]]) -> set[str]:
    """Return the names of the StackChains that an answer is about."""
    return {one["metric"]["chain"] for one in series if "chain" in one["metric"]}


async def scrape(role: role_process.Role) -> Samples:
    """Return name, labels and value of each sample, with the labels that Prometheus adds."""
    async with httpx.AsyncClient(base_url=role.health_url, trust_env=False) as http:
        text = (await http.get("/metrics")).text
    added = {"component": role.options.role, "pod": role.options.name}
    return [
        (sample.name, sample.labels | added, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]


async def scrape_all(release: chains.Installation) -> Samples:
    return [sample for role in release.roles for sample in await scrape(role)]


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """Return the sum of the samples that have these labels, none if there is no such sample."""
    found = [v for n, own, v in samples if n == name and labels.items() <= own.items()]
    return sum(found) if found else None


@pytest.fixture(scope="module")
async def release(
    parts: chains.Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[chains.Installation]:
    """A release that notifies a sink of what happens."""
    directory = tmp_path_factory.mktemp("monitoring")
    async with receivers.Receiver() as sink:
        file = directory / "notifications.yaml"
        entry = {
            "name": "ops",
            "type": "CloudEvents",
            "url": sink.url,
            "transitions": ["RunFailed"],
        }
        file.write_text(yaml.safe_dump({"sinks": [entry]}))
        options = chains.Options(settings={"NOTIFICATIONS_FILE": str(file)})
        async with chains.installed(parts, directory, options) as running:
            yield running


@pytest.fixture(scope="module")
async def busy(release: chains.Installation) -> chains.Installation:
    """A release with all roles and a standby, and chains that failed, wait, and both."""
    receiver = webhooks.InstalledReceiver(release)
    for role in (release.role("operator", instance=1), receiver.role):
        await role.start()
    by_hand = {"autodeploy": False}
    document = account_document(
        "a -> b -> c", stacks={"c": by_hand, "x": {}, "y": {}, "z": by_hand, "l": {}, "m": by_hand}
    )
    account, _ = await receiver.add_account("busy", document)
    for stack_id in "xy":
        await account.script(stack_id, "fail:applying")
    await account.admin("POST", "/stacks/l/lock", {"user": "jane@example.com"})
    locked = await release.create("locked", "l", account=account)
    waiting = await release.create("waits", "a", account=account)
    failing = await release.create("fails", "x", account=account)
    await failing.ends("StackFailed")
    both = await release.create("both", "y", "z", account=account)
    await waiting.shows("AwaitingConfirmation")
    await locked.shows("Blocked")
    lost = await release.create("lost", "m", account=account)
    status = await lost.shows("AwaitingConfirmation")
    client = await release.temporal()
    # The operator hears of it only by its resync.
    await client.get_workflow_handle(status["latestRun"]["workflowId"]).terminate()
    await lost.ends("WorkflowTerminated")
    await both.until(
        lambda status: (status.get("latestRun") or {}).get("summary", {}).get("failed") == 1
    )
    return release


async def test_every_query_of_the_chart_finds_what_it_names(busy: chains.Installation) -> None:
    async def nothing_is_missing() -> bool:
        samples = await scrape_all(busy)
        exposed: dict[str, set[str]] = {}
        for name, labels, _ in samples:
            exposed.setdefault(name, set()).update(labels)
        missing = [(query.where, promql.unmet(query, exposed)) for query in promql.queries()]
        assert [item for item in missing if item[1]] == []
        return True

    # The queues are looked at now and then only.
    await eventually(nothing_is_missing, chains.SECONDS, what="all queries have their metrics")


async def test_the_numbers_say_how_the_release_and_its_chains_are(
    busy: chains.Installation,
) -> None:
    async def as_it_is() -> bool:
        samples = await scrape_all(busy)
        assert value(samples, "stackchain_lease_held") == 1
        assert value(samples, "stackchain_chains") == 5
        assert value(samples, "stackchain_chains", reason="AwaitingConfirmation") == 2
        assert value(samples, "stackchain_chains", reason="StackFailed") == 1
        assert value(samples, "stackchain_chains", reason="WorkflowTerminated") == 1
        troubles = "stackchain_chain_trouble_timestamp_seconds"
        assert value(samples, troubles, chain="lost", trouble="StatusContradicted")
        assert {own["trouble"] for name, own, _ in samples if name == troubles} == {
            "StatusContradicted"
        }
        assert value(samples, "stackchain_live_stacks", phase="Succeeded") == 2
        assert value(samples, "stackchain_live_stacks", reason="NeedsConfirmation") == 2
        assert value(samples, "stackchain_chain_run_duration_seconds_count", phase="Failed") == 2
        assert value(samples, "stackchain_runs_followed") == 2
        assert value(samples, "stackchain_task_queue_pollers", queue="follow") == 1
        for pod in ("stackchain-operator-0", "stackchain-worker-0"):
            assert value(samples, "stackchain_temporal_connected", pod=pod) == 1
        return True

    await eventually(as_it_is, chains.SECONDS, what="the metrics say how it is")


async def test_a_standby_tells_nothing_of_chains_and_that_it_reaches_temporal(
    busy: chains.Installation,
) -> None:
    standby = next(role for role in busy.roles if role.options.instance == 1)

    async def reaches_temporal() -> Samples | None:
        samples = await scrape(standby)
        return samples if value(samples, "stackchain_temporal_connected") == 1 else None

    samples = await eventually(reaches_temporal, chains.SECONDS, what="it reaches Temporal")
    assert samples is not None
    for name in ("stackchain_chains", "stackchain_task_queue_pollers"):
        assert value(samples, name) is None


if prometheus.PROGRAM:

    async def test_a_real_prometheus_answers_each_query_and_names_chains(
        busy: chains.Installation, tmp_path: Path
    ) -> None:
        async with prometheus.Prometheus(tmp_path / "prometheus", busy.roles) as server:

            async def all_is_read() -> bool:
                assert {rule["health"] for rule in await server.rules()} == {"ok"}
                for query in promql.queries():
                    await server.query(
                        query.sent.replace("RELEASE_NAMESPACE", prometheus.NAMESPACE)
                    )
                named = {where: set[str]() for where in (*CHAIN_PANELS, TROUBLES_PANEL)}
                for query in promql.queries():
                    if query.where in named:
                        named[query.where] = named[query.where] | names(
                            await server.query(query.sent)
                        )
                # A resync every second may be ahead of what other chains publish.
                assert "lost" in named.pop(TROUBLES_PANEL)
                assert named == CHAIN_PANELS
                return True

            await eventually(all_is_read, chains.SECONDS, what="Prometheus has read all")

    async def test_alerts_of_a_real_prometheus_name_the_chain_with_its_namespace(
        busy: chains.Installation, tmp_path: Path
    ) -> None:
        async with prometheus.Prometheus(tmp_path / "prometheus", busy.roles) as server:
            namespace = busy.namespace

            async def alerts_are_pending() -> bool:
                found = {rule["name"]: rule["alerts"] for rule in await server.rules()}
                named = {
                    alert: {
                        (one["labels"]["chain_namespace"], one["labels"]["chain"])
                        for one in found[alert]
                    }
                    for alert in ("StackChainFailed", "StackChainStacksFailed", "StackChainBlocked")
                }
                assert named == {
                    "StackChainFailed": {(namespace, "fails"), (namespace, "lost")},
                    "StackChainStacksFailed": {(namespace, "both")},
                    "StackChainBlocked": {(namespace, "locked")},
                }
                held = found["StackChainStacksBlocked"]
                assert {one["labels"]["chain"] for one in held} == {"locked"}
                return True

            await eventually(alerts_are_pending, chains.SECONDS, what="alerts name chains")
