"""Which runs outside of the chain a retry counts as the chain's own."""

from collections.abc import Mapping

import pytest

from controller.chain.run import newer_runs, progress
from tests.support.builders import make_discovery, resolve_graph

# a -> b -> c, and d behind a through a label: Spacelift queues no run there automatically.
GRAPH = resolve_graph(make_discovery("a -> b", "b -> c", labels=["a -> d"]), "a")

Newest = tuple[str, str, bool]


def keeps(
    newest: Mapping[str, Newest],
    *,
    kept: Mapping[str, str | None],
    retried: Mapping[str, str | None],
) -> dict[str, str | None]:
    """Return the runs that are kept besides, by stack; `newest` has id, who triggered, success."""
    found = newer_runs.newly_kept(
        GRAPH,
        kept=[
            progress.Kept(stack_id=stack_id, run_number=1, run_id=run_id)
            for stack_id, run_id in kept.items()
        ],
        retried=[
            progress.Retried(stack_id=stack_id, run_number=1, run_id=run_id)
            for stack_id, run_id in retried.items()
        ],
        newest=[
            newer_runs.NewestRun(
                stack_id=stack_id,
                run_id=run_id,
                run_url="https://x",
                triggered_by=triggered_by,
                is_success=is_success,
            )
            for stack_id, (run_id, triggered_by, is_success) in newest.items()
        ],
    )
    assert all(item.is_newer and item.run_number == 1 for item in found)
    return {item.stack_id: item.run_id for item in found}


FAILED_AT_B = {"kept": {"a": "01"}, "retried": {"b": "02", "c": None, "d": None}}
FAILED_AT_A = {"kept": {}, "retried": {"a": "01", "b": None, "c": None, "d": None}}


@pytest.mark.parametrize(
    ("newest", "given", "expected"),
    [
        pytest.param({"b": ("03", "jane", True)}, FAILED_AT_B, {"b": "03"}, id="a person's"),
        pytest.param(
            {"b": ("02", "jane", True)}, FAILED_AT_B, {"b": "02"}, id="the same, retried there"
        ),
        pytest.param({"b": ("03", "jane", False)}, FAILED_AT_B, {}, id="it failed, or goes on"),
        pytest.param({"b": ("01", "jane", True)}, FAILED_AT_B, {}, id="an older one"),
        pytest.param({}, FAILED_AT_B, {}, id="none is seen"),
        pytest.param(
            {"b": ("03", "jane", True), "c": ("04", "b", True)},
            FAILED_AT_B,
            {"b": "03", "c": "04"},
            id="and what Spacelift queued behind it",
        ),
        pytest.param(
            {"b": ("03", "jane", True), "c": ("04", "jane", True)},
            FAILED_AT_B,
            {"b": "03"},
            id="a person's behind it may have begun too early",
        ),
        pytest.param(
            {"b": ("05", "jane", True), "c": ("04", "b", True)},
            FAILED_AT_B,
            {"b": "05"},
            id="what was queued behind an earlier one",
        ),
        pytest.param(
            {"c": ("04", "b", True)}, FAILED_AT_B, {}, id="behind one that still has to run"
        ),
        pytest.param(
            {"a": ("05", "jane", True), "b": ("06", "a", True), "c": ("07", "a", True)},
            FAILED_AT_A,
            {"a": "05", "b": "06", "c": "07"},
            id="the whole wave of a root",
        ),
        pytest.param(
            {"a": ("05", "jane", True), "d": ("06", "jane", True)},
            FAILED_AT_A,
            {"a": "05"},
            id="behind it by a label",
        ),
        pytest.param(
            {"a": ("05", "jane", True)},
            {"kept": {}, "retried": {"a": None}},
            {},
            id="a root that had no run: nobody knows what the run was for",
        ),
        pytest.param(
            {"b": ("03", "a", True)},
            {"kept": {"a": None}, "retried": {"b": None}},
            {},
            id="behind one whose run is not known",
        ),
        pytest.param(
            {"b": ("03", "jane", True)},
            {"kept": {"a": "01"}, "retried": {}},
            {},
            id="a stack that the retried run did not have",
        ),
    ],
)
def test_a_run_counts_if_it_came_after_all_that_it_depends_on(
    newest: Mapping[str, Newest],
    given: Mapping[str, Mapping[str, str | None]],
    expected: dict[str, str | None],
) -> None:
    assert keeps(newest, **given) == expected


def test_where_the_chain_would_have_run_something_else_no_other_run_counts() -> None:
    newest = newer_runs.NewestRun(
        stack_id="b", run_id="03", run_url="https://x", triggered_by="jane", is_success=True
    )

    found = newer_runs.newly_kept(
        GRAPH,
        kept=[progress.Kept(stack_id="a", run_number=1, run_id="01")],
        retried=[progress.Retried(stack_id="b", run_number=1, run_id="02", may_have_newer=False)],
        newest=[newest],
    )

    assert found == []


@pytest.mark.parametrize(
    ("run_id", "source"),
    [
        pytest.param("03", "Adopted", id="a person's"),
        pytest.param("02", "Triggered", id="the chain's own, retried there"),
    ],
)
def test_what_a_person_ran_is_adopted_and_the_chains_own_run_stays_what_it_was(
    run_id: str, source: str
) -> None:
    newest = newer_runs.NewestRun(
        stack_id="b", run_id=run_id, run_url="https://x", triggered_by="jane", is_success=True
    )

    (found,) = newer_runs.newly_kept(
        GRAPH,
        kept=[progress.Kept(stack_id="a", run_number=1, run_id="01")],
        retried=[progress.Retried(stack_id="b", run_number=1, run_id="02", run_source="Triggered")],
        newest=[newest],
    )

    assert (found.run_id, found.run_source) == (run_id, source)
