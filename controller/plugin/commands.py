"""What each command does: read, ask, follow, and show."""

import argparse
import datetime
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.api.v1alpha1 import RunStatus, StackChain
from controller.display import lines, screens
from controller.display.lines import Line, Style
from controller.display.terminal import Terminal
from controller.plugin import (
    access,
    arguments,
    asks,
    explaining,
    following,
    output,
    preview,
    verdicts,
)
from controller.plugin.asks import Action, Ask
from controller.plugin.failures import PROGRAM, Exit
from controller.plugin.verdicts import Verdict

_RUNS = (Action.RUN, Action.RETRY, Action.CANCEL)
_HISTORY = ("RUN", "CAUSE", "OPERATION", "PHASE", "REASON", "PROGRESS", "STARTED", "TOOK")


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """What a command works with; `output` is text, json or yaml."""

    chains: access.Chains
    target: access.Target
    terminal: Terminal
    output: str

    @property
    def is_text(self) -> bool:
        """Whether people read the output."""
        return self.output == "text"

    def emit(self, document: Mapping[str, Any], *, is_stream: bool = False) -> None:
        """Print a document for programs."""
        self.terminal.send(output.render(document, self.output, is_stream=is_stream))

    def say(self, *told: Line) -> None:
        """Print lines for people."""
        for line in told:
            self.terminal.print(line)


async def tree(session: Session, wanted: argparse.Namespace) -> int:
    """Show the stacks of a chain, once or until nothing more happens."""
    if wanted.watch:
        return await _watch(session, wanted.name)
    chain = await session.chains.get(wanted.name)
    if session.is_text:
        screens.Screen(session.terminal, has_links=True).draw(chain.ref.name, chain.status)
    else:
        session.emit(output.tree_document(chain))
    return Exit.DONE


async def _watch(session: Session, name: str) -> int:
    _, verdict = await _follow(session, name, verdicts.of_watching, timeout_seconds=None)
    if session.is_text:
        session.say((), lines.line(verdict.text, _style(verdict)))
    return verdict.code


async def explain(session: Session, wanted: argparse.Namespace) -> int:
    """Say what a chain waits for."""
    found = explaining.explain(await session.chains.get(wanted.name))
    if session.is_text:
        session.say(*explaining.render(found, width=session.terminal.width))
    else:
        session.emit(explaining.document(found))
    return Exit.DONE


async def history(session: Session, wanted: argparse.Namespace) -> int:
    """List the runs of a chain."""
    chain = await session.chains.get(wanted.name)
    if not session.is_text:
        session.emit(output.history_document(chain))
        return Exit.DONE
    latest = (chain.status.latest_run,) if chain.status.latest_run else ()
    now = datetime.datetime.now(datetime.UTC)
    session.say(*history_lines((*latest, *chain.status.history), now=now))
    return Exit.DONE


def history_lines(runs: tuple[RunStatus, ...], *, now: datetime.datetime) -> list[Line]:
    """Return the runs as a table."""
    if not runs:
        return [lines.line("It has not run yet.")]
    rows = [_HISTORY, *(_history_row(run, now) for run in runs)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HISTORY))]
    return [
        lines.line("   ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)))
        for row in rows
    ]


def _history_row(run: RunStatus, now: datetime.datetime) -> tuple[str, ...]:
    took = lines.duration(run.start_time, run.completion_time, now)
    ago = lines.duration(run.start_time, None, now)
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


async def run(session: Session, wanted: argparse.Namespace) -> int:
    """Ask for a run."""
    # Microseconds: a token that was used before asks for nothing.
    token = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
    return await _ask(session, wanted, lambda chain: asks.ask_run(chain, token=token))


async def retry(session: Session, wanted: argparse.Namespace) -> int:
    """Ask for what did not succeed to be run again."""
    return await _ask(session, wanted, lambda chain: asks.ask_retry(chain, wanted.number))


async def cancel(session: Session, wanted: argparse.Namespace) -> int:
    """Ask for the live run to be canceled."""
    return await _ask(session, wanted, lambda chain: asks.ask_cancel(chain, wanted.number))


async def suspend(session: Session, wanted: argparse.Namespace) -> int:
    """Suspend a chain."""
    return await _ask(session, wanted, asks.ask_suspend)


async def resume(session: Session, wanted: argparse.Namespace) -> int:
    """Let a suspended chain go on."""
    return await _ask(session, wanted, asks.ask_resume)


async def parallelism(session: Session, wanted: argparse.Namespace) -> int:
    """Change how many stacks may run at once."""
    return await _ask(session, wanted, lambda chain: asks.ask_parallelism(chain, wanted.bound))


async def plan(session: Session, wanted: argparse.Namespace) -> int:
    """Show what a chain would run that is not applied yet."""
    body = preview.chain_of(wanted.source, target=session.target)
    seconds = wanted.timeout or arguments.PROMPT_SECONDS
    shown = await preview.resolve(session.target, body, timeout_seconds=seconds)
    if session.is_text:
        session.say(*preview.render(shown, screens.make_drawing(session.terminal)))
    else:
        session.emit(
            output.plan_document(shown.namespace, shown.name, shown.chain, preview.order_of(shown))
        )
    return Exit.DONE


async def _ask(
    session: Session, wanted: argparse.Namespace, decide: Callable[[StackChain], Ask]
) -> int:
    """Decide on the chain as it is now, write the request, and wait for it if that is wanted."""
    chain = await session.chains.get(wanted.name)
    ask = decide(chain)
    if ask.changes:
        chain = await session.chains.patch(wanted.name, ask.changes)
    if session.is_text:
        session.say(*(lines.line(text) for text in ask.told))
    if not wanted.wait:
        if session.is_text and ask.changes:
            session.say(lines.line(f"Follow it: {PROGRAM} tree {wanted.name} -w", Style.FAINT))
        elif not session.is_text:
            session.emit(output.ask_document(chain, ask, outcome=None))
        return Exit.DONE
    return await _wait(session, wanted, ask, generation=chain.ref.generation)


async def _wait(session: Session, wanted: argparse.Namespace, ask: Ask, *, generation: int) -> int:
    limit = wanted.timeout
    if limit is None and ask.action not in _RUNS:
        limit = arguments.PROMPT_SECONDS
    is_shown = session.is_text and ask.action in _RUNS
    chain, verdict = await _follow(
        session,
        wanted.name,
        lambda now: verdicts.of_ask(now, ask, generation=generation),
        timeout_seconds=limit,
        is_shown=is_shown,
    )
    if session.is_text:
        session.say((), lines.line(verdict.text, _style(verdict)))
    else:
        outcome = {"succeeded": verdict.code is Exit.DONE, "message": verdict.text}
        session.emit(output.ask_document(chain, ask, outcome=outcome))
    return verdict.code


async def _follow(
    session: Session,
    name: str,
    judge: Callable[[StackChain], Verdict | None],
    *,
    timeout_seconds: float | None,
    is_shown: bool = True,
) -> tuple[StackChain, Verdict]:
    """Follow a chain, shown as a tree to people and as documents to programs that watch."""
    screen = screens.make_screen(session.terminal, has_links=True)
    last: list[Mapping[str, Any]] = []

    def show(chain: StackChain) -> None:
        if is_shown and session.is_text:
            screen.show(name, chain.status)
        elif is_shown and judge is verdicts.of_watching:
            document = output.tree_document(chain)
            if last != [document]:
                last[:] = [document]
                session.emit(document, is_stream=True)

    if is_shown and session.is_text:
        screen.begin()
    try:
        chain, verdict = await following.follow(
            following.Following(
                chains=session.chains,
                name=name,
                judge=judge,
                show=show,
                timeout_seconds=timeout_seconds,
            )
        )
        if is_shown and session.is_text:
            screen.end(name, chain.status)
    finally:
        screen.close()
    return chain, verdict


def _style(verdict: Verdict) -> Style:
    return Style.GOOD if verdict.code is Exit.DONE else Style.BAD


COMMANDS: dict[str, Callable[[Session, argparse.Namespace], Awaitable[int]]] = {
    "tree": tree,
    "explain": explain,
    "history": history,
    "run": run,
    "retry": retry,
    "cancel": cancel,
    "suspend": suspend,
    "resume": resume,
    "parallelism": parallelism,
    "plan": plan,
}
