"""The picture of the processes: who talks to whom, and the way of one StackChain through them."""

from tests.pictures.drawing import Drawing

# Left edges and widths of the three columns.
_LEFT, _MIDDLE, _RIGHT = (44, 206), (328, 408), (806, 314)
_ROW = 46
_STEP = _ROW + 8


def _process(
    drawing: Drawing,
    kind: str,
    place: tuple[tuple[int, int], int],
    head: tuple[str, str],
    *parts: tuple[str, str],
) -> None:
    """Draw a process with its parts, one below the other."""
    (left, width), top = place
    head_kind = "code" if kind == "ours" else "note"
    height = 52 + _STEP * len(parts) + 4
    drawing.box(kind, (left, top, width, height), ("title", head[0]), (head_kind, head[1]))
    for number, (says, names) in enumerate(parts):
        drawing.box(
            "part",
            (left + 12, top + 52 + number * _STEP, width - 24, _ROW),
            ("", says),
            ("code" if kind == "ours" else "note", names),
        )


def draw() -> Drawing:
    """Return the picture; the numbers are those of docs/architecture.md."""
    drawing = Drawing(
        1140,
        724,
        "The processes of StackChain, and the way of one StackChain through them",
        "1: a person or a GitOps tool applies a StackChain to the Kubernetes API server. "
        "2: the operator watches it. 3: the operator gathers what is known and decides. "
        "4: the operator starts the chain's workflow in Temporal. "
        "5: the worker polls Temporal and runs the workflows. "
        "6: the worker finds, triggers, follows and stops runs in Spacelift. "
        "7: Spacelift sends deliveries to the webhook receiver. "
        "8: the receiver wakes the stack's workflow. "
        "9: the chain's workflow says that there is news. "
        "10: the operator writes the status. "
        "The page reads the API server with the token of each viewer. "
        "The worker delivers notifications to sinks.",
    )
    _outside(drawing)
    _ours(drawing)
    _way(drawing)
    return drawing


def _outside(drawing: Drawing) -> None:
    left, width = _LEFT
    drawing.box(
        "outside",
        (left, 30, width, 56),
        ("title", "People, GitOps tools"),
        ("note", "kubectl, plugin, browser"),
    )
    drawing.box(
        "outside",
        (left, 228, width, 108),
        ("title", "Kubernetes API server"),
        ("note", "checks each StackChain"),
        ("note", "by the definition; keeps"),
        ("note", "spec, status, Events,"),
        ("note", "and the operator's Lease"),
    )
    _process(
        drawing,
        "outside",
        (_RIGHT, 30),
        ("Temporal server", "keeps what is in progress"),
        ("StackDependencyChainWorkflow", "one per StackChain"),
        ("StackExecutionWorkflow", "one per stack, over all chains"),
        ("Schedules", "cron, and runs of roots"),
        ("Task queues", "of the operator and of the worker"),
    )
    left, width = _RIGHT
    drawing.box(
        "outside",
        (left, 624, 190, 72),
        ("title", "Spacelift"),
        ("note", "stacks, runs, and"),
        ("note", "native dependencies"),
    )
    drawing.box(
        "outside",
        (left + 206, 624, width - 206, 72),
        ("title", "Sinks"),
        ("note", "Slack,"),
        ("note", "CloudEvents"),
    )


def _ours(drawing: Drawing) -> None:
    _process(
        drawing,
        "ours",
        (_MIDDLE, 30),
        ("Operator", "stackchain operator"),
        ("Watch, and resync", "operator/handlers, operator/resync"),
        ("Gather what is known", "operator/gatherer, temporal/operator"),
        ("Decide (pure)", "chain/requests"),
        ("Act", "operator/execution_commands"),
        ("Project (pure), and write", "chain/status, operator/status_writer"),
    )
    _process(
        drawing,
        "ours",
        (_RIGHT, 380),
        ("Worker", "stackchain worker"),
        ("Workflows", "temporal/workflows, chain/run"),
        ("Activities", "temporal/activities, spacelift"),
    )
    _process(
        drawing,
        "ours",
        (_MIDDLE, 540),
        ("Webhook receiver", "stackchain webhook"),
        ("Check the signature, answer", "webhook/receiver"),
        ("Wake what waits", "webhook/dispatch, temporal/receiver"),
    )
    _process(
        drawing,
        "ours",
        (_LEFT, 540),
        ("Page", "stackchain ui"),
        ("Show and follow", "ui/page_server"),
        ("Write what is asked", "plugin/page_actions"),
    )


def _way(drawing: Drawing) -> None:
    """Draw the arrows, in the order of the steps."""
    drawing.arrow("M147 86V224")
    drawing.step(147, 150)
    drawing.label(164, 154, "apply")
    drawing.arrow("M250 250H290V105H336")
    drawing.step(290, 170)
    drawing.label(280, 134, "watch", "end")
    for top in (128, 182, 236, 290):
        drawing.arrow(f"M532 {top}V{top + 8}")
    drawing.step(694, 186)
    drawing.arrow("M724 267H802")
    drawing.step(770, 267)
    drawing.label(770, 250, "start", "middle")
    drawing.arrow("M960 376V306", both=True)
    drawing.step(960, 341)
    drawing.label(978, 345, "poll, run the workflows")
    drawing.arrow("M900 544V620")
    drawing.step(900, 582)
    drawing.label(884, 586, "find, trigger,", "end")
    drawing.label(918, 586, "follow, stop")
    drawing.arrow("M806 664H740")
    drawing.step(772, 664)
    drawing.label(772, 688, "delivery", "middle")
    drawing.arrow("M640 540V440H764V300H802")
    drawing.step(640, 490)
    drawing.label(658, 494, "wake")
    drawing.arrow("M806 159H728")
    drawing.step(770, 159)
    drawing.label(770, 142, "news", "middle")
    drawing.arrow("M340 321H254")
    drawing.step(290, 321)
    drawing.label(290, 345, "status", "middle")
    drawing.arrow("M1066 544V620")
    drawing.arrow("M147 540V340")
    drawing.label(160, 440, "with the token")
    drawing.label(160, 457, "of each viewer")
    drawing.arrow("M44 58H20V620H40")
