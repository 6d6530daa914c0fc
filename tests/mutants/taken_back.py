"""Fixes that are taken back: what an interleaving once did wrong, and what has kept it right since.

Each was found by schedules of people, edits, native runs, kills and lost answers.
"""

from tests.mutants.mutant import Mutant
from tests.simulation.world import making_resets

_CHAIN = "controller/temporal/workflows/stack_dependency_chain.py"
_EXECUTION = "controller/temporal/workflows/stack_execution.py"
_UNWANTED = "controller/temporal/workflows/unwanted_runs.py"
_ACTIVITIES = "controller/temporal/workflows/stack_activities.py"
_OPERATIONS = "controller/temporal/activities/stack_operations.py"
_TRIGGERS = "controller/temporal/activities/stack_triggers.py"
_NATIVE_STOPS = "controller/temporal/activities/native_run_stops.py"
_WAITS = "controller/temporal/activities/execution_waits.py"
_QUEUED = "controller/chain/run/unwanted_runs.py"
_NEWER = "controller/chain/run/newer_runs.py"
_REPORTS = "controller/chain/run/stack_reports.py"
_OPEN_STOPS = "controller/chain/run/native_stops.py"
_ADOPTION = "controller/chain/graph/adoption.py"
_HANDLED = "controller/chain/requests/handled_asks.py"
_EXECUTIONS = "controller/chain/requests/executions.py"
_PASS = "controller/operator/pass_decision.py"
_WATCHES = "controller/operator/watches.py"
_RESYNC = "controller/operator/resync.py"
_TIMES = "controller/times.py"

MUTANTS = (
    # A trigger in flight, and what it has queued
    Mutant(
        name="what a trigger in flight has queued continues after a cancel",
        module=_CHAIN,
        old="if self._progress.is_canceling or report.is_stopping:",
        new="if False:",
    ),
    Mutant(
        name="a run is stopped before what waits behind it",
        module=_EXECUTION,
        old="self._is_asking = bool(run.stop_calls)",
        new="self._is_asking = False",
    ),
    Mutant(
        name="the end of a trigger that comes with the cancel is dropped",
        module=_ACTIVITIES,
        old="return await activity_calls.end_of(attempt)",
        new="return await attempt",
        note="only slower: the run is looked for",
    ),
    # Native runs
    Mutant(
        name="a run that is late keeps the others from being canceled",
        module=_NATIVE_STOPS,
        old="ends = await self._call([item for item in seen if item.due is not None])",
        new="late = any(item.found.is_open for item in seen)\n"
        "            ends = await self._call(\n"
        "                [item for item in seen if item.due is not None and not late]\n"
        "            )",
    ),
    Mutant(
        name="a run on a disabled stack is waited for",
        module=_NATIVE_STOPS,
        old="is_late = target.is_expected and not page.is_disabled and",
        new="is_late = target.is_expected and",
        note="only slower",
    ),
    Mutant(
        name="unwanted native runs are stopped only when their stack has its turn",
        module=_UNWANTED,
        old="self._ask(stack_id, [stack.run_id], note=_OTHER_RUN_NOTE)",
        new="pass",
    ),
    Mutant(
        name="Strict uses what waits for a run that Spacelift may skip",
        module=_ADOPTION,
        old="is_safe = not is_strict or awaited == {origin}",
        new="is_safe = True",
    ),
    Mutant(
        name="a native run that waits for less than the chain does is used",
        module=_ADOPTION,
        old="if is_safe and awaited == ancestry.awaited_upstreams(origin, stack_id):",
        new="if is_safe:",
    ),
    Mutant(
        name="what a retry keeps is left to native runs of the retry",
        module=_QUEUED,
        old="            if _used_origin(stacks.get(stack_id)) != origin\n",
        new="            if _used_origin(stacks.get(stack_id)) != origin\n"
        "            and not (stack_id in stacks and stacks[stack_id].phase.is_over)\n",
    ),
    Mutant(
        name="a stack is run again though its native run was in order",
        module=_OPERATIONS,
        old="        adopted = await stack_stops.find_in_order(\n"
        "            account, argument.ahead_runs, argument.upstream_runs\n"
        "        )\n",
        new="        adopted = None\n",
        runs_twice=True,
    ),
    Mutant(
        name="each wave asks for the runs of all earlier ones again",
        module=_OPEN_STOPS,
        old="            if settled is not None and settled.run_id:\n                continue\n",
        new="",
    ),
    Mutant(
        name="what has come late is not looked for at the end",
        module=_UNWANTED,
        old="        if self._stops.ask_for_missing():\n",
        new="        if False:\n",
    ),
    Mutant(
        name="the native run of a stack that fails before it has it is left",
        module=_UNWANTED,
        old="        if stack.adopts_from is not None and stack.run_id is None:\n",
        new="        if False:\n",
    ),
    Mutant(
        name="a native run that is repeated counts as one of the chain",
        module=_QUEUED,
        old="return stack.attempts == 1 or stack.reason == reasons.StackReason.RETRY_PENDING",
        new="return False",
        runs_twice=True,
    ),
    # Others at the same stack
    Mutant(
        name="whoever is fastest has the stack next",
        module=_WAITS,
        old="patience = stack_lines.place_of(line, self._input.chain) * self._pace.grace",
        new="patience = 0.0",
    ),
    Mutant(
        name="a retry runs what has succeeded since",
        module=_NEWER,
        old='return run.run_id >= (item.run_id or "")',
        new="return False",
        runs_twice=True,
    ),
    # Resources
    Mutant(
        name="what is created to destroy runs unasked",
        module=_HANDLED,
        old="return is_new and (chain.is_restored or "
        "chain.spec.operation is v1alpha1.Operation.DESTROY)",
        new="return is_new and chain.is_restored",
        runs_twice=True,
    ),
    Mutant(
        name="a resource whose deletion no watch has shown is never missed",
        module=_RESYNC,
        old="        await self._forget_deleted()\n",
        new="",
        note="a chain without its resource ends on its own; metrics show it",
    ),
    # Resets
    Mutant(
        name="an execution that was reset counts as another one",
        module=_EXECUTIONS,
        old="return execution.is_reset and is_same_run and not latest.phase.is_over",
        new="return False",
        first_seed=making_resets.FIRST_SEED,
    ),
    Mutant(
        name="an execution that was reset forgets the run that it has",
        module=_OPERATIONS,
        old="if earlier is not None and _is_news(earlier, argument.known_run_id):",
        new="if False:",
        runs_twice=True,
        first_seed=making_resets.FIRST_SEED,
    ),
    Mutant(
        name="what a resource said before a reset counts after it",
        module=_CHAIN,
        old="            if self._publishing.is_wanted:\n",
        new="            if True:\n",
        first_seed=making_resets.FIRST_SEED,
    ),
    Mutant(
        name="a native run that was skipped for a failure counts as unchanged",
        module=_REPORTS,
        old="return run.state == RunState.SKIPPED and not _UNCHANGED.search(run.note)",
        new="return False",
    ),
    # What continues without end, or ends too early
    Mutant(
        name="a stack that is gone is looked at for its lost run without end",
        module=_TRIGGERS,
        old="if left <= 0 and isinstance(error, spacelift_errors.SpaceliftObjectNotFound):",
        new="if False:",
    ),
    Mutant(
        name="rechecks go by other clocks alone",
        module=_PASS,
        old="return ended_for >= pause and self._has_paused(chain.ref.uid, latest)",
        new="return ended_for >= pause",
    ),
    Mutant(
        name="a watch that kopf has canceled is over for good",
        module=_WATCHES,
        old="                if _is_canceled():\n                    raise\n",
        new="                raise\n",
    ),
    Mutant(
        name="a watch that fails ends the operator",
        module=_WATCHES,
        old="            except Exception as error:\n                # Whatever failed:",
        new="            except ConnectionError as error:\n                # Whatever failed:",
        note="schedules restart what exits on its own, as Kubernetes does",
    ),
    Mutant(
        name="a pause of no seconds is taken at its word",
        module=_TIMES,
        old="return max(own, min(asked or 0.0, LONGEST_PAUSE_SECONDS))",
        new="return own if asked is None else min(asked, LONGEST_PAUSE_SECONDS)",
    ),
)
