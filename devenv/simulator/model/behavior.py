"""How the account behaves, chosen at the start by the scenario and later by an admin.

There is a choice for two reasons. Spacelift's sources leave some points open, so a client has to
cope with either answer. And a deployment may be slow or limited in ways that have to be tried.
"""

from typing import Literal

import pydantic
from pydantic import alias_generators


class StrictModel(pydantic.BaseModel):
    """A document from outside: camelCase keys, and an unknown key is an error."""

    model_config = pydantic.ConfigDict(
        alias_generator=alias_generators.to_camel, populate_by_name=True, extra="forbid"
    )


class RateLimit(StrictModel):
    """A token bucket for each API key."""

    per_second: float = pydantic.Field(gt=0)
    burst: int = pydantic.Field(default=1, ge=1)
    retry_after: bool = True
    """Whether the answer 429 carries `Retry-After`."""


class Behavior(StrictModel):
    """Each choice with its default; seconds are floats."""

    unauthorized_mode: Literal["A", "B"] = "A"
    """A bad token: A = HTTP 200, empty lists and `unauthorized`; B = HTTP 401 (both are seen)."""

    wrong_secret: Literal["error", "null"] = "error"  # noqa: S105 - a mode's name
    """The exchange of a known key with a wrong secret: an `unauthorized` error, or null."""

    token_life: float = pydantic.Field(default=3600, gt=0)
    """How long a token is good for; sources name one hour, ten hours and "a few hours"."""

    fan_out: bool = True
    """Whether creating a tracked run queues runs on all dependents."""

    on_upstream_failure: Literal["SKIPPED", "CANCELED"] = "SKIPPED"
    """What a dependent's run ends in when a direct upstream run did not end well."""

    force_apply_single_suppresses_fan_out: bool = False
    """Whether `forceApply: SINGLE` also keeps dependents from being queued."""

    retry_run_id: Literal["new", "same"] = "new"
    """Whether `runRetry` answers with a new run or puts the old one back into the queue."""

    dependency_wait_holds_stack: bool = True
    """Whether a queued run that waits for upstream runs holds back newer runs of its stack."""

    lock_holds_queued_runs: bool = True
    """Whether runs of other users stay queued while a user's lock is on the stack."""

    stop_during_apply: Literal["ignored", "stopped", "error"] = "ignored"
    """What `runStop` does to a run that is applying, performing or destroying."""

    destroy_plans: bool = False
    """Whether a destroy run plans first and has to be confirmed."""

    replaced_in_delta: Literal["both", "changed", "added"] = "both"
    """What a resource that is replaced counts as: added and deleted, changed, or added alone."""

    change_types: Literal["action", "resource"] = "action"
    """What `metadata.type` in the list of a plan's changes is: of the change, or the resource."""

    expose_metadata: bool = False
    """Whether `Run.userProvidedMetadata` is part of the schema; no source shows it there."""

    invisible_edges: Literal["listed", "hidden"] = "listed"
    """Whether an edge to a stack that the key cannot see is listed."""

    runs_page_size: int = pydantic.Field(default=50, ge=1)
    """The length of a page of `stack.runs`, `proposedRuns` and `tasks`; no source names it."""

    blocker_release_delay: float = pydantic.Field(default=0.05, ge=0)
    """How long `stack.blocker` outlives its run; it is cleared asynchronously."""

    release_delay: float = pydantic.Field(default=0, ge=0)
    """How long a dependent's run stays queued after its last upstream run ended."""

    runs_lag: float = pydantic.Field(default=0, ge=0)
    """How long a new run is missing from lists (read after write)."""

    blocker_lag: float = pydantic.Field(default=0, ge=0)
    """How long a run that just started is missing from `stack.blocker`."""

    rate_limit: RateLimit | None = None
    """Requests per second and key; none by default."""

    fan_out_cap: int = pydantic.Field(default=500, ge=1)
    """How many runs one push may create on the stacks that it reaches directly."""

    named_webhook_secret: Literal["shown", "hidden"] = "hidden"  # noqa: S105 - a mode's name
    """What `secret` of a named webhook answers: the secret, or an empty string."""
