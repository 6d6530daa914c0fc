"""Phases that a newer operator writes and this plugin does not know: shown unchanged. Pure.

Everywhere else such a phase counts as `Running`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from controller import outside_text
from controller.api import v1alpha1
from controller.api.v1alpha1 import Phase

_LONGEST = 32
_KNOWN = frozenset(Phase)

_Part = TypeVar("_Part", v1alpha1.StackStatus, v1alpha1.RunStatus, v1alpha1.StageStatus)


def parse(body: Mapping[str, Any]) -> v1alpha1.StackChain:
    """Read a StackChain, with each phase as its status has it.

    Raises:
        InvalidResource: a field does not fit; the message names it.
    """
    chain, raw = v1alpha1.parse(body), body.get("status") or {}
    status, run = chain.status, chain.status.latest_run
    raw_run = raw.get("latestRun") or {}
    if run is not None:
        stages = _with_phases(run.stages, raw_run.get("stages") or ())
        run = dataclasses.replace(_with_phase(run, raw_run), stages=stages)
    status = dataclasses.replace(
        status,
        latest_run=run,
        stacks=_with_phases(status.stacks, raw.get("stacks") or ()),
        history=_with_phases(status.history, raw.get("history") or ()),
    )
    return dataclasses.replace(chain, status=status)


def _with_phases(parts: tuple[_Part, ...], raw: Sequence[Mapping[str, Any]]) -> tuple[_Part, ...]:
    if not parts:
        # A list that does not fit counts as missing.
        return parts
    return tuple(_with_phase(*pair) for pair in zip(parts, raw, strict=True))


def _with_phase(part: _Part, raw: Mapping[str, Any]) -> _Part:
    text = raw.get("phase")
    if not isinstance(text, str) or text in _KNOWN:
        return part
    shown = Phase.of_newer(outside_text.clean(text, most=_LONGEST))
    return dataclasses.replace(part, phase=shown)
