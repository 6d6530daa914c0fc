"""What listings show: each execution and schedule as it was some time ago."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from temporalio.api.common.v1 import Payload

from tests.simulation import virtual_time
from tests.simulation.temporal import chance
from tests.simulation.temporal.records import Execution, Start, Status
from tests.simulation.temporal.refusals import NotSimulated

if TYPE_CHECKING:
    from tests.simulation.temporal.server import TemporalServer

_Row = TypeVar("_Row")

_TERM = re.compile(r"\s*(\w+)\s*(=|STARTS_WITH|!=|>=)\s*['\"]([^'\"]*)['\"]\s*", re.IGNORECASE)


@dataclass(slots=True, frozen=True)
class Row:
    """An execution as a listing shows it."""

    start: Start
    status: Status
    memo: dict[str, Payload]
    close_time: float | None
    history_length: int


class Visibility:
    """The rows of all executions."""

    def __init__(self, server: "TemporalServer") -> None:
        self._server = server
        self._rows: dict[str, Row] = {}
        # When the newest state of each becomes visible: an older one never overtakes it.
        self._due: dict[str, float] = {}

    def update(self, execution: Execution) -> None:
        """Show how an execution is now, after a while."""
        row = Row(
            execution.start,
            execution.status,
            dict(execution.memo),
            execution.close_time,
            execution.history.length,
        )
        self._after_a_while(execution.run_id, self._show, row)

    def remove(self, execution: Execution) -> None:
        """Show an execution no longer, after a while."""
        self._after_a_while(execution.run_id, self._hide, execution.run_id)

    def list(self, query: str) -> list[Row]:
        """Return what a query finds, the newest first."""
        matches = compile_query(query, _FIELDS)
        found = [row for row in self._rows.values() if matches(row)]
        return sorted(found, key=lambda row: (-row.start.shown_time, row.start.run_id))

    def _after_a_while(self, run_id: str, show: Callable[..., None], *args: object) -> None:
        due = self._server.time() + self._server.chance.delay(chance.VISIBILITY)
        due = max(due, self._due.get(run_id, 0.0) + 1e-6)
        self._due[run_id] = due
        self._server.later(due - self._server.time(), show, *args)

    def _show(self, row: Row) -> None:
        self._rows[row.start.run_id] = row

    def _hide(self, run_id: str) -> None:
        self._rows.pop(run_id, None)
        self._due.pop(run_id, None)


_FIELDS: dict[str, Callable[[Row], str]] = {
    "WorkflowType": lambda row: row.start.workflow_type,
    "WorkflowId": lambda row: row.start.workflow_id,
    "RunId": lambda row: row.start.run_id,
    "ExecutionStatus": lambda row: row.status.name,
    "TaskQueue": lambda row: row.start.task_queue,
    "StartTime": lambda row: _moment(virtual_time.EPOCH + row.start.shown_time),
}


def _moment(unix: float) -> str:
    """Return an instant as a string that sorts by time."""
    return f"{unix:020.6f}"


def compile_query(query: str, fields: dict[str, Callable[[_Row], str]]) -> Callable[[_Row], bool]:
    """Return what decides whether something is found by a query of terms that all hold.

    Raises:
        NotSimulated: the query is of another kind.
    """
    tests = list(_terms(query, fields))
    return lambda row: all(test(row) for test in tests)


def _terms(
    query: str, fields: dict[str, Callable[[_Row], str]]
) -> Iterator[Callable[[_Row], bool]]:
    for term in re.split(r"\bAND\b", query, flags=re.IGNORECASE) if query.strip() else ():
        found = _TERM.fullmatch(term)
        if found is None or found[1] not in fields:
            raise NotSimulated(f"the visibility query {query!r}")
        yield _test(fields[found[1]], found[1], found[2].upper(), found[3])


def _test(
    field: Callable[[_Row], str], name: str, operator: str, value: str
) -> Callable[[_Row], bool]:
    if name == "ExecutionStatus":
        value = value.upper().replace("TIMEDOUT", "TIMED_OUT")
    if operator == ">=":
        value = _moment(datetime.fromisoformat(value).timestamp())
    match operator:
        case "=":
            return lambda row: field(row) == value
        case "!=":
            return lambda row: field(row) != value
        case ">=":
            return lambda row: field(row) >= value
        case _:
            return lambda row: field(row).startswith(value)
