"""A plan for people: a table of time, actor and event, below the account and the chains."""

from collections.abc import Iterable, Sequence

from tests.simulation.world.plans import HERE, ChainPlan, Json, Plan, StackPlan


def of(plan: Plan) -> str:
    """Return the table."""
    rows = [("time", "actor", "event")]
    happening = [(chain.at, "user", _created(chain)) for chain in plan.chains]
    happening += [(event.at, event.actor.value, event.describe()) for event in plan.events]
    rows += [(f"{at:.1f} s", actor, text) for at, actor, text in sorted(happening)]
    rows.append((f"{plan.calm_at:.1f} s", "", "nothing more happens; people confirm what waits"))
    return "\n".join(
        [*_columns([_stack(stack) for stack in plan.stacks]), *_rest(plan), *_columns(rows)]
    )


def _rest(plan: Plan) -> Iterable[str]:
    if plan.chances:
        yield "  ".join(f"{what}: {share:g}" for what, share in sorted(plan.chances.items()))
    if any(plan.skews):
        yield "clocks of operators and workers are wrong by {:.0f} s and {:.0f} s".format(
            *plan.skews
        )
    if plan.slow:
        slow = (f"{what} {times:g}" for what, times in sorted(plan.slow.items()))
        yield f"so many times as slow as others: {', '.join(slow)}"
    for name, value in plan.behavior.items():
        yield f"the account's {name} is {value}"
    if plan.has_receiver:
        yield f"Spacelift delivers notifications, runs are read every {plan.poll_seconds} s"


def _created(chain: ChainPlan) -> str:
    fields = ", ".join(f"{name}: {value}" for name, value in chain.spec.items())
    where = "" if chain.installation == HERE else " in the other installation"
    return f"create {chain.name}{where} with {fields}"


def _stack(stack: StackPlan) -> tuple[str, str, str]:
    upstreams = [*stack.upstreams, *(f"{label} (label)" for label in stack.labels)]
    return (
        f"stack {stack.id}",
        f"depends on {', '.join(upstreams)}" if upstreams else "",
        f"{f'in {stack.stage}, ' if stack.stage else ''}"
        f"{'autodeploy, ' if stack.is_autodeployed else ''}"
        f"{'approved by people, ' if stack.needs_approval else ''}{stack.seconds:.0f} s, "
        + ", then ".join(stack.outcomes)
        + (f" ({_counts(stack.delta)})" if stack.delta else ""),
    )


def _counts(delta: Json) -> str:
    return ", ".join(f"{what} {count}" for what, count in delta.items())


def _columns(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in rows]
