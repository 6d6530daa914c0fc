"""What the workers of both roles have in common."""

from typing import Any

from controller.config import connections, settings
from controller.notify import sinks
from controller.observability import metrics
from controller.temporal import worker


class Made:
    """Stands for the SDK's class, and notes what it is made with."""

    def __init__(self) -> None:
        self.options: list[dict[str, Any]] = []

    def __call__(self, client: object, **options: Any) -> object:
        self.options.append(options)
        return object()


def test_each_worker_reports_the_version_and_hashes_no_code_at_its_start() -> None:
    made = Made()
    all_settings = settings.Settings()

    worker.operator_worker(None, operator_queue="q", operator=None, new_worker=made)
    worker.SpaceliftWorker(
        None,
        all_settings=all_settings,
        catalog=connections.ConnectionCatalog(all_settings.spacelift),
        sink_catalog=sinks.SinkCatalog(None),
        counters=metrics.Metrics(),
        new_worker=made,
    )

    assert len(made.options) == 3
    assert {options["build_id"] for options in made.options} == {metrics.version()}
