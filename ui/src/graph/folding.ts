/**
 * Which stacks the graph shows one by one, and which it counts. Pure.
 *
 * Siblings are stacks of one level. Those that have finished, have yet to start, or were skipped
 * because of another are folded into one counted group each.
 */

import type { Stack } from "./model.js";

export type GroupKind = "finished" | "pending" | "skipped";

/** Above so many stacks a graph opens folded to what is not fine. */
export const MOST_UNFOLDED = 60;
const LEAST_IN_GROUP = 2;

/** What is drawn as one box: a stack, or a group of them. */
export interface Item {
  readonly key: string;
  readonly level: number;
  readonly upstreams: readonly string[];
  readonly stacks: readonly Stack[];
  /** None for a single stack. */
  readonly kind: GroupKind | null;
}

export interface Folding {
  readonly isFolded: boolean;
  /** Groups that were opened. */
  readonly opened: ReadonlySet<string>;
  /** Stacks that are shown already: they stay, so that nothing jumps while someone looks at it. */
  readonly shown: ReadonlySet<string>;
}

export function groupKey(level: number, kind: GroupKind): string {
  return `group:${level}:${kind}`;
}

/** Reasons of skipped stacks that hold up nothing. */
const COUNTS_AS_DONE: ReadonlySet<string> = new Set(["OutputUnchanged", "Bypassed"]);

export function kindOf(stack: Stack): GroupKind | null {
  switch (stack.phase) {
    case "Succeeded":
      return "finished";
    case "Pending":
      return "pending";
    case "Skipped":
      return COUNTS_AS_DONE.has(stack.reason ?? "") ? "finished" : "skipped";
    default:
      return null;
  }
}

export function fold(stacks: readonly Stack[], folding: Folding): Item[] {
  const groups = folding.isFolded ? groupsOf(stacks, folding) : new Map<string, Stack[]>();
  const keys = new Map<string, string>();
  for (const stack of stacks) {
    keys.set(stack.id, stack.id);
  }
  for (const [key, members] of groups) {
    members.forEach((stack) => keys.set(stack.id, key));
  }
  const items = new Map<string, { stacks: Stack[]; upstreams: Set<string> }>();
  for (const stack of stacks) {
    const key = keys.get(stack.id) ?? stack.id;
    const item = items.get(key) ?? { stacks: [], upstreams: new Set<string>() };
    items.set(key, item);
    item.stacks.push(stack);
    for (const upstream of stack.dependsOn) {
      const above = keys.get(upstream);
      if (above !== undefined && above !== key) {
        item.upstreams.add(above);
      }
    }
  }
  return [...items].map(([key, item]) => ({
    key,
    level: item.stacks[0]?.level ?? 0,
    upstreams: [...item.upstreams].sort(),
    stacks: item.stacks,
    kind: groups.has(key) && item.stacks[0] ? kindOf(item.stacks[0]) : null,
  }));
}

function groupsOf(stacks: readonly Stack[], folding: Folding): Map<string, Stack[]> {
  const groups = new Map<string, Stack[]>();
  for (const stack of stacks) {
    const kind = kindOf(stack);
    if (kind === null || folding.shown.has(stack.id)) {
      continue;
    }
    const key = groupKey(stack.level, kind);
    if (!folding.opened.has(key)) {
      groups.set(key, [...(groups.get(key) ?? []), stack]);
    }
  }
  for (const [key, members] of groups) {
    if (members.length < LEAST_IN_GROUP) {
      groups.delete(key);
    }
  }
  return groups;
}

/** The stacks above and below a stack, over any number of steps. */
export function relatives(
  stacks: readonly Stack[],
  id: string,
): { upstream: Set<string>; downstream: Set<string> } {
  const ups = new Map(stacks.map((stack) => [stack.id, stack.dependsOn]));
  const downs = new Map<string, string[]>();
  for (const stack of stacks) {
    for (const upstream of stack.dependsOn) {
      const known = downs.get(upstream);
      known ? known.push(stack.id) : downs.set(upstream, [stack.id]);
    }
  }
  return { upstream: reach(id, ups), downstream: reach(id, downs) };
}

function reach(start: string, next: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const todo = [start];
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    for (const one of next.get(id) ?? []) {
      if (one !== start && !found.has(one)) {
        found.add(one);
        todo.push(one);
      }
    }
  }
  return found;
}
