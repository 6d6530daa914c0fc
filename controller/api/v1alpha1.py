"""The StackChain resource, `stackchain.dev/v1alpha1`: what comes in and what is written back.

`crds/stackchains.stackchain.dev.yaml` is the schema of record; the API server has refused what
it forbids before anything here is called. The parts of the spec and of the status are in `spec` and
`status`, and are used through this module; a dict never goes further. See ADR 0010.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

from controller.api import json_fields
from controller.api.json_fields import to_json as to_json
from controller.api.spec import MAX_STACKS as MAX_STACKS
from controller.api.spec import ChainDependency as ChainDependency
from controller.api.spec import ConcurrencyPolicy as ConcurrencyPolicy
from controller.api.spec import ConfirmationLimits as ConfirmationLimits
from controller.api.spec import ConfirmationPolicy as ConfirmationPolicy
from controller.api.spec import DeletionPolicy as DeletionPolicy
from controller.api.spec import Direction as Direction
from controller.api.spec import EnvironmentVariable as EnvironmentVariable
from controller.api.spec import Exclude as Exclude
from controller.api.spec import FailurePolicy as FailurePolicy
from controller.api.spec import Graph as Graph
from controller.api.spec import NativeRuns as NativeRuns
from controller.api.spec import Operation as Operation
from controller.api.spec import Policies as Policies
from controller.api.spec import Retry as Retry
from controller.api.spec import Roots as Roots
from controller.api.spec import Schedule as Schedule
from controller.api.spec import Source as Source
from controller.api.spec import StackChainSpec as StackChainSpec
from controller.api.spec import Stage as Stage
from controller.api.spec import StageApproval as StageApproval
from controller.api.spec import StartPolicy as StartPolicy
from controller.api.spec import StartTrigger as StartTrigger
from controller.api.spec import StartTriggerType as StartTriggerType
from controller.api.spec import Window as Window
from controller.api.status import Cause as Cause
from controller.api.status import Changes as Changes
from controller.api.status import Condition as Condition
from controller.api.status import Delta as Delta
from controller.api.status import GraphStatus as GraphStatus
from controller.api.status import Handled as Handled
from controller.api.status import Holder as Holder
from controller.api.status import PendingRun as PendingRun
from controller.api.status import Phase as Phase
from controller.api.status import RootRun as RootRun
from controller.api.status import RunSource as RunSource
from controller.api.status import RunStatus as RunStatus
from controller.api.status import ScheduleStatus as ScheduleStatus
from controller.api.status import StackDurations as StackDurations
from controller.api.status import StackStatus as StackStatus
from controller.api.status import StageStatus as StageStatus
from controller.api.status import StageWait as StageWait
from controller.api.status import Status as Status
from controller.api.status import Summary as Summary
from controller.api.status import TriggersStatus as TriggersStatus
from controller.api.status import UnusedRun as UnusedRun
from controller.api.status import read_status as read_status
from controller.api.status import status_to_dict as status_to_dict

GROUP = "stackchain.dev"
VERSION = "v1alpha1"
KIND = "StackChain"
PLURAL = "stackchains"
API_VERSION = f"{GROUP}/{VERSION}"

# Request tokens: asks that a person writes, and that are never edited by the operator.
RUN_ANNOTATION = f"{GROUP}/run"
RETRY_ANNOTATION = f"{GROUP}/retry"
CANCEL_ANNOTATION = f"{GROUP}/cancel"
BYPASS_ANNOTATION = f"{GROUP}/bypass"
APPROVE_ANNOTATION = f"{GROUP}/approve"
INSTALLATION_ANNOTATION = f"{GROUP}/installation"
"""Which installation is to have a resource, whichever had it before."""
# Whoever restores a resource writes it; Velero labels all that it restores.
RESTORED_ANNOTATION = f"{GROUP}/restored"
VELERO_RESTORE_LABEL = "velero.io/restore-name"
TOKENS = (
    RUN_ANNOTATION,
    RETRY_ANNOTATION,
    CANCEL_ANNOTATION,
    BYPASS_ANNOTATION,
    APPROVE_ANNOTATION,
)
FINALIZER = f"{GROUP}/stop-runs"
"""Holds a resource that is deleted until its runs are stopped; before it nothing is started."""


LONGEST_TOKEN = 256
"""Characters of a request token. A longer one asks for nothing: annotations hold 256 KiB, and what
was asked is kept in the status, in the memory of the operator and at Temporal."""
LONGEST_NAMING_TOKEN = 1024
"""Characters of a token that may name stacks."""
_TOO_LONG = "too-long:sha256:"


class InvalidResource(Exception):
    """The object does not fit this version's model; the message names the field."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Ref:
    """A StackChain as one handle: name, identity and the generation that was read."""

    namespace: str
    name: str
    uid: str
    generation: int


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class StackChain:
    """A StackChain as read from the API server; of a token that is too long it has a digest.

    `run_token` and the others are the annotations; the spec may have a run token, too.
    """

    ref: Ref
    is_deleting: bool
    is_restored: bool
    run_token: str | None
    retry_token: str | None
    cancel_token: str | None
    bypass_token: str | None
    approve_token: str | None
    spec: StackChainSpec
    status: Status


def parse(body: Mapping[str, Any]) -> StackChain:
    """Read a StackChain.

    Raises:
        InvalidResource: a field does not fit; the message names it.
    """
    metadata = body["metadata"]
    annotations = metadata.get("annotations") or {}
    spec = read_spec(body.get("spec") or {})
    return StackChain(
        ref=read_ref(body),
        is_deleting=bool(metadata.get("deletionTimestamp")),
        is_restored=RESTORED_ANNOTATION in annotations
        or VELERO_RESTORE_LABEL in (metadata.get("labels") or {}),
        run_token=_token(annotations, RUN_ANNOTATION),
        retry_token=_token(annotations, RETRY_ANNOTATION),
        cancel_token=_token(annotations, CANCEL_ANNOTATION),
        bypass_token=_token(annotations, BYPASS_ANNOTATION),
        approve_token=_token(annotations, APPROVE_ANNOTATION),
        spec=spec,
        status=read_status(body.get("status") or {}),
    )


def read_spec(raw: Any) -> StackChainSpec:
    """Read the spec of a StackChain.

    Raises:
        InvalidResource: a field does not fit; the message names it.
    """
    try:
        return json_fields.from_json(StackChainSpec, raw)
    except json_fields.Misfit as misfit:
        where = ".".join(("spec", *misfit.path))
        raise InvalidResource(f"`{where}` {misfit.what}") from misfit


def is_too_long(token: str) -> bool:
    """Whether a request token of a StackChain is the placeholder for one that is too long."""
    return token.startswith(_TOO_LONG)


def longest_token(annotation: str) -> int:
    """Return how many characters the token of an annotation may have."""
    is_naming = annotation in (RETRY_ANNOTATION, BYPASS_ANNOTATION)
    return LONGEST_NAMING_TOKEN if is_naming else LONGEST_TOKEN


def _token(annotations: Mapping[str, str], name: str) -> str | None:
    text = annotations.get(name)
    if text is None or len(text) <= longest_token(name):
        return text
    return _TOO_LONG + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_ref(body: Mapping[str, Any]) -> Ref:
    """Return the handle of an object, whatever its spec holds."""
    metadata = body["metadata"]
    return Ref(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
    )


def owner_of(body: Mapping[str, Any]) -> str:
    """Return the installation that has a resource, whatever its spec is; "" if none has it yet."""
    annotated = (body["metadata"].get("annotations") or {}).get(INSTALLATION_ANNOTATION)
    owner = annotated or (body.get("status") or {}).get("installation")
    return owner if isinstance(owner, str) else ""
