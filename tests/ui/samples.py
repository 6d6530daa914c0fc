"""StackChains as the API server hands them out, in the situations that the page has to show."""

import datetime
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

START = datetime.datetime(2026, 3, 1, 10, 0, tzinfo=datetime.UTC)
HOSTILE = '<img src=x onerror=alert(1)>\u202e\u0007 & "quotes" \'; DROP'
_OVER = frozenset({"Succeeded", "Failed", "Skipped", "Canceled", "TimedOut"})
BUSY = (
    "Another chain is running 'svc-4': team-a/billing run 7. "
    "This chain's turn comes when that has ended."
)
LOCK = {"needsPerson": True, "url": "https://acme.app.spacelift.io/stack/svc-5"}
PLATFORM = {
    "network": [],
    "dns": [],
    "cluster": ["network"],
    "database": ["network"],
    "certificates": ["dns"],
    "monitoring": ["cluster"],
    "ingress": ["certificates", "cluster"],
    "backups": ["database"],
    "alerts": ["monitoring"],
    "dashboards": ["monitoring"],
    "backend": ["cluster", "database"],
    "frontend": ["backend"],
}


def at(seconds: float, *, start: datetime.datetime = START) -> str:
    """Return a time that many seconds after the start, as the status has it."""
    return (start + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def stack(
    stack_id: str,
    phase: str,
    depends_on: Sequence[str] = (),
    *,
    level: int = 0,
    start: datetime.datetime = START,
    **fields: Any,
) -> Json:
    """Return a stack of a status."""
    found: Json = {"id": stack_id, "level": level, "phase": phase}
    if depends_on:
        found["dependsOn"] = sorted(depends_on)
    if phase not in ("Pending", "Skipped"):
        found["runId"] = f"01J{stack_id.upper()[:12]}"
        found["runUrl"] = f"https://acme.app.spacelift.io/stack/{stack_id}/run/01J"
        found["startTime"] = at(level * 40 + len(stack_id), start=start)
        if phase in _OVER:
            found["completionTime"] = at(level * 40 + 2 * len(stack_id) + 20, start=start)
    return found | fields


def chain(
    name: str,
    stacks: Sequence[Mapping[str, Any]],
    *,
    ready: tuple[str, str, str],
    namespace: str = "platform",
    is_stalled: bool = False,
    phase: str = "Running",
    number: int = 7,
    start: datetime.datetime = START,
    version: int = 1,
    **status: Any,
) -> Json:
    """Return a StackChain whose latest run has read its stacks."""
    counts: dict[str, int] = {}
    for one in stacks:
        key = one["phase"][0].lower() + one["phase"][1:]
        counts[key] = counts.get(key, 0) + 1
    done = sum(one["phase"] == "Succeeded" for one in stacks)
    run: Json = {
        "number": number,
        "cause": "Schedule",
        "operation": "Apply",
        "phase": phase,
        "reason": ready[1],
        "message": ready[2],
        "startTime": at(0, start=start),
        "progress": f"{done}/{len(stacks)}",
        "summary": {"total": len(stacks), **counts},
        "workflowId": f"stackchain/{namespace}/{name}/uid",
        "workflowUrl": f"https://temporal.example.com/namespaces/default/workflows/{name}",
    }
    if phase in _OVER:
        run["completionTime"] = at(220, start=start)
    elif ready[1] == "Progressing":
        run["estimatedCompletionTime"] = at(900, start=start)
    conditions = [
        _condition("Ready", ready[0], ready[1], ready[2]),
        _condition("Stalled", str(is_stalled), ready[1], ready[2]),
    ]
    return body(
        name,
        namespace,
        version,
        {
            "observedGeneration": 1,
            "conditions": conditions,
            "graph": {
                "stacks": len(stacks),
                "edges": sum(len(one.get("dependsOn", [])) for one in stacks),
                "levels": 1 + max((one["level"] for one in stacks), default=0),
                "resolvedTime": at(1, start=start),
            },
            "latestRun": run,
            "stacks": list(stacks),
            "history": [_past(past, start) for past in range(number - 1, max(0, number - 6), -1)],
        }
        | status,
    )


def body(name: str, namespace: str, version: int, status: Json) -> Json:
    """Return a StackChain with a status."""
    return {
        "apiVersion": "stackchain.dev/v1alpha1",
        "kind": "StackChain",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "resourceVersion": str(version),
            "generation": 1,
            "creationTimestamp": at(-86400 * 9),
        },
        "spec": {"roots": {"stackIds": ["network"]}, "parallelism": 10, "suspend": False},
        "status": status,
    }


def _condition(kind: str, status: str, reason: str, message: str) -> Json:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": at(0),
    }


def _past(number: int, start: datetime.datetime) -> Json:
    failed = number % 4 == 1
    return {
        "number": number,
        "cause": "Spec" if number == 1 else "Schedule",
        "operation": "Apply",
        "phase": "Failed" if failed else "Succeeded",
        "reason": "StackFailed" if failed else "RunSucceeded",
        "message": "1 of 12 stacks failed: monitoring." if failed else "12 stacks succeeded.",
        "startTime": at(-7200 * (8 - number), start=start),
        "completionTime": at(-7200 * (8 - number) + 180 + 13 * number, start=start),
        "progress": "9/12" if failed else "12/12",
        "summary": {"total": 12, "succeeded": 9, "failed": 1, "skipped": 2}
        if failed
        else {"total": 12, "succeeded": 12},
        "changes": {
            "stacks": number,
            "added": number,
            "changed": 1,
            "deleted": 0,
            "text": f"+{number} ~1 -0",
        },
        "workflowUrl": f"https://temporal.example.com/namespaces/default/workflows/{number}",
    }


def platform(phases: Mapping[str, str] | None = None, **fields: Any) -> Json:
    """Return the chain of the examples; by default one stack failed and another one waits."""
    phases = phases or {
        **dict.fromkeys(("network", "dns", "cluster", "certificates", "ingress"), "Succeeded"),
        "monitoring": "Failed",
        "alerts": "Skipped",
        "dashboards": "Skipped",
        "database": "AwaitingConfirmation",
    }
    start = fields.get("start", START)
    stacks = [
        stack(
            stack_id,
            phases.get(stack_id, "Pending"),
            ups,
            level=level_of(stack_id),
            start=start,
            **_words(stack_id, phases),
        )
        for stack_id, ups in PLATFORM.items()
    ]
    message = (
        "The run of 'monitoring' failed (no token). The run of 'database' waits for a person to "
        "confirm or discard it. [Run 7: 5/12 done, 1 failed, 1 waits]"
    )
    shown = {"ready": ("Unknown", "StackFailed", message), "name": "platform"} | fields
    return chain(shown.pop("name"), stacks, **shown)


def destroying(**fields: Any) -> Json:
    """Return a chain that destroys, whose latest run failed."""
    phases = {"alerts": "Succeeded", "dashboards": "Failed"}
    found = platform(phases, **({"name": "teardown", "phase": "Failed"} | fields))
    found["spec"]["operation"] = found["status"]["latestRun"]["operation"] = "Destroy"
    return found


def staged(**fields: Any) -> Json:
    """Return a chain with stages, one of which waits for an approval, that runs after another."""
    phases = dict.fromkeys(("network", "dns", "cluster"), "Succeeded")
    message = "Stage 'production' waits for approval."
    found = platform(
        phases,
        **(
            {
                "name": "staged",
                "namespace": "team-a",
                "ready": ("Unknown", "AwaitingApproval", message),
            }
            | fields
        ),
    )
    start = fields.get("start", START)
    found["spec"]["dependsOn"] = [{"name": "billing"}]
    found["status"]["latestRun"] |= {
        "changes": {"stacks": 2, "added": 5, "changed": 1, "deleted": 0, "text": "+5 ~1 -0"},
        "stages": [
            {
                "name": "canary",
                "phase": "Succeeded",
                "progress": "3/3",
                "approvedTime": at(10, start=start),
            },
            {
                "name": "production",
                "phase": "Pending",
                "progress": "0/6",
                "waitsFor": "Approval",
                "since": at(60, start=start),
                "message": message,
            },
            {
                "name": "rest",
                "phase": "Pending",
                "progress": "0/3",
                "waitsFor": "EarlierStages",
            },
        ],
    }
    return found


def level_of(stack_id: str) -> int:
    return max((1 + level_of(one) for one in PLATFORM[stack_id]), default=0)


def _words(stack_id: str, phases: Mapping[str, str]) -> Json:
    match phases.get(stack_id, "Pending"):
        case "Failed":
            return {
                "reason": "RunFailed",
                "message": "The run failed (no token).",
                "attempts": 2,
            }
        case "Skipped":
            return {"reason": "UpstreamNotSucceeded", "blockedBy": "monitoring"}
        case "AwaitingConfirmation":
            return {
                "reason": "NeedsConfirmation",
                "message": "The run waits for a person to confirm or discard it.",
                "delta": {"added": 1, "changed": 1, "deleted": 0},
            }
        case "Succeeded":
            changed = len(stack_id) % 4
            return {
                "reason": "RunFinished",
                "delta": {"added": changed, "changed": changed // 2, "deleted": 0},
            }
        case "Running":
            return {"reason": "RunInProgress"}
    return {"reason": "UpstreamPending", "message": "Waits for 'database'."}


def large(count: int, *, name: str | None = None, version: int = 1, **fields: Any) -> Json:
    """Return a chain of many stacks, some of them failed, waiting, blocked and running."""
    regions = itertools.cycle(("eu-west-1", "us-east-1", "ap-south-1"))
    kinds = itertools.cycle(("network", "cluster", "ingress", "database", "service", "alerts"))
    ids = [
        f"prod-{region}-{kind}-team-{place:03}"
        for place, region, kind in zip(range(count), regions, kinds, strict=False)
    ]
    width = max(4, -(-count // 9))
    start = fields.get("start", START)
    stacks = [
        stack(
            stack_id,
            phase,
            {ids[one] for one in _ups(place, width)},
            level=place // width,
            start=start,
            **_large_words(phase),
        )
        for place, stack_id in enumerate(ids)
        for phase in [_large_phase(place, width)]
    ]
    failed = [one["id"] for one in stacks if one["phase"] == "Failed"]
    message = f"{len(failed)} stacks failed: {', '.join(failed[:3])} and others. Fix the cause."
    shown = {"ready": ("Unknown", "StackFailed", message), "version": version} | fields
    return chain(name or f"fleet-{count}", stacks, **shown)


def _ups(place: int, width: int) -> Iterator[int]:
    level = place // width
    if level:
        for seed in (place * 7, place * 13 + 3, place * 29 + 11)[: 1 + place % 3]:
            yield (level - 1) * width + seed % width


def _large_phase(place: int, width: int) -> str:
    level = place // width
    if level < 3:
        return "Failed" if place % 67 == 11 else "Succeeded"
    if level == 3:
        return (
            ("Succeeded", "Running", "Succeeded", "Waiting", "Running")[place % 5]
            if (place % 9)
            else "AwaitingConfirmation"
        )
    return "Skipped" if place % 37 == 5 else "Pending"


def _large_words(phase: str) -> Json:
    match phase:
        case "Failed":
            message = "The run failed: Error: creating EC2 Instance: UnauthorizedOperation."
            return {"reason": "RunFailed", "message": message}
        case "Waiting":
            return {
                "reason": "StackLocked",
                "message": "The stack is locked by alice@example.com: maintenance.",
            }
        case "AwaitingConfirmation":
            return {
                "reason": "NeedsConfirmation",
                "message": "The run waits for a person to confirm or discard it.",
                "delta": {"added": 3, "changed": 12, "deleted": 1},
            }
        case "Skipped":
            return {"reason": "UpstreamNotSucceeded"}
        case "Pending":
            return {"reason": "UpstreamPending"}
        case "Running":
            return {"reason": "RunInProgress"}
    return {"reason": "RunFinished", "delta": {"added": 0, "changed": 1, "deleted": 0}}


def hostile() -> Json:
    """Return a chain all of whose texts are attempts to break the page."""
    long = "Error: " + "a very long message without an end " * 290
    stacks = [
        stack(HOSTILE, "Failed", reason=HOSTILE, message=long, runUrl="javascript:alert(1)"),
        stack("\u05d0\u05d1\u05d2-rtl", "Paused", [HOSTILE], level=1, message=HOSTILE),
        stack("x" * 300, "Waiting", [HOSTILE], level=1, reason="StackLocked", name=HOSTILE),
    ]
    return chain("hostile", stacks, ready=("False", HOSTILE, HOSTILE + long), is_stalled=True)


def all_kinds(start: datetime.datetime = START) -> list[Json]:
    """Return chains in all states that the list has."""
    done = [stack(f"svc-{place}", "Succeeded", level=0, start=start) for place in range(6)]
    pending = [stack(f"svc-{place}", "Pending", level=0) for place in range(6)]
    next_time = {
        "schedule": {"digest": "d", "checkedTime": at(0), "nextTime": at(86400, start=start)}
    }
    message = "All 6 stacks succeeded."
    blocked = [
        *done[:4],
        stack("svc-4", "Waiting", reason="StackBusy", start=start, message=BUSY),
        stack("svc-5", "Waiting", reason="StackLocked", start=start, heldBy=LOCK),
    ]
    running = [stack(f"next-{one}", "Running", start=start) for one in range(3)]
    return [
        platform(start=start),
        large(100, start=start),
        large(500, start=start),
        chain("single", [done[0]], ready=("True", "RunSucceeded", "The stack succeeded."),
              phase="Succeeded", start=start, namespace="team-a"),
        chain("billing", done, ready=("True", "RunSucceeded", message), phase="Succeeded",
              start=start, namespace="team-a"),
        chain("nightly", done, ready=("True", "RunSucceeded", message), phase="Succeeded",
              start=start, namespace="team-b", **next_time),
        chain("paused", pending, ready=("Unknown", "Suspended", "`spec.suspend` is true."),
              start=start, namespace="team-b"),
        chain("search", blocked, ready=("Unknown", "Blocked", "svc-5 is locked by alice."),
              start=start, namespace="team-b"),
        chain("canary", [*done[:3], *running],
              ready=("Unknown", "Progressing", "3 of 6 stacks are done."), start=start),
        platform({**dict.fromkeys(PLATFORM, "Succeeded"), "backups": "AwaitingConfirmation"},
                 start=start, namespace="team-a", ready=("Unknown", "AwaitingConfirmation",
                 "The run of 'backups' waits for a person to confirm or discard it.")),
        body("fresh", "team-a", 1, {}),
        body("broken", "team-a", 1, {}) | {"spec": {"roots": 7}},
    ]  # fmt: skip
