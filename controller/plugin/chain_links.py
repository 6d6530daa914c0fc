"""Where `open` leads: the page of the latest run in Temporal, or of a stack in Spacelift. Pure."""

from controller import outside_text
from controller.api.v1alpha1 import StackChain
from controller.chain.run import attention
from controller.display import tree
from controller.plugin import arguments, exit_codes
from controller.plugin.exit_codes import PROGRAM


def link_of(chain: StackChain, stack_id: str | None) -> str:
    """Return the link of the latest run, or of one of its stacks.

    Raises:
        CommandError: there is none; the message says why.
    """
    return _run_link(chain) if stack_id is None else _stack_link(chain, stack_id)


def _run_link(chain: StackChain) -> str:
    run, name = chain.status.latest_run, chain.ref.name
    if run is None:
        raise exit_codes.nothing_to_do(
            f"{name} has not run yet, so there is nothing to open; see `{PROGRAM} explain {name}`."
        )
    link = outside_text.link(run.workflow_url)
    if link is None:
        raise exit_codes.nothing_to_do(
            f"run {run.number} of {name} has no link: the operator does not know the address of "
            "Temporal's web UI (`TEMPORAL_UI_URL`, `temporal.uiUrl` in the chart). Name a stack "
            "to open its page in Spacelift."
        )
    return link


def _stack_link(chain: StackChain, stack_id: str) -> str:
    stacks = {stack.id: stack for stack in tree.current_stacks(chain.status)}
    stack = stacks.get(stack_id)
    if stack is None:
        raise exit_codes.not_found(
            f"there is no stack {stack_id!r} in the latest run of {chain.ref.name}"
            f"{arguments.similar(stack_id, stacks)}."
        )
    link = outside_text.link(attention.link_of(stack))
    if link is None:
        raise exit_codes.nothing_to_do(f"stack '{stack_id}' has no run yet, so no link to open.")
    return link
