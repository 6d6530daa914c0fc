import assert from "node:assert/strict";
import { test } from "node:test";

import { age, changes, counted, duration, matches, oneLine, seconds, whyEmpty } from "../src/shared/format.js";
import type { Change, Detail, Row } from "../src/page/documents.js";
import { merge, sortRows } from "../src/page/merging.js";
import { LIST, nextSort, readRoute, writeRoute } from "../src/page/route.js";
import { tableOf } from "../src/page/rows.js";
import { ticks, timelineOf } from "../src/page/timing.js";
import { readChain } from "../src/graph/model.js";
import { lookOf, sourceOf } from "../src/graph/phases.js";
import { parse } from "./stacks.js";

const NOW = Date.parse("2026-01-01T01:00:00Z");

for (const route of [
  LIST,
  { ...LIST, namespace: "a", chain: "b" },
  { ...LIST, query: "x y&z", only: ["failed", "running"], sort: "-took", stack: "ünïcode", run: "7" },
  { ...LIST, namespace: "a", chain: "b", view: "timeline" as const },
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
  } as unknown as Detail;
  const change = {
    detail: { state: "fine", resource: { metadata: { name: "c" }, status: { graph: { stacks: 3 } } } },
    stacks: [{ id: "a", phase: "Succeeded" }, { id: "d" }],
    removed: ["c"],
    advice: { a: null },
  } as unknown as Change;

  const merged = merge(known, change);

  assert.equal(merged.state, "fine");
  assert.deepEqual((merged.resource["status"] as { stacks: unknown }).stacks, [
    { id: "a", phase: "Succeeded" },
    { id: "b" },
    { id: "d" },
  ]);
  assert.deepEqual(Object.keys(merged.advice), ["b"]);
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
  ["Adopted", "adopted, started by Spacelift or others"],
  ["Triggered", "triggered by the chain"],
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
  const { bars, others, from, until } = timelineOf(STACKS, NOW);

  assert.deepEqual(bars.map((bar) => bar.stack.id), ["a", "c", "b", "d"]);
  assert.deepEqual(bars.filter((bar) => bar.isCritical).map((bar) => bar.stack.id), ["a", "b", "d"]);
  assert.deepEqual([others, until - from], [2, 3_600_000]);
  assert.deepEqual([bars[0]?.start, bars.at(-1)?.end], [0, 1]);
});

test("a timeline of nothing, and times that go backward", () => {
  assert.deepEqual(timelineOf([], NOW).bars, []);
  const odd = parse([{ id: "a", phase: "Failed", startTime: "2026-01-02T00:00:00Z", completionTime: "2026-01-01T00:00:00Z" }]);
  const bar = timelineOf(odd, NOW).bars[0];
  assert.ok(bar && bar.start <= bar.end);
});

test("an axis has round steps and not too many", () => {
  assert.deepEqual(ticks(240, 8), [0, 30, 60, 90, 120, 150, 180, 210, 240]);
  for (const total of [1, 59, 3600, 86400 * 40]) {
    assert.ok(ticks(total, 8).length <= 9);
  }
});
