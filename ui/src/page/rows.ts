/** The table of a chain's stacks: what is in it, and in which order. Pure. */

import { type Stack, own } from "../graph/model.js";
import { compare } from "../graph/ordering.js";
import { lookOf } from "../graph/phases.js";
import { matches, seconds } from "../shared/format.js";

export const COLUMNS = ["stack", "phase", "why", "level", "changes", "started", "took"] as const;
export type Column = (typeof COLUMNS)[number];

export function tableOf(
  stacks: readonly Stack[],
  wanted: { query: string; only: readonly string[]; sort: string },
  now: number,
): Stack[] {
  const found = stacks.filter(
    (stack) =>
      (wanted.only.length === 0 || wanted.only.includes(stack.phase)) &&
      matches(wanted.query, stack.id, stack.name, stack.reason, stack.message, stack.blockedBy),
  );
  const isDown = wanted.sort.startsWith("-");
  const column = wanted.sort.replace(/^-/, "");
  const usual = (a: Stack, b: Stack): number =>
    lookOf(a.phase).rank - lookOf(b.phase).rank || a.level - b.level || compare(a.id, b.id);
  const order = own(ORDERS, column);
  return found.sort((a, b) => {
    const between = order ? order(a, b, now) : 0;
    return (isDown ? -between : between) || usual(a, b);
  });
}

type Order = (a: Stack, b: Stack, now: number) => number;

const ORDERS: Readonly<Record<string, Order>> = {
  stack: (a, b) => compare(a.id, b.id),
  phase: (a, b) => lookOf(a.phase).rank - lookOf(b.phase).rank,
  why: (a, b) => compare(a.reason, b.reason),
  level: (a, b) => a.level - b.level,
  changes: (a, b) => total(a) - total(b),
  started: (a, b) => compare(a.startTime || "~", b.startTime || "~"),
  took: (a, b, now) => ran(a, now) - ran(b, now),
};

function ran(stack: Stack, now: number): number {
  const took = stack.phase === "Skipped" ? null : seconds(stack.startTime, stack.completionTime, now);
  return took ?? -1;
}

function total(stack: Stack): number {
  return stack.delta ? stack.delta.added + stack.delta.changed + stack.delta.deleted : -1;
}
