/** What differs between a run and the one before it, in words. Pure. */

import type { Run } from "../graph/model.js";
import { lookOf } from "../graph/phases.js";
import { duration, seconds } from "../shared/format.js";

/** Phases of stacks whose counts say how a run went, worst first. */
const TELLING = ["failed", "timedOut", "canceled", "skipped"] as const;
const ALL = [
  ...TELLING,
  "awaitingConfirmation",
  "waiting",
  "running",
  "pending",
  "succeeded",
] as const;

/** Empty where nothing can be compared: of the first run, and of one that has not ended. */
export function differences(run: Run, before: Run | undefined): string[] {
  if (!before || !run.completionTime || !before.completionTime) {
    return [];
  }
  const found: string[] = [];
  if (run.operation !== before.operation) {
    found.push(`${run.operation} instead of ${before.operation}`);
  }
  const took = seconds(run.startTime, run.completionTime, 0);
  const tookBefore = seconds(before.startTime, before.completionTime, 0);
  if (took !== null && tookBefore !== null && took !== tookBefore) {
    found.push(`${duration(Math.abs(took - tookBefore))} ${took > tookBefore ? "longer" : "shorter"}`);
  }
  const [counts, countsBefore] = [run.summary, before.summary];
  if (counts["total"] !== undefined && countsBefore["total"] !== undefined) {
    const more = counts["total"] - countsBefore["total"];
    if (more !== 0) {
      found.push(`${Math.abs(more)} ${more > 0 ? "more" : "fewer"} ${Math.abs(more) === 1 ? "stack" : "stacks"}`);
    }
    for (const phase of TELLING) {
      const other = (counts[phase] ?? 0) - (countsBefore[phase] ?? 0);
      if (other !== 0) {
        found.push(`${Math.abs(other)} ${other > 0 ? "more" : "fewer"} ${wordOf(phase).toLowerCase()}`);
      }
    }
  }
  return found.length > 0 ? found : ["no difference"];
}

/** The phases that a run's stacks have, worst first, with how many. */
export function phaseCounts(run: Run): { phase: string; count: number }[] {
  return ALL.map((key) => ({ phase: phaseOf(key), count: run.summary[key] ?? 0 })).filter(
    ({ count }) => count > 0,
  );
}

function phaseOf(key: string): string {
  return `${key.charAt(0).toUpperCase()}${key.slice(1)}`;
}

function wordOf(key: string): string {
  return lookOf(phaseOf(key)).word;
}
