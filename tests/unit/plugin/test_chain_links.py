"""Where `open` leads."""

import dataclasses

import pytest

from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase
from controller.plugin import chain_links
from controller.plugin.exit_codes import CommandError, ExitCode
from tests.support.builders import make_shown_chain, make_shown_status, make_stack_status
from tests.support.golden import Golden

PAGE = "https://temporal.example.com/run"
RUN = "https://acme.app.spacelift.io/stack/vpc/run/01"
LOCK = "https://acme.app.spacelift.io/stack/eks"


def chain(workflow_url: str | None = PAGE) -> v1alpha1.StackChain:
    status = make_shown_status(
        make_stack_status("vpc", phase=Phase.SUCCEEDED, run_url=RUN),
        make_stack_status(
            "eks",
            1,
            "vpc",
            phase=Phase.WAITING,
            reason="StackLocked",
            run_url=RUN,
            held_by=v1alpha1.Holder(url=LOCK),
        ),
        make_stack_status("app", 2, "eks"),
        ready=("Unknown", "Progressing", "Words."),
    )
    assert status.latest_run is not None
    run = dataclasses.replace(status.latest_run, workflow_url=workflow_url)
    return make_shown_chain(dataclasses.replace(status, latest_run=run))


@pytest.mark.parametrize(("stack", "expected"), [(None, PAGE), ("vpc", RUN), ("eks", LOCK)])
def test_it_leads_to_the_run_or_to_what_holds_a_stack_up(stack: str | None, expected: str) -> None:
    assert chain_links.link_of(chain(), stack) == expected


REFUSED = {
    "never run": (make_shown_chain(), None, ExitCode.NOT_SUCCEEDED),
    "no address of Temporal's pages": (chain(None), None, ExitCode.NOT_SUCCEEDED),
    "an address that is none": (chain("javascript:x"), None, ExitCode.NOT_SUCCEEDED),
    "no such stack": (chain(), "ek", ExitCode.REFUSED),
    "a stack without a run": (chain(), "app", ExitCode.NOT_SUCCEEDED),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_without_a_link_it_is_said_why(refused: str, golden: Golden) -> None:
    shown, stack, code = REFUSED[refused]

    with pytest.raises(CommandError) as raised:
        chain_links.link_of(shown, stack)

    assert raised.value.code is code
    golden("plugin_links").check(refused, str(raised.value))
