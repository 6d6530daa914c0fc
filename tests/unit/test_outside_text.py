"""Text from outside: what is left of it where it enters, and that nothing else leaves.

Given: texts that Spacelift, Temporal or a delivery may hold. Asserted: what people and programs get
to see of them.
"""

import io
import json
import logging
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import outside_text
from controller.api import reasons, v1alpha1
from controller.chain.news import events, notifications, transitions
from controller.chain.run import holds
from controller.chain.status import projection
from controller.display import styled_text, terminal
from controller.notify import templates
from controller.observability import logging as our_logging
from controller.spacelift import models
from tests.support.builders import (
    T3,
    make_execution,
    make_facts,
    make_progress,
    make_ref,
    make_stack,
)

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
NASTY = "\x07\x1b[31m\x7f\x85\u200b\u202e\u2028\ufeff\U000e0041\ud800\ufffe\r\n"

# Also what JSON can spell and no UTF-8 can hold.
any_text = st.text(st.characters(exclude_categories=()), max_size=40)
hostile = st.one_of(any_text, st.text(st.sampled_from(NASTY + "ab &<|*`"), max_size=40))


def is_harmless(text: str) -> bool:
    """Whether YAML, a terminal and a reader can cope with it."""
    return not any(
        unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") or one in "\ufffe\uffff"
        for one in text
    )


def strings_of(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in strings_of(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in strings_of(item)]
    return [value] if isinstance(value, str) else []


# What comes in


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("not found", "not found", id="nothing to do"),
        pytest.param("a\n  b\tc", "a b c", id="line breaks"),
        pytest.param("a\x1b[31mb\x7f\x85\x07c", "a [31mb c", id="control characters"),
        pytest.param("ab\u202ec\u200bd\ufeff\U000e0041", "abcd", id="what only formats"),
        pytest.param("a\u2028b\u00a0c", "a b c", id="blanks of other kinds"),
        pytest.param("\ud800\ufffe", "\ufffd\ufffd", id="no characters"),
        pytest.param("Zürich 東京 👍", "Zürich 東京 👍", id="other scripts stay"),
        pytest.param("👍\ufe0f\u3164", "👍", id="invisible marks and letters"),
    ],
)
def test_what_is_left_can_be_seen(text: str, left: str) -> None:
    assert outside_text.clean(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param(f"Authorization: Bearer {JWT}", "Authorization: [redacted]", id="bearer"),
        pytest.param("bearer\nabc", "[redacted]", id="on two lines"),
        pytest.param(f"token={JWT};", "token=[redacted];", id="JWT"),
        pytest.param("e\u200byJhbGciOiJIUzI1NiJ9.x", "[redacted]", id="JWT with a zero width"),
        pytest.param("Basic dXNlcjpwYXNz==", "[redacted]", id="basic"),
        pytest.param("ghp_" + "a1" * 18, "[redacted]", id="GitHub"),
        pytest.param("glpat-" + "a1" * 10, "[redacted]", id="GitLab"),
        pytest.param("xoxb-1234567890-ab", "[redacted]", id="Slack"),
        pytest.param("AKIA" + "A1" * 8, "[redacted]", id="AWS"),
        pytest.param("https://me:pw@git.example/x", "https://[redacted]@git.example/x", id="URL"),
        pytest.param("?password=hunter2&x=1", "?password=[redacted]&x=1", id="parameter"),
        pytest.param(
            "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- x",
            "[redacted] x",
            id="private key",
        ),
        pytest.param("basic authentication is off", "basic authentication is off", id="a word"),
    ],
)
def test_what_is_left_holds_no_secret(text: str, left: str) -> None:
    assert outside_text.clean(text) == left


def test_what_is_left_has_a_length() -> None:
    text = outside_text.clean("<html>\n  <body>" + "x" * 500)

    assert len(text) == 256
    assert text.startswith("<html> <body>xxx")
    assert text.endswith("...")


def test_a_known_secret_is_taken_out_before_the_cut() -> None:
    text = outside_text.clean("x" * 250 + "top-secret", hide=["top-secret", ""])

    assert "top" not in text


@given(hostile)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = outside_text.clean(text)

    assert is_harmless(once)
    assert outside_text.clean(once) == once


def test_what_is_no_text_is_nothing() -> None:
    assert outside_text.clean(None) == outside_text.clean(7) == ""


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://acme.app.spacelift.io/stack/a/run/1", True),
        ("http://127.0.0.1:8080/x", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("https://a\x1b]8;;b", False),
        ("https:///x", False),
        ("//x/y", False),
        ("https://[x", False),
        ("", False),
        (None, False),
    ],
)
def test_a_link_is_of_http(url: str | None, is_link: bool) -> None:
    assert outside_text.link(url) == (url if is_link else None)


def test_markdown_shows_it_as_it_is() -> None:
    text = outside_text.markdown("[a](https://x) `b` | *c* <d>\n# e")

    assert text == r"\[a\](https://x) \`b\` \| \*c\* \<d\> \# e"


def answer(text: str) -> dict[str, object]:
    """Return a run and a stack as Spacelift has them, with one text wherever there is one."""
    return {
        "id": text,
        "name": text,
        "state": text,
        "type": text,
        "triggeredBy": text,
        "commit": {"hash": text},
        "history": [{"note": text}],
        "lockedBy": text,
        "lockNote": text,
        "blocker": {"id": text, "state": text},
        "dependsOn": [{"dependsOnStackId": text, "stackId": text}],
        "isDependedOnBy": [],
    }


@given(hostile)
def test_what_spacelift_says_is_cleaned_where_it_is_read(text: str) -> None:
    run = models.read_run(answer(text), stack_id="a")
    hold = models.read_hold(answer(text))
    stack = models.read_stack(answer(text))

    found = [run.run_id, run.state, run.type, run.triggered_by, run.commit_sha, run.note]
    found += [hold.locked_by, hold.lock_note, hold.blocker_id, hold.blocker_state]
    found += [stack.id, stack.name, *(edge.upstream_id for edge in stack.depends_on)]
    assert all(outside_text.clean(item) == item for item in found if item is not None)


def test_a_token_in_a_note_is_not_told() -> None:
    run = models.read_run(answer(f"failed, Bearer {JWT}"), stack_id="a")

    assert run.note == "failed, [redacted]"


# What goes out, though something came in another way


def status_of(text: str) -> v1alpha1.Status:
    """Return the status of a chain whose workflow says one text wherever there is one."""
    stack = make_stack("a", v1alpha1.Phase.FAILED, message=text, name=text)
    stack.id, stack.reason, stack.blocked_by = text, text, text
    stack.run_id, stack.run_state, stack.run_url = text, text, text
    known = make_progress(stack)
    known.phase, known.reason, known.message = v1alpha1.Phase.FAILED, text, text
    problem = projection.Problem(
        reason=reasons.ChainReason.TEMPORAL_UNREACHABLE, message=text, is_retrying=True
    )
    facts = make_facts(make_execution(1), known, workflow_url=text, problem=problem)
    return projection.project(make_ref(), v1alpha1.Status(), facts, now=T3)


@given(hostile)
def test_no_status_event_notification_terminal_or_log_holds_what_is_not_seen(text: str) -> None:
    status = status_of(text)
    happened = transitions.transitions(v1alpha1.Status(), status)
    stored = v1alpha1.status_to_dict(status)
    told = [item.message for item in events.texts(happened)]
    source = notifications.NotificationSource(
        ref=make_ref(), installation="prod", sequence=1, time=T3
    )
    news = [notifications.notification(item, source) for item in happened]
    sent = [templates.render("${title} ${message} ${stackName}", item) for item in news]
    screen = terminal.Terminal(out=io.StringIO())

    assert all(is_harmless(item) for item in strings_of(stored))
    assert all(is_harmless(item) for item in [*told, *sent])
    assert all(is_harmless(screen.paint(styled_text.line(item))) for item in [text, *told])


@given(hostile)
def test_no_line_of_a_log_holds_what_is_not_seen(text: str) -> None:
    record = logging.makeLogRecord({"levelname": "INFO", "msg": text, "why": text, "name": "x"})

    line = our_logging.ConsoleFormatter().format(record)
    document = our_logging.JsonFormatter().format(record)

    assert is_harmless(line)
    assert is_harmless(document)
    assert json.loads(document)["why"] == text


def test_a_status_links_to_http_alone() -> None:
    status = status_of("javascript:alert(1)")

    assert status.latest_run is not None
    assert (status.latest_run.workflow_url, status.stacks[0].run_url) == (None, None)


def test_who_locked_a_stack_and_why_is_told_on_one_line() -> None:
    found = models.read_hold(answer("jo\n\x1b[2Je"))
    hold = holds.Hold(locked_by=found.locked_by or "", lock_note=found.lock_note or "")

    meaning = holds.of_creation(hold)

    assert meaning is not None
    assert "locked by jo [2Je (jo [2Je);" in meaning.message
