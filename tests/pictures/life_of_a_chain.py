"""The picture of what a chain run goes through, from `kubectl apply` to Ready."""

from tests.pictures.drawing import Drawing

_TOP, _CENTER, _BOTTOM = 30, 210, 410
# Kind, place, and what the box says: the reason of Ready, and who does what.
_STATES = (
    (
        "bad",
        (20, _TOP, 230),
        "The graph cannot be run",
        ("code", "Ready=False GraphCycle"),
        ("note", "or another reason"),
    ),
    (
        "wait",
        (270, _TOP, 282),
        "A plan waits for a person",
        ("code", "Ready=Unknown AwaitingConfirmation"),
        ("note", "someone confirms it in Spacelift"),
    ),
    (
        "wait",
        (572, _TOP, 264),
        "A stage waits for its approval",
        ("code", "Ready=Unknown AwaitingApproval"),
        ("code", "kubectl stackchain approve"),
    ),
    (
        "wait",
        (856, _TOP, 264),
        "Something else is in the way",
        ("code", "Ready=Unknown Blocked"),
        ("code", "kubectl stackchain explain"),
    ),
    (
        "person",
        (20, _CENTER, 160),
        "You",
        ("code", "kubectl apply"),
        ("note", "starts run 1"),
    ),
    (
        "ours",
        (240, _CENTER, 250),
        "The graph is checked",
        ("code", "Ready=Unknown Progressing"),
        ("note", "before anything is triggered"),
    ),
    (
        "ours",
        (560, _CENTER, 290),
        "The stacks run",
        ("code", "Ready=Unknown Progressing"),
        ("note", "each after those that it depends on"),
    ),
    (
        "good",
        (930, _CENTER, 190),
        "All succeeded",
        ("code", "Ready=True"),
        ("code", "RunSucceeded"),
    ),
    (
        "person",
        (240, _BOTTOM, 250),
        "You fix the cause, and retry",
        ("code", "kubectl stackchain retry"),
        ("note", "what succeeded is kept"),
    ),
    (
        "bad",
        (560, _BOTTOM, 290),
        "A stack failed",
        ("code", "Ready=False StackFailed"),
        ("note", "its dependents are skipped;"),
        ("note", "False once the others have ended"),
    ),
    (
        "person",
        (930, _BOTTOM, 190),
        "The next run",
        ("note", "a new spec, a schedule,"),
        ("code", "kubectl stackchain run"),
    ),
)


def draw() -> Drawing:
    """Return the picture; words with a capital inside are reasons of the condition Ready."""
    drawing = Drawing(
        1140,
        540,
        "The life of a chain, from kubectl apply to Ready",
        "A StackChain is applied. The operator starts run 1; its graph is read and checked. "
        "If the graph cannot be run, Ready is False, for example GraphCycle, until it is fixed. "
        "Then the stacks run, each after those that it depends on; Ready is Unknown, Progressing. "
        "Meanwhile the chain may wait for a person to confirm a plan (AwaitingConfirmation), for "
        "the approval of a stage (AwaitingApproval), or for something else (Blocked). "
        "If all stacks succeed, Ready is True, RunSucceeded. If one fails, its dependents are "
        "skipped, the rest runs on, and Ready is False, StackFailed; after the cause is fixed, a "
        "retry runs only what did not succeed. A new spec, a schedule or a request starts the "
        "next run.",
    )
    _states(drawing)
    _ways(drawing)
    return drawing


def _states(drawing: Drawing) -> None:
    for kind, (left, top, width), title, *lines in _STATES:
        drawing.box(kind, (left, top, width, 38 + 17 * len(lines)), ("title", title), *lines)


def _ways(drawing: Drawing) -> None:
    drawing.arrow("M180 246H236")
    drawing.arrow("M490 246H556")
    drawing.arrow("M850 246H926")
    # To what cannot continue, and back as soon as it can.
    drawing.arrow("M310 206V158H135V106", both=True)
    drawing.label(144, 176, "once fixed: rechecked")
    drawing.arrow("M620 206V158H411V106", both=True)
    drawing.arrow("M704 206V106", both=True)
    drawing.arrow("M800 206V158H988V106", both=True)
    drawing.label(812, 176, "once done: continues on its own")
    # Around a failure.
    drawing.arrow("M740 282V406")
    drawing.label(752, 350, "one of them fails")
    drawing.arrow("M560 446H494")
    drawing.arrow("M262 410V286")
    drawing.label(272, 350, "after the run: run 2")
    drawing.arrow("M450 410V336H620V286")
    drawing.label(462, 356, "during it: still run 1")
    # And on.
    drawing.arrow("M1025 282V406")
    drawing.arrow("M1025 482V518H205V266H236")
    drawing.label(525, 510, "run 3", "middle")
