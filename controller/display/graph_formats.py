"""A chain's stacks as a graph for other programs: Graphviz and Mermaid. Pure."""

from collections.abc import Iterator, Sequence

from controller import outside_text
from controller.api.v1alpha1 import StackStatus
from controller.display import styled_text, tree
from controller.display.styled_text import Style

_COLORS = {
    Style.GOOD: "#d6f0d6",
    Style.BAD: "#f6cccc",
    Style.ACTIVE: "#cfe6f7",
    Style.ATTENTION: "#fbe7a8",
    Style.FAINT: "#eeeeee",
}
_PLAIN = "#ffffff"
_LONGEST_LABEL = 60


def dot(name: str, stacks: Sequence[StackStatus]) -> str:
    """Return the graph in the language of Graphviz."""
    lines = [f"digraph {_quoted(name)} {{", "  rankdir=LR;", "  node [shape=box, style=filled];"]
    lines += [
        f'  {_quoted(stack.id)} [label={_quoted(_label(stack))}, fillcolor="{_color(stack)}"];'
        for stack in stacks
    ]
    lines += [f"  {_quoted(up)} -> {_quoted(down)};" for up, down in _edges(stacks)]
    return "\n".join([*lines, "}", ""])


def mermaid(stacks: Sequence[StackStatus]) -> str:
    """Return the graph in the language of Mermaid; ids are numbers, since it reserves words."""
    ids = {stack.id: f"s{place}" for place, stack in enumerate(stacks)}
    lines = ["graph LR"]
    lines += [f'  {ids[stack.id]}["{_entities(_label(stack))}"]' for stack in stacks]
    lines += [f"  {ids[up]} --> {ids[down]}" for up, down in _edges(stacks)]
    lines += [f"  style {ids[stack.id]} fill:{_color(stack)}" for stack in stacks]
    return "\n".join([*lines, ""])


def _edges(stacks: Sequence[StackStatus]) -> Iterator[tuple[str, str]]:
    known = {stack.id for stack in stacks}
    for stack in stacks:
        yield from ((up, stack.id) for up in stack.depends_on if up in known)


def _label(stack: StackStatus) -> str:
    label = styled_text.middle(outside_text.visible(stack.id), _LONGEST_LABEL, "…")
    return f"{label}: {stack.phase}"


def _color(stack: StackStatus) -> str:
    return _COLORS.get(tree.style_of(stack.phase), _PLAIN)


def _quoted(text: str) -> str:
    escaped = outside_text.visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _entities(text: str) -> str:
    """Return text as Mermaid shows it: what it could take for markup, by its number."""
    return "".join(
        character if character.isalnum() or character in " -_:./…" else f"#{ord(character)};"
        for character in text
    )
