import assert from "node:assert/strict";
import { test } from "node:test";

import {
  age,
  changes,
  clockTime,
  codeParts,
  counted,
  duration,
  exactTime,
  matches,
  oneLine,
  seconds,
  whyEmpty,
} from "../src/shared/format.js";
import type { Change, Detail, Row } from "../src/page/documents.js";
import { merge, sortRows } from "../src/page/merging.js";
import { LIST, chainLink, inView, nextSort, readRoute, writeRoute } from "../src/page/route.js";
import { differences, phaseCounts } from "../src/page/comparing.js";
import { isFound, tableOf, timesOf } from "../src/page/rows.js";
import { ticks, timelineOf } from "../src/page/timing.js";
import { readChain } from "../src/graph/model.js";
import { lookOf, sourceOf } from "../src/graph/phases.js";
import { because, sentence, why } from "../src/graph/why.js";
import { parse } from "./stacks.js";

const NOW = Date.parse("2026-01-01T01:00:00Z");

for (const route of [
  LIST,
  { ...LIST, namespace: "a", chain: "b" },
  { ...LIST, query: "x y&z", only: ["failed", "running"], sort: "-took", stack: "ünïcode", run: "7" },
  { ...LIST, namespace: "a", chain: "b", view: "timeline" as const, isCriticalOnly: true },
  { ...LIST, namespace: "a" },
]) {
  test(`the address holds all of it: ${writeRoute(route)}`, () => {
    assert.deepEqual(readRoute(writeRoute(route)), route);
  });
}

test("an address that no one wrote opens the list", () => {
  assert.deepEqual(readRoute("?view=nothing&only=,,&%E0%A4%A"), LIST);
});

test("a column sorts up, down, then not", () => {
  assert.deepEqual(["", "took", "-took"].map((sort) => nextSort(sort, "took")), ["took", "-took", ""]);
});

for (const [total, text] of [
  [null, ""],
  [0, "0s"],
  [59, "59s"],
  [65, "1m05s"],
  [3600 * 2 + 60 * 7, "2h07m"],
  [86400 * 3 + 3600 * 4, "3d04h"],
] as const) {
  test(`a duration: ${text}`, () => {
    assert.equal(duration(total), text);
  });
}

test("other words for numbers and times", () => {
  assert.equal(seconds("2026-01-01T00:00:00Z", "", NOW), 3600);
  assert.equal(seconds("nonsense", "", NOW), null);
  assert.equal(seconds("2026-01-01T00:00:09Z", "2026-01-01T00:00:00Z", NOW), 0);
  assert.equal(age("2025-12-30T00:00:00Z", NOW), "2d");
  assert.equal(changes({ added: 1, changed: 2, deleted: 0 }), "+1 ~2 -0");
  assert.equal(changes({ added: 0, changed: 0, deleted: 0 }), "no changes");
  assert.deepEqual([counted(1, "stack"), counted(1200, "stack")], ["1 stack", "1,200 stacks"]);
  assert.equal(oneLine(" a\n\tb\u0007\u202ec "), "a b c");
});

test("a time of another year has its year", () => {
  assert.match(clockTime("2026-03-01T10:00:00Z", NOW), /^Mar 1, \d\d:00:00$/);
  assert.match(clockTime("2025-03-01T10:00:00Z", NOW), /^Mar 1, 2025, \d\d:00:00$/);
  assert.equal(clockTime("nonsense", NOW), "");
});

test("an exact time has its zone, and is the one that texts of the server have", () => {
  assert.match(exactTime("2026-03-01T10:00:00Z"), /^Mar 1, 2026, \d\d:00:00 \S+ \(2026-03-01T10:00:00Z\)$/);
  assert.equal(exactTime(""), "");
});

for (const [text, code] of [
  ["Set `spec.suspend` to false.", ["spec.suspend"]],
  ["`a` and `b`", ["a", "b"]],
  ["one ` alone", []],
  ["`a` and ` alone", ["a"]],
  ["``", []],
  ["", []],
] as const) {
  test(`code in a text: ${text}`, () => {
    const parts = codeParts(text);

    assert.deepEqual(parts.filter((part) => part.isCode).map((part) => part.text), code);
    assert.equal(parts.map((part) => (part.isCode ? `\`${part.text}\`` : part.text)).join(""), text);
  });
}

const MEANINGS = { UpstreamPending: { means: "An upstream stack has not ended yet.", do: "Nothing." } };

for (const [stack, expected] of [
  [{ reason: "RunFinished" }, ""],
  [{ reason: "RunFailed", message: "No token.", attempts: 2 }, "Attempt 2. No token."],
  [{ reason: "UpstreamPending" }, "An upstream stack has not ended yet."],
  [{ reason: "OfANewerOperator" }, "OfANewerOperator"],
  [{ reason: "constructor" }, "constructor"],
  [{ reason: "UpstreamNotSucceeded", blockedBy: "a" }, "Skipped because a timed out."],
  [{ reason: "UpstreamNotSucceeded", blockedBy: "gone" }, "Skipped because gone did not succeed."],
  [{ reason: "StageNotSucceeded", blockedBy: "a" }, "Skipped because a timed out, and an earlier stage needs it."],
  [{ blockedBy: "a", message: "Not run because 'a' failed." }, "Not run because 'a' failed."],
] as const) {
  test(`why a stack is where it is: ${expected || "its phase says it"}`, () => {
    const stacks = parse([{ id: "a", phase: "TimedOut" }, { id: "b", ...stack }]);

    assert.equal(why(stacks[1]!, stacks, MEANINGS), expected);
  });
}

test("the message of a skipped stack is split at the stack that it names", () => {
  const [named, other] = parse([
    { id: "b", blockedBy: "a", message: "Not run because the run of 'a' was stopped." },
    { id: "c", blockedBy: "a", message: "Run 3 was canceled." },
  ]);

  assert.deepEqual(because(named!, undefined), ["Not run because the run of ", " was stopped."]);
  assert.deepEqual(because(other!, undefined), ["Skipped because ", " did not succeed."]);
});

test("what to do names the button to those who have it", () => {
  const todo = { do: "Fix the cause. Then retry it", ask: "Retry", command: "kubectl x" };

  assert.equal(sentence(todo, true), "Fix the cause. Then retry it: press Retry, or run `kubectl x`.");
  assert.equal(sentence(todo, false), "Fix the cause. Then retry it: run `kubectl x`.");
  assert.equal(sentence({ ...todo, command: "" }, true), "Fix the cause. Then retry it: press Retry.");
  assert.equal(sentence({ do: "Nothing.", ask: "", command: "" }, true), "Nothing.");
  assert.equal(sentence({ do: "Look.", ask: "", command: "kubectl x" }, true), "Look. `kubectl x`");
});

test("links to other chains", () => {
  assert.equal(chainLink("team-b/other"), writeRoute({ ...LIST, namespace: "team-b", chain: "other" }));
  assert.deepEqual(["", "other", "a/b/c"].map(chainLink), ["", "", ""]);
});

test("what holds a stack up is read with care", () => {
  const [stack] = parse([
    {
      id: "a",
      heldBy: { needsPerson: "yes", url: "javascript:alert(1)" },
      unusedRuns: [{ runId: "01J", runUrl: "https://x" }, 7],
    },
  ]);

  assert.deepEqual(stack!.heldBy, { needsPerson: false, url: "" });
  assert.deepEqual(stack!.unusedRuns.map((run) => run.runUrl), ["https://x/", ""]);
});

function row(name: string, state: string): Row {
  return { namespace: "n", name, state } as unknown as Row;
}

test("chains are listed worst first, then by name; a state that is not known comes last", () => {
  const rows = ["fine", "new", "running", "failed", "person", "blocked"].map((one) => row(one, one));

  assert.deepEqual(
    sortRows([...rows, row("a", "failed")]).map((one) => one.name),
    ["a", "failed", "person", "blocked", "running", "fine", "new"],
  );
});

test("a change replaces what is in it and keeps the rest", () => {
  const known = {
    state: "running",
    resource: {
      metadata: { name: "c" },
      status: { stacks: [{ id: "a", phase: "Running" }, { id: "b" }, { id: "c" }], graph: { stacks: 3 } },
    },
    advice: { a: { means: "old", do: "", holds: [], held: 0 }, b: { means: "kept", do: "", holds: [], held: 0 } },
    meanings: { RunFailed: { means: "old", do: "" }, Kept: { means: "kept", do: "" } },
  } as unknown as Detail;
  const change = {
    detail: { state: "fine", resource: { metadata: { name: "c" }, status: { graph: { stacks: 3 } } } },
    stacks: [{ id: "a", phase: "Succeeded" }, { id: "d" }],
    removed: ["c"],
    advice: { a: null },
    meanings: { RunFailed: { means: "new", do: "" } },
  } as unknown as Change;

  const merged = merge(known, change);

  assert.equal(merged.state, "fine");
  assert.deepEqual((merged.resource["status"] as { stacks: unknown }).stacks, [
    { id: "a", phase: "Succeeded" },
    { id: "b" },
    { id: "d" },
  ]);
  assert.deepEqual(Object.keys(merged.advice), ["b"]);
  assert.deepEqual(Object.values(merged.meanings).map((one) => one.means), ["new", "kept"]);
});

for (const [status, text] of [
  [{}, "No run has read the stacks of this chain yet."],
  [{ latestRun: { phase: "Running", startTime: "2026-01-01T00:00:00Z" } }, "The run has not read its stacks yet."],
  [
    { latestRun: { phase: "Failed", startTime: "2026-01-01T00:00:00Z" } },
    "The run ended before it had read its stacks.",
  ],
  [
    {
      latestRun: { phase: "Succeeded", startTime: "2026-01-01T00:00:00Z" },
      graph: { resolvedTime: "2026-01-01T00:00:01Z" },
    },
    "The run has no stacks.",
  ],
] as const) {
  test(`a chain without stacks: ${text}`, () => {
    assert.equal(whyEmpty(readChain({ status })), text);
  });
}

for (const [word, text] of [
  ["Adopted", "Spacelift or a person: adopted"],
  ["Triggered", "the chain: triggered"],
  ["Inherited", "Inherited"],
  [undefined, ""],
] as const) {
  test(`the drawer says where a run comes from: ${word}`, () => {
    const [stack] = parse([{ id: "a", runId: "01RUNA", runSource: word }]);
    assert.equal(sourceOf(stack?.runSource ?? "?"), text);
  });
}

test("a phase with the name of something that each object has is one that is not known", () => {
  assert.equal(lookOf("constructor").word, "constructor");
});

test("every word has to be somewhere", () => {
  assert.ok(matches("eu FAILED", "prod-eu-1", "Failed"));
  assert.ok(!matches("eu us", "prod-eu-1"));
  assert.ok(matches("", "anything"));
});

const STACKS = parse([
  { id: "a", phase: "Succeeded", startTime: "2026-01-01T00:00:00Z", completionTime: "2026-01-01T00:01:00Z" },
  { id: "b", level: 1, phase: "Failed", dependsOn: ["a"], startTime: "2026-01-01T00:01:00Z", completionTime: "2026-01-01T00:05:00Z" },
  { id: "c", level: 1, phase: "Succeeded", dependsOn: ["a"], startTime: "2026-01-01T00:01:00Z", completionTime: "2026-01-01T00:02:00Z" },
  { id: "d", level: 2, phase: "Running", dependsOn: ["b", "c"], startTime: "2026-01-01T00:05:00Z" },
  { id: "e", level: 3, phase: "Pending", dependsOn: ["d"] },
  { id: "f", level: 3, phase: "Skipped", dependsOn: ["b"], startTime: "2026-01-01T00:05:00Z" },
]);

for (const [sort, ids] of [
  ["", "b d e f a c"],
  ["stack", "a b c d e f"],
  ["-stack", "f e d c b a"],
  ["level", "a b c d e f"],
  ["took", "e f a c b d"],
  ["unheard-of", "b d e f a c"],
  ["__proto__", "b d e f a c"],
] as const) {
  test(`the table by ${sort || "phase, worst first"}`, () => {
    const wanted = { query: "", only: [], sort };
    const found = tableOf(STACKS, wanted, NOW).map((stack) => stack.id);
    assert.equal(found.join(" "), ids);
  });
}

test("the table by words and phases", () => {
  const ids = (query: string, only: string[]): string[] =>
    tableOf(STACKS, { query, only, sort: "" }, NOW).map((stack) => stack.id);

  assert.deepEqual(ids("", ["Failed", "Running"]), ["b", "d"]);
  assert.deepEqual(ids("c", []), ["c"]);
});

test("the timeline has what ran, by its start, and marks what made it as long as it was", () => {
  const { bars, others, from, until } = timelineOf(STACKS, null, NOW);

  assert.deepEqual(bars.map((bar) => bar.stack.id), ["a", "c", "b", "d"]);
  assert.deepEqual(bars.filter((bar) => bar.isCritical).map((bar) => bar.stack.id), ["a", "b", "d"]);
  assert.deepEqual([others, until - from], [2, 3_600_000]);
  assert.deepEqual([bars[0]?.start, bars.at(-1)?.end], [0, 1]);
});

test("a timeline of nothing, and times that go backward", () => {
  assert.deepEqual(timelineOf([], null, NOW).bars, []);
  const odd = parse([{ id: "a", phase: "Failed", startTime: "2026-01-02T00:00:00Z", completionTime: "2026-01-01T00:00:00Z" }]);
  const bar = timelineOf(odd, null, NOW).bars[0];
  assert.ok(bar && bar.start <= bar.end);
});

test("an axis has round steps and not too many", () => {
  assert.deepEqual(ticks(240, 8), [0, 30, 60, 90, 120, 150, 180, 210, 240]);
  for (const total of [1, 59, 3600, 86400 * 40]) {
    assert.ok(ticks(total, 8).length <= 9);
  }
});

test("a timeline starts with its run, and says what its critical path waited for", () => {
  const { bars, from, until } = timelineOf(STACKS, { startTime: "2025-12-31T23:50:00Z", completionTime: "" }, NOW);

  assert.equal(new Date(from).toISOString(), "2025-12-31T23:50:00.000Z");
  assert.equal(until - from, 4_200_000);
  const [first, , second] = bars;
  assert.ok(first && second);
  assert.deepEqual([first.waitedFrom, first.start], [0, 600_000 / 4_200_000]);
  assert.equal(second.waitedFrom, second.start);
});

test("what is searched for among stacks is not looked for in Events", () => {
  const searched = { ...LIST, chain: "c", view: "table" as const, query: "team-1", stack: "a" };

  assert.equal(inView(searched, "timeline").query, "team-1");
  assert.deepEqual(inView(searched, "events"), { ...searched, view: "events", query: "" });
  assert.equal(inView({ ...searched, view: "events" }, "graph").query, "");
  assert.equal(inView({ ...searched, view: "events" }, "events").query, "team-1");
});

test("a chain is found by what its row says", () => {
  const one = { ...row("billing", "running"), reason: "Progressing", headline: "3 of 6", operation: "Destroy" };
  for (const query of ["running", "progressing", "destroy", "bill 6", "n"]) {
    assert.ok(isFound(one, query), query);
  }
  assert.ok(!isFound(one, "failed"));
  assert.ok(isFound(row("new", "unheard-of"), "unreadable"));
});

const TIMED = { state: "running", startTime: "", completionTime: "", estimatedCompletionTime: "", createdTime: "2025-12-23T01:00:00Z", nextTime: "", succeededTime: "" };
for (const [fields, said] of [
  [{}, ["created 9d ago", ""]],
  [{ nextTime: "2026-01-01T03:00:00Z" }, ["next run in 2h", "created 9d ago"]],
  [{ nextTime: "2026-01-01T03:00:00Z", state: "suspended" }, ["created 9d ago", ""]],
  [{ nextTime: "2026-01-01T00:59:00Z" }, ["next run is due", "created 9d ago"]],
  [{ startTime: "2026-01-01T00:56:00Z" }, ["running for 4m", "has not succeeded yet"]],
  [{ startTime: "2026-01-01T00:56:00Z", state: "suspended" }, ["started 4m ago", "has not succeeded yet"]],
  [{ startTime: "2026-01-01T00:56:00Z", estimatedCompletionTime: "2026-01-01T01:11:30Z" }, ["running for 4m", "likely to end in 11m"]],
  [{ startTime: "2026-01-01T00:56:00Z", estimatedCompletionTime: "2026-01-01T00:59:00Z" }, ["running for 4m", "longer than estimated"]],
  [
    { startTime: "2025-12-31T20:56:00Z", completionTime: "2025-12-31T21:00:00Z", succeededTime: "2025-12-31T21:00:00Z" },
    ["succeeded 4h ago", "took 4m00s"],
  ],
  [
    { startTime: "2025-12-31T20:56:00Z", completionTime: "2025-12-31T21:00:00Z", succeededTime: "2025-12-31T21:00:00Z", nextTime: "2026-01-01T03:00:00Z" },
    ["succeeded 4h ago", "next run in 2h"],
  ],
  [
    { startTime: "2025-12-31T20:56:00Z", completionTime: "2025-12-31T21:00:00Z", succeededTime: "2025-12-30T01:00:00Z" },
    ["ended 4h ago", "last succeeded 2d ago"],
  ],
] as const) {
  test(`the times of a chain: ${said.filter(Boolean).join(", ")}${"state" in fields ? ", suspended" : ""}`, () => {
    assert.deepEqual(timesOf({ ...TIMED, ...fields } as unknown as Row, NOW), said);
  });
}

function runs(...all: Record<string, unknown>[]): ReturnType<typeof readChain>["history"] {
  return readChain({
    status: {
      history: all.map((one) => ({
        startTime: "2026-01-01T00:00:00Z",
        completionTime: "2026-01-01T00:10:00Z",
        ...one,
      })),
    },
  }).history;
}

for (const [run, before, said] of [
  [{}, {}, "no difference"],
  [{}, null, ""],
  [{ completionTime: "" }, {}, ""],
  [{ completionTime: "2026-01-01T00:10:13Z" }, {}, "13s longer"],
  [{ completionTime: "2026-01-01T00:08:55Z" }, {}, "1m05s shorter"],
  [{ operation: "Destroy" }, { operation: "Plan" }, "Destroy instead of Plan"],
  [{ summary: { total: 12, failed: 2 } }, {}, "no difference"],
  [
    { summary: { total: 13, failed: 2, timedOut: 1, succeeded: 10 } },
    { summary: { total: 12, skipped: 1, succeeded: 11 } },
    "1 more stack, 2 more failed, 1 more timed out, 1 fewer skipped",
  ],
] as const) {
  test(`a run and the one before: ${said || `nothing, ${JSON.stringify(run)}`}`, () => {
    const [one, other] = runs(run, before ?? {});
    assert.ok(one);
    assert.equal(differences(one, before ? other : undefined).join(", "), said);
  });
}

test("the stacks of a run by phase, worst first; what is no number does not count", () => {
  const [run] = runs({ summary: { total: 4, succeeded: 3, failed: 1, skipped: 0, canceled: "9" }, changes: { text: "+1 ~0 -0" } });
  assert.ok(run);
  assert.deepEqual(phaseCounts(run), [{ phase: "Failed", count: 1 }, { phase: "Succeeded", count: 3 }]);
  assert.equal(run.changes, "+1 ~0 -0");
});

for (const [completionTime, until] of [["", "2026-01-01T01:00:00.000Z"], ["2026-01-01T00:30:00Z", "2026-01-01T00:30:00.000Z"]] as const) {
  test(`a timeline ends with its run${completionTime ? "" : ", or now"}: what follows may wait for a person`, () => {
    const done = STACKS.filter((stack) => stack.phase !== "Running");
    const run = { startTime: "2026-01-01T00:00:00Z", completionTime };
    assert.equal(new Date(timelineOf(done, run, NOW).until).toISOString(), until);
  });
}
