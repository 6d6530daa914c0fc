"""What the commands do that ask for something, follow a chain, or explain it."""

import argparse
import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from controller import clock
from controller.api.v1alpha1 import StackChain
from controller.display import chain_printer, styled_text
from controller.display import tree as display_tree
from controller.display.styled_text import Style
from controller.plugin import (
    arguments,
    commands,
    explanation,
    follow_chain,
    outcomes,
    output,
    preview,
    user_requests,
)
from controller.plugin.commands import CommandContext
from controller.plugin.exit_codes import PROGRAM, ExitCode
from controller.plugin.outcomes import CommandOutcome
from controller.plugin.user_requests import RequestKind, UserRequest

_RUN_REQUESTS = (RequestKind.RUN, RequestKind.RETRY, RequestKind.BYPASS, RequestKind.CANCEL)
_REQUESTS = {kind.lower(): kind for kind in RequestKind}
"""The commands that ask for something."""


async def watch(context: CommandContext, name: str, selection: display_tree.Selection) -> int:
    """Show a chain until nothing more happens automatically."""
    if selection.stack is not None:
        status = await context.chains.get(name)
        known = [stack.id for stack in display_tree.current_stacks(status.status)]
        commands.require_stack(status, selection.stack, known)
    _, outcome = await _follow(
        context, name, outcomes.of_watching, timeout_seconds=None, selection=selection
    )
    if context.is_text:
        context.say((), styled_text.line(outcome.text, _style(outcome)))
    return outcome.code


async def wait(context: CommandContext, wanted: argparse.Namespace) -> int:
    """Wait until nothing more happens automatically."""
    chain, outcome = await _follow(
        context,
        wanted.name,
        outcomes.of_watching,
        timeout_seconds=wanted.timeout,
        is_shown=False,
    )
    if context.is_text:
        context.say(styled_text.line(outcome.text, _style(outcome)))
    else:
        context.emit(output.tree_document(chain))
    return outcome.code


async def explain(context: CommandContext, wanted: argparse.Namespace) -> int:
    """Say what a chain waits for."""
    found = explanation.explain(await context.chains.get(wanted.name))
    if context.is_text:
        context.say(*explanation.render(found, chain_printer.make_drawing(context.terminal)))
    else:
        context.emit(explanation.document(found))
    return ExitCode.DONE


async def request(context: CommandContext, wanted: argparse.Namespace) -> int:
    """Decide on the chain as it is now, write the request, and wait for it if that is wanted."""
    # Microseconds: a token that was used before asks for nothing.
    now = clock.now().isoformat(timespec="microseconds")
    chain = await context.chains.get(wanted.name)
    request = user_requests.decide(chain, _wanted_request(wanted), now=now)
    if getattr(wanted, "dry_run", False):
        return _say_request(context, chain, request)
    if request.changes:
        chain = await context.chains.patch(wanted.name, request.changes)
    if context.is_text:
        context.say(*(styled_text.line(text) for text in request.messages))
    if not wanted.wait:
        if context.is_text and request.changes:
            context.say(
                styled_text.line(f"Follow it: {PROGRAM} tree {wanted.name} -w", Style.FAINT)
            )
        elif not context.is_text:
            context.emit(output.request_document(chain, request, outcome=None))
        return ExitCode.DONE
    return await _wait(context, wanted, request, generation=chain.ref.generation)


def _wanted_request(wanted: argparse.Namespace) -> user_requests.WantedRequest:
    named: Sequence[str] = getattr(wanted, "stacks", ()) or getattr(wanted, "stack", ())
    return user_requests.WantedRequest(
        kind=_REQUESTS[wanted.command],
        number=getattr(wanted, "number", None),
        stacks=tuple(named),
        stage=getattr(wanted, "stage", ""),
        parallelism=getattr(wanted, "bound", 0),
    )


async def plan(context: CommandContext, wanted: argparse.Namespace) -> int:
    """Show what a chain would run that is not applied yet."""
    body = preview.read_chain(wanted.source, target=context.target)
    seconds = wanted.timeout or arguments.PROMPT_SECONDS
    chain = await preview.resolve(context.target, body, timeout_seconds=seconds)
    namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
    if context.is_text:
        drawing = dataclasses.replace(
            chain_printer.make_drawing(context.terminal),
            selection=display_tree.Selection(is_unfolded=wanted.all),
        )
        context.say(*preview.render(name, chain, drawing))
    else:
        context.emit(output.plan_document(namespace, name, chain, preview.order_of(chain)))
    return ExitCode.DONE


def _say_request(context: CommandContext, chain: StackChain, request: UserRequest) -> int:
    """Say what would be written, and what it would do."""
    if context.is_text:
        texts = (*user_requests.dry_run_lines(request), *request.messages)
        context.say(*(styled_text.line(text) for text in texts))
    else:
        document = output.request_document(chain, request, outcome=None)
        context.emit({**document, "changed": False, "dryRun": True, "changes": request.changes})
    return ExitCode.DONE


async def _wait(
    context: CommandContext, wanted: argparse.Namespace, request: UserRequest, *, generation: int
) -> int:
    limit = wanted.timeout
    if limit is None and request.kind not in _RUN_REQUESTS:
        limit = arguments.PROMPT_SECONDS
    is_shown = context.is_text and request.kind in _RUN_REQUESTS
    chain, outcome = await _follow(
        context,
        wanted.name,
        lambda now: outcomes.of_request(now, request, generation=generation),
        timeout_seconds=limit,
        is_shown=is_shown,
    )
    if context.is_text:
        context.say((), styled_text.line(outcome.text, _style(outcome)))
    else:
        context.emit(output.request_document(chain, request, outcome=outcome))
    return outcome.code


async def _follow(
    context: CommandContext,
    name: str,
    find_outcome: Callable[[StackChain], CommandOutcome | None],
    *,
    timeout_seconds: float | None,
    is_shown: bool = True,
    selection: display_tree.Selection = display_tree.ALL,
) -> tuple[StackChain, CommandOutcome]:
    """Follow a chain, shown as a tree to people and as documents to programs that watch."""
    printer = chain_printer.make_printer(context.terminal, has_links=True, selection=selection)
    last: list[Mapping[str, Any]] = []

    def show(chain: StackChain) -> None:
        if is_shown and context.is_text:
            printer.show(name, chain.status)
        elif is_shown and find_outcome is outcomes.of_watching:
            document = output.tree_document(chain, selection)
            if last != [document]:
                last[:] = [document]
                context.emit(document, is_stream=True)

    if is_shown and context.is_text:
        printer.begin()
    try:
        chain, outcome = await follow_chain.follow(
            follow_chain.FollowedChain(
                chains=context.chains,
                name=name,
                find_outcome=find_outcome,
                show=show,
                timeout_seconds=timeout_seconds,
            )
        )
        if is_shown and context.is_text:
            printer.end(name, chain.status)
    finally:
        printer.close()
    return chain, outcome


def _style(outcome: CommandOutcome) -> Style:
    return Style.GOOD if outcome.code is ExitCode.DONE else Style.BAD


COMMANDS: dict[str, Callable[[CommandContext, argparse.Namespace], Awaitable[int]]] = {
    "wait": wait,
    "explain": explain,
    "plan": plan,
    **dict.fromkeys(_REQUESTS, request),
}
