"""newer_phases: what a newer operator writes is shown as it is."""

from datetime import UTC, datetime
from typing import Any

from controller.api import v1alpha1
from controller.display import styled_text, tree
from controller.plugin import newer_phases, output
from tests.support.builders import make_shown_status, make_stack_status


def body_of(status: v1alpha1.Status, **phases: str) -> dict[str, Any]:
    """Return a resource as read, in which stacks have other phases than this version knows."""
    stored = v1alpha1.status_to_dict(status)
    for row in stored["stacks"]:
        row["phase"] = phases.get(row["id"], row["phase"])
    stored["latestRun"]["phase"] = phases.get("run", stored["latestRun"]["phase"])
    return {
        "metadata": {"namespace": "team", "name": "prod", "uid": "u", "generation": 1},
        "spec": {"roots": {"stackIds": ["a"]}},
        "status": stored,
    }


def drawn(chain: v1alpha1.StackChain) -> str:
    drawing = tree.Drawing(now=datetime(2026, 3, 1, 10, tzinfo=UTC))
    lines = tree.render(chain.ref.name, chain.status, drawing)
    return "\n".join(map(styled_text.plain_text, lines))


def test_an_unknown_phase_is_shown_and_is_not_over() -> None:
    status = make_shown_status(make_stack_status("a"), make_stack_status("b"))

    chain = newer_phases.parse(body_of(status, a="Hibernating", run="Thawing"))

    assert "Hibernating" in drawn(chain)
    assert [str(stack.phase) for stack in chain.status.stacks] == ["Hibernating", "Pending"]
    assert chain.status.latest_run is not None
    assert str(chain.status.latest_run.phase) == "Thawing"
    assert not any(stack.phase.is_over for stack in chain.status.stacks)
    document = output.tree_document(chain)
    assert [stack["phase"] for stack in document["stacks"]] == ["Hibernating", "Pending"]


def test_a_hostile_phase_is_cleaned() -> None:
    status = make_shown_status(make_stack_status("a"))

    chain = newer_phases.parse(body_of(status, a="x\x1b[2J" + "y" * 100))

    assert "\x1b" not in drawn(chain)
    assert len(chain.status.stacks[0].phase) <= 32


def test_what_is_known_stays_what_it_is() -> None:
    status = make_shown_status(make_stack_status("a"), make_stack_status("b"))
    body = body_of(status)

    assert newer_phases.parse(body) == v1alpha1.parse(body)
    assert newer_phases.parse({**body, "status": None}) == v1alpha1.parse({**body, "status": {}})


def test_a_list_that_does_not_fit_counts_as_missing() -> None:
    body = body_of(make_shown_status(make_stack_status("a")))
    body["status"]["stacks"][0]["level"] = "new"

    chain = newer_phases.parse(body)

    assert chain.status.stacks == ()
    assert chain.status.latest_run is not None


def test_many_stacks_of_an_unknown_phase_are_counted() -> None:
    stacks = [make_stack_status(f"s{number:02}") for number in range(45)]
    phases = {stack.id: "Hibernating" for stack in stacks[:40]}

    chain = newer_phases.parse(body_of(make_shown_status(*stacks), **phases))

    assert drawn(chain).count("Hibernating") >= 40
