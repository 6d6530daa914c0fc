"""The characters that a tree is drawn with, and what each phase is to the reader."""

import dataclasses

from controller.api.v1alpha1 import Phase
from controller.display.styled_text import Style


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TreeCharacters:
    """The characters that a tree is drawn with."""

    branch: str
    last: str
    through: str
    others: str
    cut: str
    unknown: str
    phases: dict[str, str]


UNICODE = TreeCharacters(
    branch="├─ ",
    last="└─ ",
    through="│  ",
    others="←",
    cut="…",
    unknown="·",
    phases={
        Phase.PENDING: "·",
        Phase.WAITING: "○",
        Phase.RUNNING: "●",
        Phase.AWAITING_CONFIRMATION: "?",
        Phase.SUCCEEDED: "✓",
        Phase.FAILED: "✗",
        Phase.SKIPPED: "-",
        Phase.CANCELED: "✗",
        Phase.TIMED_OUT: "✗",
    },
)
ASCII = TreeCharacters(
    branch="|- ",
    last="`- ",
    through="|  ",
    others="<-",
    cut="~",
    unknown=".",
    phases={
        Phase.PENDING: ".",
        Phase.WAITING: "o",
        Phase.RUNNING: "*",
        Phase.AWAITING_CONFIRMATION: "?",
        Phase.SUCCEEDED: "+",
        Phase.FAILED: "x",
        Phase.SKIPPED: "-",
        Phase.CANCELED: "x",
        Phase.TIMED_OUT: "x",
    },
)

# By string: a status may come from an operator that knows more phases.
PHASE_STYLES: dict[str, Style] = {
    Phase.PENDING: Style.FAINT,
    Phase.WAITING: Style.ACTIVE,
    Phase.RUNNING: Style.ACTIVE,
    Phase.AWAITING_CONFIRMATION: Style.ATTENTION,
    Phase.SUCCEEDED: Style.GOOD,
    Phase.FAILED: Style.BAD,
    Phase.SKIPPED: Style.FAINT,
    Phase.CANCELED: Style.BAD,
    Phase.TIMED_OUT: Style.BAD,
}
