"""What Temporal's web UI shows of a chain run while it runs; it costs no history. Pure."""

import collections
import functools
import re
from collections.abc import Collection, Sequence

from controller import outside_text
from controller.api.v1alpha1 import Phase
from controller.chain.run import attention, progress

_ROWS = 100
_MESSAGE_CHARACTERS = 160
_URL = re.compile(r"https?://[^\s()]+")
# What is running comes before what waits for it, and both before what is over.
_ORDER = (Phase.AWAITING_CONFIRMATION, Phase.RUNNING, Phase.WAITING, Phase.PENDING)


def table_of(run: progress.ChainProgress) -> str:
    """Return the run and its stacks as Markdown, those that need a person first."""
    links = {link for stack in run.stacks if (link := attention.link_of(stack))}
    message = _text(run.problem_message or run.message, links)
    done = sum(stack.phase.is_over for stack in run.stacks)
    counted = f" {done} of {len(run.stacks)} stacks have ended." if run.stacks else ""
    stacks = sorted(run.stacks, key=_place)
    rows = [_row(stack) for stack in stacks[:_ROWS]]
    left = stacks[_ROWS:]
    if left:
        rows.append(f"| and {len(left)} more | {_phases(left)} | | | |")
    return f"### Run {run.number}\n\n**{run.phase}** {message}{counted}\n\n" + "\n".join(
        ["| stack | phase | reason | link | message |", "| --- | --- | --- | --- | --- |", *rows]
    )


def _place(stack: progress.StackProgress) -> tuple[int, int]:
    need = attention.need_of(stack)
    if need is not None:
        return 0, need
    return 1, _ORDER.index(stack.phase) if stack.phase in _ORDER else len(_ORDER)


def _row(stack: progress.StackProgress) -> str:
    url, message = outside_text.link(attention.link_of(stack)), attention.message_of(stack)
    cells = (
        outside_text.markdown(stack.id),
        str(stack.phase),
        outside_text.markdown(stack.reason),
        _link("open", url) if url else "",
        _cell(message),
    )
    return f"| {' | '.join(cells)} |"


# Each change shows all rows again, and few of them differ.
@functools.lru_cache(maxsize=1024)
def _cell(message: str) -> str:
    return outside_text.markdown(outside_text.clean(message, most=_MESSAGE_CHARACTERS))


def _phases(stacks: Sequence[progress.StackProgress]) -> str:
    counts = collections.Counter(str(stack.phase) for stack in stacks)
    return ", ".join(f"{count} {phase}" for phase, count in sorted(counts.items()))


def _text(text: str, links: Collection[str]) -> str:
    """Return text in which only these links can be followed; it may have what others wrote."""
    parts, end = list[str](), 0
    for found in _URL.finditer(text):
        parts.append(outside_text.markdown(text[end : found.start()]))
        url = outside_text.link(found[0])
        is_known = url is not None and url in links
        parts.append(_link("link", found[0]) if is_known else outside_text.markdown(found[0]))
        end = found.end()
    return "".join([*parts, outside_text.markdown(text[end:])])


def _link(text: str, url: str) -> str:
    """Return a link whose URL cannot end it, nor the cell of the table that it is in."""
    for character in "()<>|[]`\\\"'":
        url = url.replace(character, f"%{ord(character):02X}")
    return f"[{text}]({url})"
