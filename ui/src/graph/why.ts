/** Why a stack is where it is, and what to do, in sentences. Pure. */

import { oneLine } from "../shared/format.js";
import { type Stack, own } from "./model.js";

/** What a reason means and what to do about it, in the words of `explain`. */
export interface Meaning {
  readonly means: string;
  readonly do: string;
}

/** What to do; with `ask`, which names a button, `do` lacks the end of its sentence. */
export interface Todo {
  readonly do: string;
  readonly ask: string;
  readonly command: string;
}

const ENDS: Readonly<Record<string, string>> = {
  Failed: "failed",
  TimedOut: "timed out",
  Canceled: "was canceled",
  Skipped: "was skipped",
};
const TAILS: Readonly<Record<string, string>> = {
  StageNotSucceeded: ", and an earlier stage needs it",
  FailFast: ", and the chain stops at the first failure (`failurePolicy: FailFast`)",
};
/** The phase says it already. */
const PLAIN_REASONS: readonly string[] = ["RunFinished", "RunInProgress"];

/** Why a stack was skipped, as what comes before and after the id of the stack that it names. */
export function because(stack: Stack, blocker: Stack | undefined): readonly [string, string] {
  const [before, after, ...more] = stack.message.split(`'${stack.blockedBy}'`);
  if (before !== undefined && after !== undefined && more.length === 0) {
    return [before, after];
  }
  const end = own(ENDS, blocker?.phase ?? "") ?? "did not succeed";
  return ["Skipped because ", ` ${end}${own(TAILS, stack.reason) ?? ""}.`];
}

/** Why a stack is where it is, on one line. */
export function why(
  stack: Stack,
  stacks: readonly Stack[],
  meanings: Readonly<Record<string, Meaning>>,
): string {
  const attempts = stack.attempts > 1 ? `Attempt ${stack.attempts}. ` : "";
  return attempts + (oneLine(stack.message) || skipped(stack, stacks) || meant(stack, meanings));
}

function skipped(stack: Stack, stacks: readonly Stack[]): string {
  if (!stack.blockedBy) {
    return "";
  }
  const blocker = stacks.find((one) => one.id === stack.blockedBy);
  return oneLine(because(stack, blocker).join(stack.blockedBy));
}

function meant(stack: Stack, meanings: Readonly<Record<string, Meaning>>): string {
  return PLAIN_REASONS.includes(stack.reason)
    ? ""
    : (own(meanings, stack.reason)?.means ?? oneLine(stack.reason));
}

/** What to do as a whole sentence; it names the button only to those who have it. */
export function sentence(todo: Todo, mayAsk: boolean, button = todo.ask): string {
  if (!todo.ask) {
    return todo.command ? `${todo.do} \`${todo.command}\`` : todo.do;
  }
  if (!todo.command) {
    return mayAsk ? `${todo.do}: press ${button}.` : `${todo.do}.`;
  }
  return `${todo.do}: ${mayAsk ? `press ${button}, or run` : "run"} \`${todo.command}\`.`;
}
