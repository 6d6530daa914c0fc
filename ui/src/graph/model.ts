/**
 * A StackChain as the API server has it, read with care: its texts come from Spacelift, and its
 * status may be of a newer operator. What is not there or has another type is left out.
 */

export interface Delta {
  readonly added: number;
  readonly changed: number;
  readonly deleted: number;
}

/** What outside of the chain holds a stack up: a run, a lock, another chain. */
export interface Holder {
  /** Whether it does not end on its own. */
  readonly needsPerson: boolean;
  /** Where it can be ended; empty if that is not known. */
  readonly url: string;
}

/** A run that Spacelift carried out because of the chain, and that no stack used. */
export interface UnusedRun {
  readonly runId: string;
  readonly runState: string;
  readonly runUrl: string;
}

export interface Stack {
  readonly id: string;
  readonly name: string;
  readonly level: number;
  readonly phase: string;
  readonly dependsOn: readonly string[];
  readonly reason: string;
  readonly message: string;
  readonly runId: string;
  readonly runSource: string;
  readonly runState: string;
  readonly runUrl: string;
  readonly attempts: number;
  readonly startTime: string;
  readonly completionTime: string;
  readonly delta: Delta | null;
  /** The stack because of which it was skipped; empty if there is none. */
  readonly blockedBy: string;
  readonly heldBy: Holder | null;
  readonly unusedRuns: readonly UnusedRun[];
}

export interface Run {
  readonly number: number;
  readonly cause: string;
  readonly operation: string;
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly progress: string;
  readonly startTime: string;
  readonly completionTime: string;
  /** When it is likely to end; empty if that is unknown, or if it has ended. */
  readonly estimatedCompletionTime: string;
  readonly workflowUrl: string;
  /** What it has changed, or a plan would; empty if that is unknown. */
  readonly changes: string;
  /** How many stacks are in which phase; empty if that is unknown. */
  readonly summary: Readonly<Record<string, number>>;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface Chain {
  readonly namespace: string;
  readonly name: string;
  readonly ready: Condition | null;
  readonly run: Run | null;
  readonly nextTime: string;
  readonly history: readonly Run[];
  readonly stacks: readonly Stack[];
  /** Whether the stacks are those of the run before, since the latest has not read its own yet. */
  readonly isBeforeStacks: boolean;
}

type Json = Readonly<Record<string, unknown>>;

export function readChain(resource: unknown): Chain {
  const body = object(resource);
  const metadata = object(body["metadata"]);
  const status = object(body["status"]);
  const run = isObject(status["latestRun"]) ? readRun(status["latestRun"]) : null;
  const stacks = list(status["stacks"]).map(readStack).filter((stack) => stack.id !== "");
  const resolved = Date.parse(text(object(status["graph"])["resolvedTime"]));
  const isRead = run !== null && run.startTime !== "" && resolved >= Date.parse(run.startTime);
  return {
    namespace: text(metadata["namespace"]),
    name: text(metadata["name"]),
    ready: conditions(status).find((condition) => condition.type === "Ready") ?? null,
    run,
    nextTime: text(object(status["schedule"])["nextTime"]),
    history: list(status["history"]).map(readRun),
    stacks: isRead ? unique(stacks) : [],
    isBeforeStacks: run !== null && !isRead,
  };
}

function conditions(status: Json): Condition[] {
  return list(status["conditions"]).map((item) => {
    const condition = object(item);
    return {
      type: text(condition["type"]),
      status: text(condition["status"]),
      reason: text(condition["reason"]),
      message: text(condition["message"]),
    };
  });
}

function readStack(item: unknown): Stack {
  const stack = object(item);
  const id = text(stack["id"]);
  const delta = object(stack["delta"]);
  const heldBy = object(stack["heldBy"]);
  return {
    id,
    name: text(stack["name"]) || id,
    level: Math.max(0, Math.trunc(number(stack["level"], 0))),
    phase: text(stack["phase"]) || "Pending",
    dependsOn: list(stack["dependsOn"]).filter((one): one is string => typeof one === "string"),
    reason: text(stack["reason"]),
    message: text(stack["message"]),
    runId: text(stack["runId"]),
    runSource: text(stack["runSource"]),
    runState: text(stack["runState"]),
    runUrl: link(stack["runUrl"]),
    attempts: number(stack["attempts"], 1),
    startTime: text(stack["startTime"]),
    completionTime: text(stack["completionTime"]),
    delta: isObject(stack["delta"])
      ? {
          added: number(delta["added"], 0),
          changed: number(delta["changed"], 0),
          deleted: number(delta["deleted"], 0),
        }
      : null,
    blockedBy: text(stack["blockedBy"]),
    heldBy: isObject(stack["heldBy"])
      ? { needsPerson: heldBy["needsPerson"] === true, url: link(heldBy["url"]) }
      : null,
    unusedRuns: list(stack["unusedRuns"]).map((one) => {
      const run = object(one);
      return { runId: text(run["runId"]), runState: text(run["runState"]), runUrl: link(run["runUrl"]) };
    }),
  };
}

function readRun(item: unknown): Run {
  const run = object(item);
  return {
    number: number(run["number"], 0),
    cause: text(run["cause"]),
    operation: text(run["operation"]) || "Apply",
    phase: text(run["phase"]) || "Pending",
    reason: text(run["reason"]),
    message: text(run["message"]),
    progress: text(run["progress"]),
    startTime: text(run["startTime"]),
    completionTime: text(run["completionTime"]),
    estimatedCompletionTime: text(run["estimatedCompletionTime"]),
    workflowUrl: link(run["workflowUrl"]),
    changes: text(object(run["changes"])["text"]),
    summary: Object.fromEntries(
      Object.entries(object(run["summary"])).filter((one): one is [string, number] => typeof one[1] === "number"),
    ),
  };
}

/** A link that may be followed: nothing but http and https, and no user or password in it. */
export function link(value: unknown): string {
  if (typeof value !== "string" || !URL.canParse(value)) {
    return "";
  }
  const url = new URL(value);
  const isWeb = url.protocol === "https:" || url.protocol === "http:";
  return isWeb && url.username === "" && url.password === "" ? url.href : "";
}

function unique(stacks: readonly Stack[]): Stack[] {
  return [...new Map(stacks.map((stack) => [stack.id, stack])).values()];
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What a record has for a key from outside, such as `constructor`: not what all objects have. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

export function number(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}
