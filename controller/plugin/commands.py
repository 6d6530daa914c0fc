"""What the commands do that show what is there: list, tree, open, history.

Those that ask for something, follow or explain are in `request_commands`, which is loaded for them
only: what they decide with takes as long to load as these take to run.
"""

import argparse
import asyncio
import datetime
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller import clock
from controller.api.v1alpha1 import RunStatus, StackChain
from controller.display import chain_printer, graph_formats, styled_text, tables
from controller.display import tree as display_tree
from controller.display.styled_text import Line
from controller.display.tables import Column
from controller.display.terminal import Terminal
from controller.plugin import arguments, chain_links, cluster, exit_codes, output
from controller.plugin.exit_codes import ExitCode

CHAIN_COLUMNS = (
    Column(title="NAMESPACE", is_name=True, is_needed=True),
    Column(title="NAME", is_name=True, is_needed=True),
    Column(title="READY", is_needed=True),
    Column(title="REASON", is_needed=True),
    Column(title="RUN"),
    Column(title="PROGRESS"),
    Column(title="FAILED"),
    Column(title="NEEDS", is_needed=True),
    Column(title="CHANGES"),
)
"""Of `list -A`; without -A there is no NAMESPACE."""
RUN_COLUMNS = (
    Column(title="RUN", is_needed=True),
    Column(title="CAUSE"),
    Column(title="OPERATION"),
    Column(title="PHASE", is_needed=True),
    Column(title="REASON"),
    Column(title="PROGRESS", is_needed=True),
    Column(title="STARTED"),
    Column(title="TOOK"),
)
"""Of `history`."""


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
        from controller.plugin import request_commands

        return await request_commands.watch(context, wanted.name, selection)
    chain = await context.chains.get(wanted.name)
    stacks = display_tree.current_stacks(chain.status)
    require_stack(chain, selection.stack, [stack.id for stack in stacks])
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


def require_stack(chain: StackChain, stack_id: str | None, known: Sequence[str]) -> None:
    """Refuse a stack that the latest run does not have.

    Raises:
        CommandError: naming stacks with a similar id.
    """
    # A run that has just started has not read its stacks.
    if stack_id is not None and known and stack_id not in known:
        raise exit_codes.not_found(
            f"there is no stack {stack_id!r} in the latest run of {chain.ref.name}"
            f"{arguments.similar(stack_id, known)}."
        )


async def list_chains(context: CommandContext, wanted: argparse.Namespace) -> int:
    """List the chains of the namespace, or of all."""
    is_everywhere = wanted.all_namespaces
    chains = await context.chains.all(is_everywhere=is_everywhere)
    if not context.is_text:
        context.emit(output.list_document(chains))
    elif chains:
        rows = [_chain_row(chain, is_everywhere=is_everywhere) for chain in chains]
        columns = CHAIN_COLUMNS if is_everywhere else CHAIN_COLUMNS[1:]
        context.say(*tables.render(columns, rows, chain_printer.make_paper(context.terminal)))
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


async def open_link(context: CommandContext, wanted: argparse.Namespace) -> int:
    """Print a link, and open it if there is a browser."""
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
    # Loaded for this command only. The link is printed, whatever happens here.
    import webbrowser

    webbrowser.open(link)


async def history(context: CommandContext, wanted: argparse.Namespace) -> int:
    """List the runs of a chain."""
    chain = await context.chains.get(wanted.name)
    if not context.is_text:
        context.emit(output.history_document(chain))
        return ExitCode.DONE
    latest = (chain.status.latest_run,) if chain.status.latest_run else ()
    runs, now = (*latest, *chain.status.history), clock.now()
    if not runs:
        context.say(styled_text.line("It has not run yet."))
        return ExitCode.DONE
    rows = [_history_row(run, now) for run in runs]
    context.say(*tables.render(RUN_COLUMNS, rows, chain_printer.make_paper(context.terminal)))
    return ExitCode.DONE


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


COMMANDS: dict[str, Callable[[CommandContext, argparse.Namespace], Awaitable[int]]] = {
    "list": list_chains,
    "tree": tree,
    "open": open_link,
    "history": history,
}
