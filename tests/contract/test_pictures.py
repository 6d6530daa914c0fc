"""The documentation's pictures: drawings are what their script draws, and all are in use."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from controller.api import reasons
from controller.plugin import arguments
from controller.temporal import ids
from tests.pictures import drawn
from tests.pictures.drawing import Drawing, width_of

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs/pictures"
FILES = sorted(path.name for path in PICTURES.iterdir())
DRAWINGS = {name: draw() for name, draw in drawn.DRAWINGS.items()}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_what_its_script_draws(name: str) -> None:
    """If it fails: `python -m tests.pictures.drawn docs/pictures`."""
    assert (PICTURES / name).read_text(encoding="utf-8") == DRAWINGS[name].svg()


@pytest.mark.parametrize("name", DRAWINGS)
def test_texts_of_a_drawing_have_room(name: str) -> None:
    assert DRAWINGS[name].misfits() == []


def test_texts_without_room_are_found() -> None:
    drawing = Drawing(300, 100, "", "")
    drawing.box("outside", (10, 10, 80, 40), ("title", "far too long for it"))
    drawing.label(20, 48, "on it")
    drawing.label(280, 80, "too far to the right")
    drawing.label(100, 90, "one")
    drawing.label(105, 92, "two")
    drawing.arrow("M210 10V60H290V20")
    drawing.label(200, 50, "under")

    assert drawing.misfits() == [
        "'far too long for it' has no room in 'far too long for it'",
        "'too far to the right' leaves the drawing",
        "'two' meets 'one'",
        "'on it' meets the box 'far too long for it'",
        "an arrow crosses 'under'",
    ]


def test_a_text_is_as_wide_as_the_widest_font_that_readers_have() -> None:
    """Widths of DejaVu Sans at 13 pixels, and of a fixed width at 12."""
    assert width_of("Kubernetes API server", "") >= 139
    assert width_of("Kubernetes API server", "title") >= 158
    assert width_of("operator/handlers", "code") >= 17 * 0.602 * 12
    # A character that the table does not have counts as at least a whole em.
    assert width_of("\N{WARNING SIGN}", "") >= 13


def texts(name: str) -> str:
    return "\n".join(text.text for text in DRAWINGS[name].texts())


def test_the_life_of_a_chain_has_reasons_and_commands_that_there_are() -> None:
    words = texts("life-of-a-chain.svg")
    named = set(re.findall(r"\b(?=[A-Z]\w*[a-z][A-Z])[A-Z]\w+|\bBlocked\b", words))
    commands = set(re.findall(r"kubectl stackchain (\w+)", words))

    assert len(named) > 4
    assert named <= {reason.value for reason in reasons.ChainReason}
    assert commands
    assert commands <= {command.name for command in arguments.COMMANDS}


def test_the_architecture_has_workflows_and_commands_that_there_are() -> None:
    words = texts("architecture.svg")
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")

    assert set(re.findall(r"\w+Workflow\b", words)) == {ids.CHAIN_WORKFLOW, ids.EXECUTION_WORKFLOW}
    commands = re.findall(r"stackchain \w+", words)
    assert len(commands) == 4
    assert [command for command in commands if f"`{command}`" not in text] == []


def test_the_architecture_has_a_number_for_each_step_of_its_page() -> None:
    section = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    steps = re.findall(r"^(\d+)\. \*\*", section, flags=re.MULTILINE)

    assert [int(step) for step in steps] == [
        number for number, _ in enumerate(DRAWINGS["architecture.svg"].steps, 1)
    ]


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".svg")])
def test_an_svg_can_be_read_by_everyone(name: str) -> None:
    text = (PICTURES / name).read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)  # noqa: S314 (our own file)
    by_id = {element.get("id"): element.text for element in root.iter() if element.get("id")}

    assert root.get("role") == "img"
    assert [by_id[name] for name in (root.get("aria-labelledby") or "").split()] != []
    assert all(by_id[name] for name in (root.get("aria-labelledby") or "").split())
    assert "prefers-color-scheme: dark" in text
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "").replace(
        "http://127.0.0.1", ""
    )


@pytest.mark.parametrize("name", FILES)
def test_a_picture_is_small_and_on_a_page(name: str) -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]

    assert (PICTURES / name).stat().st_size <= 160_000
    assert [page for page in pages if f"pictures/{name})" in page.read_text(encoding="utf-8")]
