"""What Temporal's page shows of a chain: what needs a person first, and no markup from others."""

import re

import pytest

from controller.api import v1alpha1
from controller.api.reasons import StackReason
from controller.api.v1alpha1 import Phase
from controller.chain.run import web_details
from tests.support.builders import make_progress, make_stack
from tests.support.golden import Golden

PAGE = "temporal_page"
HELD = v1alpha1.Holder(needs_person=True, url="https://acme.app.spacelift.io/stack/locked")


def ids_of(page: str) -> list[str]:
    return [line.split(" | ")[0].removeprefix("| ") for line in page.splitlines()[6:]]


def test_what_needs_a_person_is_in_the_first_rows(golden: Golden) -> None:
    page = web_details.table_of(
        make_progress(
            make_stack("a-done", Phase.SUCCEEDED),
            make_stack("b-pending", depends_on=["waits"]),
            make_stack("c-runs", Phase.RUNNING),
            make_stack("failed", Phase.FAILED, message="The run failed (no token)."),
            make_stack(
                "locked",
                Phase.WAITING,
                reason=StackReason.STACK_LOCKED,
                has_run=False,
                held_by=HELD,
                message="The stack is locked by jane.",
            ),
            make_stack("waits", Phase.AWAITING_CONFIRMATION),
        )
    )

    golden(PAGE).check("some of each", page)
    assert ids_of(page) == ["failed", "waits", "locked", "c-runs", "b-pending", "a-done"]


def test_of_many_stacks_the_rest_is_counted() -> None:
    stacks = [make_stack(f"s{place:03}") for place in range(300)]
    failed = [make_stack(f"z{place}", Phase.FAILED) for place in range(3)]

    page = web_details.table_of(make_progress(*stacks, *failed))

    assert ids_of(page)[:3] == ["z0", "z1", "z2"]
    assert page.splitlines()[-1] == "| and 203 more | 203 Pending | | | |"
    assert len(page.splitlines()) == 6 + 101


@pytest.mark.parametrize(
    "text",
    [
        "a | b\n| c | `d` [e](https://evil.example/x) <script>",
        "![x](http://evil.example/pixel.png)",
        "# heading\n\n---\n",
        "see https://example.com/a_b|c and `https://x`",
    ],
)
def test_what_others_wrote_is_shown_as_it_is(text: str, golden: Golden, case: str) -> None:
    page = web_details.table_of(make_progress(make_stack("a", Phase.FAILED, message=text)))

    golden(PAGE).check(f"from outside: {case}", page)
    row = page.splitlines()[-1]
    assert len(re.findall(r"(?<!\\)\|", row)) == 6
    assert "<script>" not in row
    assert not re.search(r"(?<!\\)!\[", row)
