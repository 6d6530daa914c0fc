"""What each command does: read, request, follow, and show."""

import argparse
import asyncio
import datetime
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller import clock
from controller.api.v1alpha1 import RunStatus, StackChain
from controller.display import chain_printer, graph_formats, styled_text
from controller.display import tree as display_tree
from controller.display.styled_text import Line, Style
from controller.display.terminal import Terminal
from controller.plugin import (
    arguments,
    chain_links,
    cluster,
    exit_codes,
    explanation,
    follow_chain,
    outcomes,
    output,
    preview,
    user_requests,
)
from controller.plugin.exit_codes import PROGRAM, ExitCode
from controller.plugin.outcomes import CommandOutcome
from controller.plugin.user_requests import RequestKind, UserRequest

_RUN_REQUESTS = (RequestKind.RUN, RequestKind.RETRY, RequestKind.BYPASS, RequestKind.CANCEL)
_REQUESTS = {kind.lower(): kind for kind in RequestKind}
"""The commands that ask for something."""
_CHAINS = ("NAMESPACE", "NAME", "READY", "REASON", "RUN", "PROGRESS", "FAILED", "NEEDS", "CHANGES")
_HISTORY = ("RUN", "CAUSE", "OPERATION", "PHASE", "REASON", "PROGRESS", "STARTED", "TOOK")


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandContext:
    """What a command works with; `output` is text, json or yaml, of `tree` also a graph."""

    chains: cluster.UserChains
    target: cluster.ClusterChoice
    terminal: Terminal
    output: str
    opens: bool
    """Whether there is a browser to open."""

    @property
    def is_text(self) -> bool:
        """Whether people read the output."""
        return self.output in ("text", "tree")

    def emit(self, document: Mapping[str, Any], *, is_stream: bool = False) -> None:
        """Print a document for programs."""
        self.terminal.send(output.render(document, self.output, is_stream=is_stream))

    def say(self, *messages: Line) -> None:
        """Print lines for people."""
        for line in messages:
            self.terminal.print(line)


async def tree(context: CommandContext, wanted: argparse.Namespace) -> int:
    """Show the stacks of a chain, once or until nothing more happens."""
    selection = display_tree.Selection(
        is_failed=wanted.failed,
        phases=wanted.phase or frozenset(),
        stack=wanted.stack,
        depth=wanted.depth,
        is_unfolded=wanted.all,
    )
    if wanted.watch:
        return await _watch(context, wanted.name, selection)
    chain = await context.chains.get(wanted.name)
    stacks = display_tree.current_stacks(chain.status)
    _require_stack(chain, selection.stack, [stack.id for stack in stacks])
    match context.output:
        case "dot":
            graph = graph_formats.dot(chain.ref.name, selection.of(stacks))
            context.terminal.send(graph)
        case "mermaid":
            context.terminal.send(graph_formats.mermaid(selection.of(stacks)))
        case "tree" | "text":
            printer = chain_printer.ChainPrinter(
                context.terminal, has_links=True, selection=selection
            )
            printer.draw(chain.ref.name, chain.status)
        case _:
            context.emit(output.tree_document(chain, selection))
    return ExitCode.DONE


def _require_stack(chain: StackChain, stack_id: str | None, known: Sequence[str]) -> None:
    # A run that has just started has not read its stacks.
    if stack_id is not None and known and stack_id not in known:
        raise exit_codes.not_found(
            f"there is no stack {stack_id!r} in the latest run of {chain.ref.name}"
            f"{arguments.similar(stack_id, known)}."
        )


async def _watch(context: CommandContext, name: str, selection: display_tree.Selection) -> int:
    if selection.stack is not None:
        status = await context.chains.get(name)
        known = [stack.id for stack in display_tree.current_stacks(status.status)]
        _require_stack(status, selection.stack, known)
    _, outcome = await _follow(
        context, name, outcomes.of_watching, timeout_seconds=None, selection=selection
    )
    if context.is_text:
        context.say((), styled_text.line(outcome.text, _style(outcome)))
    return outcome.code


async def list_chains(context: CommandContext, wanted: argparse.Namespace) -> int:
    """List the chains of the namespace, or of all."""
    is_everywhere = wanted.all_namespaces
    chains = await context.chains.all(is_everywhere=is_everywhere)
    if not context.is_text:
        context.emit(output.list_document(chains))
    elif chains:
        rows = [_chain_row(chain, is_everywhere=is_everywhere) for chain in chains]
        context.say(*_table((_CHAINS if is_everywhere else _CHAINS[1:], *rows)))
    else:
        where = "in any namespace" if is_everywhere else f"in {context.target.namespace}"
        context.say(styled_text.line(f"There are no StackChains {where}."))
    return ExitCode.DONE


def _chain_row(chain: StackChain, *, is_everywhere: bool) -> tuple[str, ...]:
    ready, run = chain.status.condition("Ready"), chain.status.latest_run
    needs = display_tree.needs(chain.status)
    row = (
        chain.ref.name,
        ready.status if ready is not None else "-",
        ready.reason if ready is not None else "-",
        str(run.number) if run is not None else "-",
        (run.progress if run is not None else "") or "-",
        str(run.summary.failed) if run is not None else "-",
        str(needs) if needs else "-",
        run.changes.text if run is not None and run.changes is not None else "-",
    )
    return (chain.ref.namespace, *row) if is_everywhere else row


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


async def open_link(context: CommandContext, wanted: argparse.Namespace) -> int:
    """Print a link, and open it where there is a browser."""
    chain = await context.chains.get(wanted.name)
    link = chain_links.link_of(chain, wanted.stack)
    if not context.is_text:
        context.emit({"chain": output.chain_of(chain), "link": link})
        return ExitCode.DONE
    context.say(styled_text.line(link))
    if context.opens and not wanted.no_browser:
        await asyncio.to_thread(_open, link)
    return ExitCode.DONE


def _open(link: str) -> None:
    # Loaded for this command only. The link is printed, whatever becomes of this.
    import webbrowser

    webbrowser.open(link)


async def history(context: CommandContext, wanted: argparse.Namespace) -> int:
    """List the runs of a chain."""
    chain = await context.chains.get(wanted.name)
    if not context.is_text:
        context.emit(output.history_document(chain))
        return ExitCode.DONE
    latest = (chain.status.latest_run,) if chain.status.latest_run else ()
    now = clock.now()
    context.say(*_history_lines((*latest, *chain.status.history), now=now))
    return ExitCode.DONE


def _history_lines(runs: tuple[RunStatus, ...], *, now: datetime.datetime) -> list[Line]:
    """Return the runs as a table."""
    if not runs:
        return [styled_text.line("It has not run yet.")]
    return _table((_HISTORY, *(_history_row(run, now) for run in runs)))


def _table(rows: Sequence[tuple[str, ...]]) -> list[Line]:
    """Return rows with their columns below each other; the first one is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        styled_text.line(
            "   ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _history_row(run: RunStatus, now: datetime.datetime) -> tuple[str, ...]:
    took = styled_text.duration(run.start_time, run.completion_time, now)
    ago = styled_text.duration(run.start_time, None, now)
    return (
        str(run.number),
        run.cause or "-",
        run.operation,
        run.phase,
        run.reason or "-",
        run.progress or "-",
        f"{ago} ago" if ago else "-",
        took or "-",
    )


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
        context.say(*preview.render(name, chain, chain_printer.make_drawing(context.terminal)))
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
    "list": list_chains,
    "tree": tree,
    "wait": wait,
    "explain": explain,
    "open": open_link,
    "history": history,
    "plan": plan,
    **dict.fromkeys(_REQUESTS, request),
}
