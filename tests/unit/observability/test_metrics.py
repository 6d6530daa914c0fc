"""The metrics: apart per process, bounded, and described."""

from prometheus_client import generate_latest

from controller.observability import metrics


def exposed(counted: metrics.Metrics) -> str:
    return generate_latest(counted.registry).decode()


def test_what_is_counted_is_exposed() -> None:
    counted = metrics.Metrics()

    counted.runs_triggered.inc()
    counted.spacelift_requests.labels(operation="runTrigger", outcome="ok").inc()
    counted.spacelift_request_duration.labels(operation="runTrigger").observe(0.2)
    counted.lease_held.set(1)

    text = exposed(counted)
    assert "stackchain_runs_triggered_total 1.0" in text
    assert 'stackchain_spacelift_requests_total{operation="runTrigger",outcome="ok"} 1.0' in text
    assert 'le="0.25",operation="runTrigger"} 1.0' in text
    assert "stackchain_lease_held 1.0" in text
    assert "process_resident_memory_bytes" in text


def test_two_registries_do_not_share_numbers() -> None:
    first, second = metrics.Metrics(), metrics.Metrics()

    first.chain_starts.inc()

    assert "stackchain_chain_starts_total 0.0" in exposed(second)


def test_every_metric_of_ours_is_described() -> None:
    rows = metrics.describe_metrics()

    described = {row.name.removesuffix("_total") for row in rows}
    families = {
        family.name
        for family in metrics.Metrics().registry.collect()
        if not family.name.startswith("process_")
    }
    assert described == families
    assert all(row.meaning.endswith(".") for row in rows)


def test_no_label_can_grow_with_what_customers_do() -> None:
    # Of those that name chains, the number of series is bounded by `STACKCHAIN_METRICS_CHAINS`.
    bounded = {
        *("info", "since_timestamp_seconds", "failed_stacks", "held_stacks"),
        "trouble_timestamp_seconds",
    }
    names = {f"stackchain_chain_{name}" for name in bounded}
    rows = [row for row in metrics.describe_metrics() if row.name not in names]
    labels = {label for row in rows for label in row.labels}

    # Connections, sinks and served namespaces are the settings', whatever a delivery names.
    assert labels <= {
        *("result", "operation", "outcome", "reason", "phase", "queue", "kind", "version"),
        *("connection", "sink", "part", "served"),
    }
