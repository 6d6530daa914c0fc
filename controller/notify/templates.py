"""The template language of sinks: `${name}` stands for a fact of the notification, nothing else.

Templates are checked when a file is read, so that a mistake is reported at the start and not when
something fails. A fact that a notification does not have, such as the stack of a run's end, is an
empty string.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from controller import outside_text
from controller.chain.news import notifications

Notification = notifications.Notification


class BadTemplate(ValueError):
    """The template cannot be used; the text says why and what to write instead."""


class Placeholder(NamedTuple):
    """A fact and what it means."""

    value: Callable[[Notification], object]
    meaning: str


def _of_run(name: str) -> Callable[[Notification], object]:
    return lambda news: getattr(news.run, name) if news.run is not None else None


def _of_stack(name: str) -> Callable[[Notification], object]:
    return lambda news: getattr(news.stack, name) if news.stack is not None else None


def title(news: Notification) -> str:
    """Return what happened to whom in one line."""
    subject = f"{news.namespace}/{news.chain}"
    if news.run is not None:
        subject += f" run {news.run.number} ({news.run.operation})"
    if news.stack is not None:
        subject += f", stack {news.stack.id}"
    return f"{news.transition}: {subject}"


def link(news: Notification) -> str | None:
    """Return where to look: the stack's run in Spacelift, or the chain run in Temporal."""
    if news.stack is not None and news.stack.run_url:
        return news.stack.run_url
    return news.run.workflow_url if news.run is not None else None


PLACEHOLDERS: Mapping[str, Placeholder] = {
    "title": Placeholder(title, "what happened, and to which chain or stack, in one line"),
    "transition": Placeholder(lambda news: news.transition, "the transition, such as `RunFailed`"),
    "severity": Placeholder(lambda news: news.severity, "`Normal` or `Warning`"),
    "reason": Placeholder(lambda news: news.reason, "the reason, as in the Event"),
    "message": Placeholder(lambda news: news.message, "the message, for people"),
    "link": Placeholder(link, "the stack's run in Spacelift, else the chain run in Temporal"),
    "pageUrl": Placeholder(
        lambda news: news.page_url,
        "the chain, and the stack, on [the page](page.md#in-the-cluster), if `UI_URL` is set",
    ),
    "namespace": Placeholder(lambda news: news.namespace, "namespace of the StackChain"),
    "chain": Placeholder(lambda news: news.chain, "name of the StackChain"),
    "installation": Placeholder(lambda news: news.installation, "the installation's id"),
    "run": Placeholder(_of_run("number"), "number of the run"),
    "attempt": Placeholder(_of_run("attempt"), "attempt of the run"),
    "cause": Placeholder(_of_run("cause"), "what requested the run"),
    "operation": Placeholder(_of_run("operation"), "`Apply`, `Plan` or `Destroy`"),
    "phase": Placeholder(_of_run("phase"), "phase of the run"),
    "progress": Placeholder(_of_run("progress"), "stacks that succeeded, of all: `5/7`"),
    "startTime": Placeholder(_of_run("start_time"), "when the run started"),
    "completionTime": Placeholder(_of_run("completion_time"), "when the run ended"),
    "workflowUrl": Placeholder(_of_run("workflow_url"), "the run's workflow in Temporal's web UI"),
    "stack": Placeholder(_of_stack("id"), "id of the stack"),
    "stackName": Placeholder(_of_stack("name"), "name of the stack"),
    "stackPhase": Placeholder(_of_stack("phase"), "phase of the stack"),
    "stackReason": Placeholder(_of_stack("reason"), "why the stack is in that phase"),
    "runUrl": Placeholder(_of_stack("run_url"), "the stack's run in Spacelift"),
    "blockedBy": Placeholder(_of_stack("blocked_by"), "the stack that caused it to be skipped"),
    "time": Placeholder(lambda news: news.time, "when the operator saw it, RFC 3339 in UTC"),
    "sequence": Placeholder(
        lambda news: news.sequence,
        "the progress of the run, as an increasing number; 0 if it was not known",
    ),
    "id": Placeholder(
        lambda news: news.id, "id of the notification; if it is sent twice, both have the same id"
    ),
}


# Braces only: `$5` in a string is money, not a mistake that shows when something fails.
_SYNTAX = re.compile(r"(?P<literal>\$\$\{)|\$\{(?P<name>[^}]*)\}|(?P<open>\$\{)")


def check(value: object, *, where: str = "") -> None:
    """Check a template: a string, or a JSON document whose strings are templates.

    Raises:
        BadTemplate: it names a fact that no notification has, or is not JSON.
    """
    match value:
        case str():
            _check_text(value, _at(where))
        case dict():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise BadTemplate(f"has the key {key!r}{_at(where)}, not a string; quote it")
                check(item, where=f"{where}.{key}".removeprefix("."))
        case list():
            for number, item in enumerate(value):
                check(item, where=f"{where}[{number}]")
        case None | bool() | int() | float():
            return
        case _:
            # YAML knows dates.
            kind = type(value).__name__
            raise BadTemplate(f"has a {kind}{_at(where)}, which JSON does not know; quote it")


def _at(where: str) -> str:
    return f" at {where}" if where else ""


def _check_text(text: str, at: str) -> None:
    for match in _SYNTAX.finditer(text):
        if match["open"]:
            raise BadTemplate(f"has a `${{` without its `}}`{at}; for the text itself write `$${{`")
        name = match["name"]
        if name is not None and name not in PLACEHOLDERS:
            raise BadTemplate(
                f"has the unknown placeholder ${{{name[:64]}}}{at}; "
                f"known are: {', '.join(PLACEHOLDERS)}"
            )


def render(value: Any, news: Notification, *, escape: Callable[[str], str] = str) -> Any:
    """Return the document with every placeholder filled in.

    Args:
        value: a checked template.
        news: what to fill in.
        escape: applied to what is filled in, not to the template's own text.
    """
    facts = {name: fact.value(news) for name, fact in PLACEHOLDERS.items()}
    return _filled(value, {name: escape(_shown(fact)) for name, fact in facts.items()})


def _filled(value: Any, facts: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _SYNTAX.sub(lambda match: _part(match, facts), value)
        case dict():
            return {key: _filled(item, facts) for key, item in value.items()}
        case list():
            return [_filled(item, facts) for item in value]
    return value


def _part(match: re.Match[str], facts: Mapping[str, str]) -> str:
    return "${" if match["literal"] else facts[match["name"]]


def _shown(fact: object) -> str:
    return "" if fact is None else outside_text.visible(str(fact))
