"""Queries: answered along with the workflow task that is due, or else by a separate task."""

from typing import TYPE_CHECKING

from tests.simulation.temporal import task_queues
from tests.simulation.temporal.records import Execution, Query

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer


class Queries:
    """The queries to all executions."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server

    def ask(self, execution: Execution, query: Query) -> None:
        """Have a worker answer; what came in before the query reaches the workflow first."""
        if execution.task is not None:
            execution.queries.append(query)
            return
        item = task_queues.Item(
            assign=lambda poller: poller.take_query(execution, query),  # type: ignore[attr-defined]
            is_stale=query.answer.done,
            added_at=self._server.time(),
        )
        sticky = execution.sticky
        if sticky is not None and sticky.is_polling(task_queues.WORKFLOW):
            sticky.sticky_queue.add(item)
        else:
            self._server.queue(execution.start.task_queue, task_queues.WORKFLOW).add(item)

    def ask_again(self, execution: Execution) -> None:
        """Ask again for what was to be answered along with a task that will not come."""
        queries, execution.queries = execution.queries, []
        for query in queries:
            self.ask(execution, query)
