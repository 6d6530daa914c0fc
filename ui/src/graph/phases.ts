/** What a phase is to the reader: a word, a glyph and a tone, each of which says it alone. */

import { own } from "./model.js";

export type Tone = "good" | "bad" | "active" | "attention" | "faint";

export interface PhaseLook {
  readonly word: string;
  readonly glyph: string;
  readonly tone: Tone;
  /** Worst first. */
  readonly rank: number;
}

const LOOKS: Readonly<Record<string, PhaseLook>> = {
  Failed: { word: "Failed", glyph: "cross", tone: "bad", rank: 0 },
  TimedOut: { word: "Timed out", glyph: "clock", tone: "bad", rank: 1 },
  Canceled: { word: "Canceled", glyph: "stop", tone: "bad", rank: 2 },
  AwaitingConfirmation: { word: "Awaits confirmation", glyph: "person", tone: "attention", rank: 3 },
  Waiting: { word: "Waiting", glyph: "hourglass", tone: "attention", rank: 4 },
  Running: { word: "Running", glyph: "play", tone: "active", rank: 5 },
  Pending: { word: "Pending", glyph: "dot", tone: "faint", rank: 6 },
  Skipped: { word: "Skipped", glyph: "dash", tone: "faint", rank: 7 },
  Succeeded: { word: "Succeeded", glyph: "check", tone: "good", rank: 8 },
};

/** Paths in a box of 16 by 16, drawn as lines. */
export const GLYPHS: Readonly<Record<string, string>> = {
  cross: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  clock: "M8 2.5a5.5 5.5 0 1 1-.01 0M8 5v3.2l2.2 1.6",
  stop: "M4.5 4.5h7v7h-7z",
  person: "M8 3a2.3 2.3 0 1 1-.01 0M3.8 13c.3-2.6 2-4 4.2-4s3.9 1.4 4.2 4",
  hourglass: "M4.5 3h7M4.5 13h7M5.5 3c0 3 5 4 5 10M10.5 3c0 3-5 4-5 10",
  play: "M5.5 3.8v8.4l6.5-4.2z",
  dot: "M8 7.2a.8.8 0 1 1-.01 0",
  dash: "M4.5 8h7",
  check: "M3.5 8.5l3 3 6-7",
  question: "M6 6a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1V9.5M8 12v.1",
};

/** Of a phase that only a newer operator knows. */
export function lookOf(phase: string): PhaseLook {
  return own(LOOKS, phase) ?? { word: phase, glyph: "question", tone: "attention", rank: 3 };
}

const SOURCES: Readonly<Record<string, string>> = {
  Adopted: "Spacelift or a person: adopted",
  Triggered: "the chain: triggered",
};

/** Who started a run; what only a newer operator knows is as it says it. */
export function sourceOf(runSource: string): string {
  return own(SOURCES, runSource) ?? runSource;
}

export function isOver(phase: string): boolean {
  return ["Succeeded", "Failed", "Skipped", "Canceled", "TimedOut"].includes(phase);
}
