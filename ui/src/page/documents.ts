/** What the server sends. */

import type { Advice } from "../graph/stack-drawer.js";
import type { Meaning, Todo } from "../graph/why.js";

export type ChainState =
  | "failed"
  | "person"
  | "blocked"
  | "running"
  | "suspended"
  | "scheduled"
  | "idle"
  | "fine"
  | "unreadable";

/** A chain in the list. */
export interface Row {
  readonly namespace: string;
  readonly name: string;
  readonly state: ChainState;
  readonly headline: string;
  readonly reason: string;
  readonly operation: string;
  readonly progress: string;
  /** What the run has changed, or a plan would. */
  readonly changes: string;
  readonly summary: Readonly<Record<string, number>>;
  readonly run: number;
  readonly startTime: string;
  readonly completionTime: string;
  /** When a live run is likely to end; empty if that is unknown. */
  readonly estimatedCompletionTime: string;
  readonly createdTime: string;
  readonly nextTime: string;
  readonly succeededTime: string;
}

/** What needs someone, in the words of `explain`: a stack, or a stage that waits for an approval. */
export interface Need extends Advice {
  /** Of the stack; empty for a stage. */
  readonly id: string;
  /** Empty for a stack. */
  readonly stage: string;
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly runUrl: string;
}

/** One chain with what `explain` says of it. */
export interface Detail extends Todo {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly state: ChainState;
  /** The message of `Ready`, without the links that stand below it. */
  readonly headline: string;
  readonly means: string;
  readonly notes: readonly string[];
  readonly needs: readonly Need[];
  readonly advice: Readonly<Record<string, Advice>>;
  /** What the reasons of its stacks mean, by reason. */
  readonly meanings: Readonly<Record<string, Meaning>>;
  readonly possible: Possible;
  readonly stages: readonly Stage[];
  readonly changes: string;
  /** Other chains of the namespace that have to be ready before a run starts. */
  readonly runsAfter: readonly string[];
  readonly problem: string;
}

/** A stage of the latest run, in the words of `tree`. */
export interface Stage {
  readonly name: string;
  readonly phase: string;
  readonly progress: string;
  /** What it waits for; empty if it waits for nothing. */
  readonly waits: string;
  readonly since: string;
  readonly until: string;
  readonly approvedTime: string;
  readonly message: string;
}

/** What can be asked for now by whoever may change the chain. */
export interface Possible {
  readonly actions: readonly string[];
  /** The stages that wait for an approval. */
  readonly approvable: readonly string[];
  readonly parallelism: number;
}

/** What has changed in a chain: all but its stacks, and of those the ones that are new. */
export interface Change {
  readonly detail: Omit<Detail, "advice" | "meanings">;
  readonly stacks: readonly Readonly<Record<string, unknown>>[];
  readonly removed: readonly string[];
  readonly advice: Readonly<Record<string, Advice | null>>;
  readonly meanings: Readonly<Record<string, Meaning>>;
}

export interface Problem {
  /** Empty: there is none any more. */
  readonly text: string;
}

export interface Hello {
  readonly scope: string;
  readonly context: string;
}

export interface ChainEvent {
  readonly time: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** Worst first. */
export const STATES: Readonly<Record<ChainState, { word: string; glyph: string; tone: string }>> = {
  failed: { word: "Failed", glyph: "cross", tone: "bad" },
  person: { word: "Waits for a person", glyph: "person", tone: "attention" },
  blocked: { word: "Blocked", glyph: "hourglass", tone: "attention" },
  unreadable: { word: "Unreadable", glyph: "question", tone: "attention" },
  running: { word: "Running", glyph: "play", tone: "active" },
  suspended: { word: "Suspended", glyph: "stop", tone: "faint" },
  scheduled: { word: "Scheduled", glyph: "clock", tone: "faint" },
  idle: { word: "Not requested", glyph: "dot", tone: "faint" },
  fine: { word: "Succeeded", glyph: "check", tone: "good" },
};
export const STATE_ORDER = Object.keys(STATES) as ChainState[];
