"""Waits for a turn at a stack that another chain runs. See ADR 0008 and ADR 0034."""

import asyncio
import contextlib
import dataclasses
import datetime

import temporalio.client
import temporalio.service

from controller import clock
from controller.chain.requests import executions
from controller.chain.run import holds, stack_lines
from controller.temporal import client as temporal_client
from controller.temporal import decoding, execution_infos, ids, messages
from controller.temporal.activities import errors

_QUERY_TIMEOUT = datetime.timedelta(seconds=5)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """The intervals of a wait, in seconds.

    `refresh`: how old the report on the chain that has the stack may be, at first. It doubles each
    time that the report is the same, up to `stalest`. `grace`: how long each chain that came before
    has for its turn, since it may have ended or have no free slot. `look`: how often to check
    whether it took its turn. `limit`: before the activity times out.
    """

    refresh: float = 10.0
    stalest: float = 120.0
    grace: float = 3.0
    look: float = 0.5
    limit: float = 3300.0


class TurnWait:
    """One wait of a chain for its turn at a stack."""

    def __init__(
        self,
        client: temporalio.client.Client,
        argument: messages.AwaitTurnInput,
        pace: Pace,
    ) -> None:
        self._client = client
        self._input = argument
        self._pace = pace
        self._refresh = pace.refresh
        # The execution that this chain has asked to join its line, the one that had no run yet when
        # it was asked, and since when one is known to have ended.
        self._told = self._without_run = ""
        self._ended = ("", 0.0)

    async def wait(self) -> messages.AwaitTurnResult:
        """Return once it is the chain's turn, or there is news of who has the stack.

        Raises:
            ApplicationError: it takes long; the wait is to be repeated.
        """
        until = clock.monotonic() + self._pace.limit
        while clock.monotonic() < until:
            try:
                info = await execution_infos.describe(self._client, self._input.workflow_id)
                result = await self._look(info)
            except temporalio.service.RPCError as error:
                if not temporal_client.is_gone(error):
                    raise
                # Its history was deleted, or was never there.
                return messages.AwaitTurnResult(is_turn=True)
            if result is not None:
                return result
        raise errors.still_waiting("The stack is still in use by another chain.")

    async def _look(self, info: execution_infos.ExecutionInfo) -> messages.AwaitTurnResult | None:
        line = await self._line_of(info)
        if info.state is not executions.ExecutionState.RUNNING:
            return await self._after_its_end(info, line)
        if await self._is_left_by_reset(info):
            handle = self._client.get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id)
            await handle.terminate(reason="The chain was reset, and follows the run itself.")
            return messages.AwaitTurnResult(is_turn=True, behind=line)
        await self._join(info, line)
        holder = await self._holder(info)
        if holder != self._input.known and not self._is_too_early(info, holder):
            return messages.AwaitTurnResult(holder=holder)
        pause, self._refresh = self._refresh, min(2 * self._refresh, self._pace.stalest)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await execution_infos.await_close(
                    self._client, info.workflow_id, info.workflow_run_id
                )
        return None

    async def _is_left_by_reset(self, info: execution_infos.ExecutionInfo) -> bool:
        """Whether an execution was started for the same run of the chain, before a reset.

        No one waits for its end any more, and no cancel would reach it.
        """
        chain = self._input.asking
        if not chain.is_reset or info.parent is None or info.parent[0] != chain.workflow_id:
            return False
        if info.parent[1] == chain.workflow_run_id:
            return False
        try:
            parent = await execution_infos.describe(self._client, *info.parent)
        except temporalio.service.RPCError as error:
            if not temporal_client.is_gone(error):
                raise
            return False
        return parent.first_run_id == chain.first_run_id

    def _is_too_early(
        self, info: execution_infos.ExecutionInfo, holder: holds.HoldingChain
    ) -> bool:
        """Whether a chain that has just got the stack may soon have a run that can be named, too.

        Each report costs an activity and a write of each chain in the line.
        """
        is_first = self._without_run != info.workflow_run_id
        self._without_run = info.workflow_run_id
        return is_first and self._input.known is not None and not holder.url

    async def _after_its_end(
        self, info: execution_infos.ExecutionInfo, line: list[stack_lines.WaitingChain]
    ) -> messages.AwaitTurnResult | None:
        """The chain that came first goes first; if it does not, the next one does after a while."""
        if self._ended[0] != info.workflow_run_id:
            self._ended = (info.workflow_run_id, clock.monotonic())
        patience = stack_lines.place_of(line, self._input.chain) * self._pace.grace
        left = self._ended[1] + patience - clock.monotonic()
        if left <= 0:
            behind = stack_lines.behind(line, self._input.chain)
            return messages.AwaitTurnResult(is_turn=True, behind=behind)
        await asyncio.sleep(min(left, self._pace.look))
        return None

    async def _join(
        self, info: execution_infos.ExecutionInfo, line: list[stack_lines.WaitingChain]
    ) -> None:
        if self._input.chain in line or self._told == info.workflow_run_id:
            return
        handle = self._client.get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id)
        with contextlib.suppress(temporalio.service.RPCError):
            # One that has ended meanwhile is found to have done so at the next look.
            await handle.signal(ids.JOIN_LINE_SIGNAL, self._input.chain)
            self._told = info.workflow_run_id

    async def _line_of(self, info: execution_infos.ExecutionInfo) -> list[stack_lines.WaitingChain]:
        payload = info.memo.fields.get(ids.LINE_MEMO)
        if payload is None:
            return []
        with contextlib.suppress(decoding.Unreadable), decoding.readable("The line at a stack"):
            values = await self._client.data_converter.decode(
                [payload], [list[stack_lines.WaitingChain]]
            )
            return list(values[0])
        return []

    async def _holder(self, info: execution_infos.ExecutionInfo) -> holds.HoldingChain:
        """Return what the execution says of itself; at least whose it is."""
        handle: temporalio.client.WorkflowHandle[object, holds.HoldingChain]
        handle = self._client.get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id)
        try:
            with decoding.readable("The answer of a stack's workflow"):
                found: object = await handle.query(
                    ids.HOLDER_QUERY,
                    result_type=holds.HoldingChain,
                    rpc_timeout=_QUERY_TIMEOUT,
                )
            return decoding.checked(found, holds.HoldingChain, "The answer of a stack's workflow")
        except (
            decoding.Unreadable,
            temporalio.client.WorkflowQueryFailedError,
            temporalio.client.WorkflowQueryRejectedError,
            temporalio.service.RPCError,
        ):
            # No worker answers now. What was known of the same chain still holds.
            chain = ids.chain_of(info.parent[0]) if info.parent is not None else ""
            known = self._input.known
            if known is not None and chain and known.chain.startswith(f"{chain} "):
                return known
            return holds.HoldingChain(chain=chain)
