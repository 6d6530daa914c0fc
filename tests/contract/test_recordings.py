"""A terminal's output becomes the picture that a person would have seen."""

import io
import re
from pathlib import Path

import pytest

from controller.display import styled_text
from controller.display.styled_text import Style
from controller.display.terminal import Terminal
from tests.pictures import terminal_svg, tree
from tests.pictures.terminal_recording import Frame
from tests.pictures.terminal_screen import Row, Screen, Span

TREE = Path(__file__).parents[2] / "docs/pictures/tree.svg"


def shown(*pieces: str, width: int = 20) -> tuple[Row, ...]:
    screen = Screen(width)
    for piece in pieces:
        screen.feed(piece)
    return screen.shown()


def test_a_line_is_cut_into_what_has_a_style_and_a_place_of_its_own() -> None:
    assert shown("\x1b[1;33m? eks\x1b[0m  \x1b[2mwaits\x1b[0m   4s\r\n") == (
        (Span(0, "? eks", (1, 33)), Span(7, "waits", (2,)), Span(15, "4s")),
    )


def test_a_redraw_replaces_what_it_goes_up_to_and_all_below() -> None:
    assert shown("one\r\ntwo\r\nthree\r\n", "\x1b[2A\r\x1b[J2\r\n") == (
        (Span(0, "one"),),
        (Span(0, "2"),),
    )


def test_sequences_may_come_in_pieces() -> None:
    assert shown("a\x1b", "[3", "2mb\x1b[0m") == ((Span(0, "a"), Span(1, "b", (32,))),)


def test_a_long_line_goes_on_in_the_next_row() -> None:
    assert shown("abcdef", width=4) == ((Span(0, "abcd"),), (Span(0, "ef"),))


@pytest.mark.parametrize("text", ["\x1b[5m", "\x1b[2K", "\x1b[3;4H", "\x1bM"])
def test_what_a_screen_does_not_know_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="unknown"):
        shown(text)


def frame(seconds: float, *lines: str, caption: str = "") -> Frame:
    rows = tuple((Span(0, line),) if line else () for line in lines)
    return Frame(seconds, rows, caption)


def test_each_row_is_shown_for_as_long_as_it_was_there() -> None:
    frames = [frame(5, "a", "b"), frame(6, "a", "c", caption="someone"), frame(8, "a")]

    assert [
        ("".join(span.text for span in one.content), one.row, one.since, one.until)
        for one in terminal_svg.rows_over_time(frames, 10)
    ] == [("a", 0, 0, 10), ("b", 1, 0, 1), ("c", 1, 1, 3), ("someone", 3, 1, 3)]


def test_without_motion_the_last_frame_is_shown() -> None:
    frames = [frame(0, "first"), frame(1, "<last>")]

    made = terminal_svg.animate(frames, command="a & b", columns=10, title="of <it>")

    moving = made.split("@media (prefers-reduced-motion: no-preference) {")[1].split("</style>")[0]
    assert "animation" not in made.replace(moving, "")
    assert re.findall(r'<text class="f f\d+ end"[^>]*><tspan[^>]*>(.*?)</tspan>', made) == [
        "&lt;last&gt;"
    ]
    assert len(re.findall(r'<text class="f f\d+"', made)) == 1
    assert "a &amp; b" in made


def test_the_recording_of_the_demo_shows_a_wait_a_failure_and_the_end() -> None:
    text = TREE.read_text(encoding="utf-8")
    words = re.sub(r"<[^>]*>", "\n", text)

    assert " ".join(tree.COMMAND) in words
    for word in ("AwaitingConfirmation", "Failed", "Ready=True RunSucceeded"):
        assert word in words
    last = "".join(re.findall(r'<text class="f f\d+ end".*', text))
    assert "Ready=True RunSucceeded" in last
    assert "Failed" not in last


@pytest.mark.parametrize("style", Style)
def test_every_style_of_the_plugin_is_known(style: Style) -> None:
    printed = Terminal(out=io.StringIO(), has_color=True).paint(
        (styled_text.Span(text="a", style=style),)
    )

    assert [span.text for span in shown(printed)[0]] == ["a"]
