"""The seeded faults, by the promise that they break."""

from tests.mutants.mutant import Mutant

_CHAIN = "controller/temporal/workflows/stack_dependency_chain.py"
_RUNNER = "controller/temporal/workflows/stack_runner.py"
_EXECUTION = "controller/temporal/workflows/stack_execution.py"
_PUBLISHING = "controller/temporal/workflows/publishing.py"
_CREATION = "controller/temporal/workflows/run_creation.py"
_UNWANTED = "controller/temporal/workflows/unwanted_runs.py"
_TRIGGERS = "controller/temporal/activities/stack_triggers.py"
_FOUND = "controller/temporal/activities/triggered_runs.py"
_OPERATIONS = "controller/temporal/activities/stack_operations.py"
_NATIVE_STOPS = "controller/temporal/activities/native_run_stops.py"
_CONFIRMS = "controller/temporal/activities/stack_confirms.py"
_NEXT = "controller/chain/run/next_stacks.py"
_POLICY = "controller/chain/run/policy.py"
_QUEUED = "controller/chain/run/unwanted_runs.py"
_STATES = "controller/chain/run/run_states.py"
_PROGRESS = "controller/chain/run/progress.py"
_ADOPTION = "controller/chain/graph/adoption.py"
_DECIDE = "controller/chain/requests/decide.py"
_HANDLED = "controller/chain/requests/handled_asks.py"
_TOKENS = "controller/chain/requests/request_tokens.py"
_AUTOMATIC = "controller/chain/requests/automatic_asks.py"
_EXECUTIONS = "controller/chain/requests/executions.py"
_RECONCILER = "controller/operator/reconciler.py"
_GATHERER = "controller/operator/gatherer.py"
_DELETION = "controller/operator/deletion.py"
_WRITER = "controller/operator/status_writer.py"
_STARTER = "controller/temporal/operator/starter.py"

MUTANTS = (
    # One run for one request
    Mutant(
        name="the resource is not asked before the first trigger",
        module=_PUBLISHING,
        old="return self._asked_after == self._reset.count or self._is_orphan",
        new="return True",
        runs_twice=True,
    ),
    Mutant(
        name="a publish that has not come back counts as wanted",
        module=_PUBLISHING,
        old="            asked_after = self._reset.count\n",
        new="            asked_after = self._asked_after = self._reset.count\n",
        runs_twice=True,
    ),
    Mutant(
        name="a lost trigger is sent again at once",
        module=_OPERATIONS,
        old="left = lost_at + self._limits.trigger_grace - time.now()",
        new="left = 0.0",
        runs_twice=True,
    ),
    Mutant(
        name="a worker that died is taken to have sent nothing",
        module=_TRIGGERS,
        old="""        case _:
            return now""",
        new="""        case _:
            return None""",
        runs_twice=True,
    ),
    Mutant(
        name="a lost answer is noted as nothing sent",
        module=_OPERATIONS,
        old="stack_triggers.note_failure(time.now())",
        new="stack_triggers.note_failure(None)",
        runs_twice=True,
    ),
    Mutant(
        name="the key that sent the trigger is forgotten",
        module=_FOUND,
        old="account.owns(run, also=[wanted.key_id])",
        new="account.owns(run)",
        runs_twice=True,
    ),
    Mutant(
        name="an old run passes for that of a lost trigger",
        module=_FOUND,
        old="newer_than=argument.newest_run_id,",
        new='newer_than="0",',
    ),
    Mutant(
        name="what a first try may have sent is forgotten",
        module=_CREATION,
        old="was_attempted=self.may_be_sent)",
        new="was_attempted=False)",
        runs_twice=True,
    ),
    Mutant(
        name="a start takes the place of a live execution",
        module=_STARTER,
        old="id_conflict_policy=temporalio.common.WorkflowIDConflictPolicy.FAIL",
        new="id_conflict_policy=temporalio.common.WorkflowIDConflictPolicy.TERMINATE_EXISTING",
        runs_twice=True,
    ),
    Mutant(
        name="the resource is not read again before a start",
        module=_RECONCILER,
        old="            await self._check_unchanged(body)\n",
        new="",
        runs_twice=True,
    ),
    Mutant(
        name="an execution of an earlier run may publish",
        module=_GATHERER,
        old="if execution.workflow_run_id != publishing:",
        new="if False:",
        runs_twice=True,
    ),
    Mutant(
        name="two executions of one number count as two runs",
        module=_EXECUTIONS,
        old="return (execution.number, execution.attempt) <= (latest.number, latest.attempt)",
        new="return (execution.number, execution.attempt) < (latest.number, latest.attempt)",
        runs_twice=True,
    ),
    Mutant(
        name="a run is tried again before its end is in the status",
        module=_DECIDE,
        old="    return executions.has_end_of(latest, execution)",
        new="    return True",
        runs_twice=True,
    ),
    Mutant(
        name="the token of a run asks again and again",
        module=_TOKENS,
        old="if token is None or token == handled.run:",
        new="if token is None:",
        runs_twice=True,
    ),
    Mutant(
        name="a field of the definition at its default makes the spec a new one",
        module=_HANDLED,
        old="relevant |= {key: value for key, value in optional.items() if value}",
        new="relevant |= dict(optional)",
        runs_twice=True,
    ),
    Mutant(
        name="what the execution handled is forgotten after a crash",
        module=_HANDLED,
        old="    started = execution.handled\n",
        new="    started = told\n",
        runs_twice=True,
    ),
    Mutant(
        name="a time that was taken up asks again",
        module=_AUTOMATIC,
        old="is_new = time is not None and later(time, handled.schedule) != handled.schedule",
        new="is_new = time is not None",
        runs_twice=True,
    ),
    Mutant(
        name="a root's run that was taken up asks again",
        module=_AUTOMATIC,
        old='item.run_id > seen.get(item.stack_id, "")',
        new='item.run_id >= seen.get(item.stack_id, "")',
        runs_twice=True,
    ),
    Mutant(
        name="a root's run of before the first sweep asks",
        module=_AUTOMATIC,
        old="""            if reading.newest_run_id:
                looked.append(RootRun(stack_id=stack_id, run_id=reading.newest_run_id))
            continue""",
        new='            mark = ""',
        runs_twice=True,
    ),
    Mutant(
        name="a stack that waits for its turn starts once more",
        module=_NEXT,
        old="if stack.phase is v1alpha1.Phase.PENDING\n",
        new="if not stack.phase.is_over\n",
        runs_twice=True,
    ),
    Mutant(
        name="a stack is retried once more than its limit",
        module=_EXECUTION,
        old="self._attempts > self._input.policies.retry.limit",
        new="self._attempts > self._input.policies.retry.limit + 1",
        runs_twice=True,
    ),
    # Order
    Mutant(
        name="one upstream that ended is enough",
        module=_NEXT,
        old="all(stack_ends.ended_well(by_id[upstream]) "
        "for upstream in policy.awaited(chain, stack))",
        new="(not policy.awaited(chain, stack) or any("
        "stack_ends.ended_well(by_id[up]) for up in policy.awaited(chain, stack)))",
    ),
    Mutant(
        name="a stack that was skipped releases its dependents",
        module="controller/chain/run/stack_ends.py",
        old="stack.phase is Phase.SKIPPED and stack.reason in _RELEASING",
        new="stack.phase is Phase.SKIPPED",
    ),
    Mutant(
        name="a report of an end counts before the execution has closed",
        module=_CHAIN,
        old="if stack is None or not stack.is_started or report.phase.is_over:",
        new="if stack is None or not stack.is_started:",
    ),
    Mutant(
        name="a slot too many",
        module=_NEXT,
        old="            if free <= 0:",
        new="            if free < 0:",
    ),
    Mutant(
        name="a suspended chain continues",
        module=_NEXT,
        old="    if chain.is_suspended:\n",
        new="    if False:\n",
    ),
    Mutant(
        name="a stopped run never ends",
        module=_STATES,
        old="""        RunState.DISCARDED,
        RunState.STOPPED,
""",
        new="        RunState.DISCARDED,\n",
    ),
    Mutant(
        name="what is over is reported anew",
        module=_PROGRESS,
        old="""    if stack.phase.is_over:
        return False
    before""",
        new="    before",
    ),
    # Native runs
    Mutant(
        name="the dependents of a failed stack are not stopped",
        module=_CHAIN,
        old='        self._unwanted.stop(skipped, note="an upstream stack did not succeed")\n',
        new="",
    ),
    Mutant(
        name="a stack's own run is stopped as unwanted",
        module=_NATIVE_STOPS,
        old="if not calls or run.run_id == target.keep_run_id:",
        new="if not calls:",
        runs_twice=True,
    ),
    Mutant(
        name="native runs are canceled from the root down",
        module=_NATIVE_STOPS,
        old="(-item.target.depth, item.key)",
        new="(item.target.depth, item.key)",
    ),
    Mutant(
        name="a run of before the origin passes for its native run",
        module=_ADOPTION,
        old="if item.run_id > begun and (",
        new="if item.run_id != begun and (",
        runs_twice=True,
    ),
    Mutant(
        name="a run that others made Spacelift queue passes for a late one of the chain",
        module=_ADOPTION,
        old="is_possible = other > origin and own is None",
        new="is_possible = False",
        runs_twice=True,
    ),
    Mutant(
        name="someone else's run passes for a native one",
        module=_ADOPTION,
        old="own = [item for item in ordered if item.triggered_by in queuers]",
        new="own = list(ordered)",
        runs_twice=True,
    ),
    Mutant(
        name="a run that got ahead of its upstreams is adopted",
        module=_ADOPTION,
        old="        if ended_at is None or started_at < ended_at:\n",
        new="        if ended_at is None:\n",
    ),
    Mutant(
        name="a run that the chain triggered starts no wave",
        module=_QUEUED,
        old="        self._origins[stack.run_id] = stack.id\n        self.reach(stack.id)\n",
        new="        self.reach(stack.id)\n",
        runs_twice=True,
    ),
    Mutant(
        name="the chain triggers while an unwanted run may continue",
        module=_NEXT,
        old="(stack.adopts_from is not None or stack.id not in held_back)",
        new="True",
        runs_twice=True,
    ),
    Mutant(
        name="what is late is not looked for again",
        module=_UNWANTED,
        old="                if self._stops.ask_for_missing(stack.id):\n",
        new="                if False:\n",
    ),
    # Cancel, delete, steer
    Mutant(
        name="a suspended run that no one can resume stays open",
        module=_CHAIN,
        old="(self._progress.is_abandoned and progress.is_idle(self._progress))",
        new="(self._progress.is_abandoned and progress.is_over(self._progress))",
    ),
    Mutant(
        name="a cancel starts nothing more and stops nothing",
        module=_CHAIN,
        old="        self._interruption.interrupt()\n\n    # What executions before",
        new="\n    # What executions before",
    ),
    Mutant(
        name="the run of a trigger in flight is not stopped",
        module=_EXECUTION,
        old="self._trigger is not None and self._trigger.may_be_sent:",
        new="self._trigger is not None and False:",
    ),
    Mutant(
        name="a chain closes before its runs are stopped",
        module=_CHAIN,
        old="        await self._runner.wait()\n        if self._reset",
        new="        if self._reset",
    ),
    Mutant(
        name="the runs continue when their chain is terminated",
        module=_RUNNER,
        old="workflow.ParentClosePolicy.REQUEST_CANCEL",
        new="workflow.ParentClosePolicy.ABANDON",
    ),
    Mutant(
        name="a cancel of an earlier run cancels the newest",
        module=_TOKENS,
        old="if named is not None and is_live:",
        new="if is_live:",
    ),
    Mutant(
        name="a resource goes before its runs are stopped",
        module=_DELETION,
        old="        return execution\n\n    async def _known(",
        new="        return None\n\n    async def _known(",
    ),
    Mutant(
        name="a resource that is being deleted may still run",
        module=_RECONCILER,
        old="            if deletion.is_going(body):\n",
        new="            if False:\n",
        runs_twice=True,
    ),
    Mutant(
        name="a retry replaces the live run",
        module=_DECIDE,
        old="_NEVER_REPLACING = (v1alpha1.Cause.RETRY, v1alpha1.Cause.ROOT_RUN_FINISHED)",
        new="_NEVER_REPLACING = (v1alpha1.Cause.ROOT_RUN_FINISHED,)",
    ),
    Mutant(
        name="a run that needs a review is confirmed",
        module=_CONFIRMS,
        old="    if not current.needs_confirmation:\n"
        "        return messages.ConfirmStackRunResult(run=current)\n    excess",
        new="    excess",
    ),
    # Status
    Mutant(
        name="the last publish is left out",
        module=_PUBLISHING,
        old="if self._unwanted is not None or self._is_orphan:\n            return",
        new="if True:\n            return",
    ),
    Mutant(
        name="a status is written over another one's",
        module=_WRITER,
        old="""        except kube_errors.Conflict:
            self._counters.status_writes.labels("conflict").inc()
            raise""",
        new="""        except kube_errors.Conflict:
            self._counters.status_writes.labels("conflict").inc()
            return True""",
    ),
)
