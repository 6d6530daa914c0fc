"""Keeps a status within what etcd stores as one object. Pure.

A status that the API server refuses hides the whole chain. So a large chain with long ids and
messages gives up what can be found elsewhere, in steps. Listed upstream stacks go first, then
messages, then names. The durations of stacks go with the names; without them a run only has no
estimate. Stacks, phases, run ids and the runs of the history always stay.
"""

import dataclasses
import json

from controller.api import v1alpha1

# etcd refuses a request of 1.5 MiB. The rest is left to the spec (environment variables of 260 kB)
# and the annotations (256 kB), which are in the same object.
MAX_BYTES = 1_000_000

# With every text at its limit so few stacks, and a history of 50 runs, are within it: no need to
# measure, which takes milliseconds.
_ALWAYS_FITS = 20


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    upstreams: int
    characters: int
    unused_runs: int = 2
    has_names: bool = True
    has_durations: bool = True


_STEPS = (
    _Step(upstreams=5, characters=1024),
    _Step(upstreams=5, characters=256),
    _Step(upstreams=2, characters=128, unused_runs=1),
    _Step(upstreams=0, characters=64, unused_runs=0, has_names=False, has_durations=False),
)


def fitted(status: v1alpha1.Status) -> v1alpha1.Status:
    """Return the status unchanged if it can be stored, otherwise the first version that can."""
    if len(status.stacks) <= _ALWAYS_FITS:
        return status
    found = status
    for step in _STEPS:
        if stored_bytes(found) <= MAX_BYTES:
            break
        found = _shortened(status, step)
    return found


def stored_bytes(status: v1alpha1.Status) -> int:
    """Return how large the API server stores the status: JSON in which <, > and & take six."""
    text = json.dumps(v1alpha1.status_to_dict(status), ensure_ascii=False, separators=(",", ":"))
    return len(text.encode()) + 5 * sum(text.count(character) for character in "<>&")


def _shortened(status: v1alpha1.Status, step: _Step) -> v1alpha1.Status:
    return dataclasses.replace(
        status,
        stacks=tuple(_short_stack(stack, step) for stack in status.stacks),
        history=tuple(
            dataclasses.replace(run, message=_short_text(run.message, step))
            for run in status.history
        ),
        durations=status.durations if step.has_durations else (),
    )


def _short_stack(stack: v1alpha1.StackStatus, step: _Step) -> v1alpha1.StackStatus:
    return dataclasses.replace(
        stack,
        name=stack.name if step.has_names else None,
        depends_on=stack.depends_on[: step.upstreams],
        unused_runs=stack.unused_runs[: step.unused_runs],
        held_by=stack.held_by if step.has_names else _without_link(stack.held_by),
        message=None if stack.message is None else _short_text(stack.message, step),
    )


def _without_link(held_by: v1alpha1.Holder | None) -> v1alpha1.Holder | None:
    return None if held_by is None else dataclasses.replace(held_by, url=None)


def _short_text(text: str, step: _Step) -> str:
    return text if len(text) <= step.characters else f"{text[: step.characters - 1]}…"
