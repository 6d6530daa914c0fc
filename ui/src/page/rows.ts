/** The table of a chain's stacks, and the list of chains: what is in them, and in which order. Pure. */

import { type Stack, own } from "../graph/model.js";
import { compare } from "../graph/ordering.js";
import { lookOf } from "../graph/phases.js";
import { age, duration, matches, seconds } from "../shared/format.js";
import { type Row, STATES } from "./documents.js";

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

/** Whether a chain has each of the words: in its name, in what its row says, or in its message. */
export function isFound(row: Row, query: string): boolean {
  const word = (STATES[row.state] ?? STATES.unreadable).word;
  return matches(query, row.name, row.namespace, word, row.reason, row.headline, row.operation);
}

/** When a chain ran, runs or will run: what matters most, and what else there is to say. */
export function timesOf(row: Row, now: number): [string, string] {
  const took = duration(seconds(row.startTime, row.completionTime, now));
  const next = nextOf(row, now);
  const last = row.succeededTime
    ? `last succeeded ${age(row.succeededTime, now)} ago`
    : "has not succeeded yet";
  if (!row.startTime) {
    const made = row.createdTime ? `created ${age(row.createdTime, now)} ago` : "";
    return next ? [next, made] : [made, ""];
  }
  if (!row.completionTime) {
    const since = age(row.startTime, now);
    // One that is suspended may run nothing.
    const isSuspended = row.state === "suspended";
    return [isSuspended ? `started ${since} ago` : `running for ${since}`, estimateOf(row, now) || last];
  }
  if (row.succeededTime === row.completionTime) {
    return [`succeeded ${age(row.succeededTime, now)} ago`, next || `took ${took}`];
  }
  return [`ended ${age(row.completionTime, now)} ago`, next || last];
}

function nextOf(row: Row, now: number): string {
  const left = Math.floor((Date.parse(row.nextTime) - now) / 1000);
  // One that is suspended does not start on time.
  if (!Number.isFinite(left) || row.state === "suspended") {
    return "";
  }
  return left > 0 ? `next run in ${rough(left)}` : "next run is due";
}

function estimateOf(row: Row, now: number): string {
  const left = Math.floor((Date.parse(row.estimatedCompletionTime) - now) / 1000);
  if (!Number.isFinite(left)) {
    return "";
  }
  return left > 0 ? `likely to end in ${rough(left)}` : "longer than estimated";
}

/** The largest unit alone. */
function rough(left: number): string {
  return age(new Date(0).toISOString(), left * 1000);
}
