"""Which of a stack's runs Spacelift queued because of certain other runs. Pure."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A run of a stack, as adoption looks at it. `has_finished`: it is over and was carried out."""

    run_id: str
    triggered_by: str | None
    is_over: bool
    has_finished: bool = False


def native_runs(
    candidates: list[Candidate], *, origin_run_ids: list[str], queuers: list[str]
) -> list[Candidate]:
    """Return the runs that Spacelift queued because of the origins, terminal ones included.

    Run ids are ULIDs, so a run caused by an origin has an id above it, and the oldest one is of
    the origin's own wave: later ones come from later runs. Waves that begin together interleave,
    so each origin takes a run of its own.
    """
    free = sorted(
        (item for item in candidates if item.triggered_by in queuers), key=lambda item: item.run_id
    )
    found: list[Candidate] = []
    for origin in sorted(origin_run_ids):
        native = next((item for item in free if item.run_id > origin), None)
        if native is not None:
            free.remove(native)
            found.append(native)
    return found
