/** The run over time: which stack ran when, and which of them made it as long as it was. Pure. */

import type { Run, Stack } from "../graph/model.js";
import { compare } from "../graph/ordering.js";

export interface Bar {
  readonly stack: Stack;
  /** Parts of the whole, 0 to 1. */
  readonly start: number;
  readonly end: number;
  readonly isCritical: boolean;
  /** On the critical path: when what it waited for had ended, as a part of the whole. */
  readonly waitedFrom: number;
}

export interface Timeline {
  readonly bars: readonly Bar[];
  /** When the run started, or its first stack did. */
  readonly from: number;
  readonly until: number;
  /** How many stacks have not started, or were never to start. */
  readonly others: number;
}

export function timelineOf(
  stacks: readonly Stack[],
  run: Pick<Run, "startTime" | "completionTime"> | null,
  now: number,
): Timeline {
  const timed = stacks.filter(
    (stack) => Number.isFinite(Date.parse(stack.startTime)) && stack.phase !== "Skipped",
  );
  const endOf = (stack: Stack): number =>
    stack.completionTime ? Date.parse(stack.completionTime) : now;
  const started = Date.parse(run?.startTime ?? "");
  const from = Math.min(
    ...timed.map((stack) => Date.parse(stack.startTime)),
    ...(Number.isFinite(started) ? [started] : []),
  );
  // Also while nothing runs: a live run may wait for a person or a window.
  const ended = run?.completionTime ? Date.parse(run.completionTime) : run ? now : NaN;
  const until = Math.max(...timed.map(endOf), Number.isFinite(ended) ? ended : 0, from + 1000);
  const critical = criticalPath(timed, endOf);
  const ends = new Map(timed.map((stack) => [stack.id, endOf(stack)]));
  const readyAt = (stack: Stack): number =>
    Math.max(from, ...stack.dependsOn.map((id) => ends.get(id) ?? from));
  const bars = timed
    .map((stack) => ({
      stack,
      start: (Date.parse(stack.startTime) - from) / (until - from),
      end: (Math.max(Date.parse(stack.startTime), endOf(stack)) - from) / (until - from),
      isCritical: critical.has(stack.id),
      waitedFrom: (readyAt(stack) - from) / (until - from),
    }))
    .sort((a, b) => a.start - b.start || a.end - b.end || compare(a.stack.id, b.stack.id));
  return {
    bars,
    from: timed.length > 0 ? from : now,
    until: timed.length > 0 ? until : now,
    others: stacks.length - timed.length,
  };
}

/** From the stack that ended last, back over the upstream stack that ended last, to a root. */
export function criticalPath(
  stacks: readonly Stack[],
  endOf: (stack: Stack) => number,
): Set<string> {
  const known = new Map(stacks.map((stack) => [stack.id, stack]));
  const last = (ids: readonly string[]): Stack | undefined =>
    ids
      .map((id) => known.get(id))
      .filter((stack) => stack !== undefined)
      .sort((a, b) => endOf(b) - endOf(a) || compare(a.id, b.id))[0];
  const path = new Set<string>();
  let stack = last([...known.keys()]);
  while (stack && !path.has(stack.id)) {
    path.add(stack.id);
    stack = last(stack.dependsOn);
  }
  return path;
}

/** Round steps for an axis: at most so many, in seconds. */
export function ticks(total: number, most: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
  const step = steps.find((one) => total / one <= most) ?? Math.ceil(total / most / 86400) * 86400;
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, place) => place * step);
}

/** What a clock shows at a time, as exactly as the distance of the marks needs it. */
export function clock(time: number, step: number): string {
  if (step >= 86400) {
    return new Date(time).toLocaleDateString("en-US", { month: "short", day: "numeric" });
  }
  return new Date(time).toLocaleTimeString("en-US", {
    hour: "2-digit",
    minute: "2-digit",
    ...(step % 60 === 0 ? {} : { second: "2-digit" }),
    hourCycle: "h23",
  });
}
