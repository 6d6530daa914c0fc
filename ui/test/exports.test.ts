import assert from "node:assert/strict";
import { test } from "node:test";

import { shortId, toDot, toMermaid, toSvg } from "../src/graph/exports.js";
import { layOut } from "../src/graph/layout.js";
import { link, readChain } from "../src/graph/model.js";
import { parse, stacksOf } from "./stacks.js";

const HOSTILE = `"]<script>alert(1)</script>&\u0000\u202e\n\\`;

test("Mermaid", () => {
  const text = toMermaid(stacksOf("a; b: a", { a: "Succeeded", b: "AwaitingConfirmation" }));

  assert.deepEqual(text.split("\n").slice(0, 4), [
    "flowchart LR",
    '  s0["a<br/>Succeeded"]:::good',
    '  s1["b<br/>Awaits confirmation"]:::attention',
    "  s0 --> s1",
  ]);
});

test("DOT", () => {
  const lines = toDot("prod", stacksOf("a; b: a", { a: "Failed" })).split("\n");

  assert.equal(lines[0], 'digraph "prod" {');
  assert.ok(lines.includes('  "a" [label="a\\nFailed", fillcolor="#fdeaea", color="#c0262d"];'));
  assert.ok(lines.includes('  "a" -> "b";'));
});

test("text from outside stays text in each format", () => {
  const stacks = parse([{ id: HOSTILE, phase: HOSTILE }]);

  const mermaid = toMermaid(stacks);
  const dot = toDot(HOSTILE, stacks);
  const svg = toSvg(HOSTILE, layOut(stacks, { isFolded: false, opened: new Set() }));

  assert.ok(!mermaid.includes("<script") && !mermaid.includes('"]<'));
  assert.ok(dot.startsWith('digraph "\\"]<script>'));
  assert.ok(!svg.includes("<script"));
  for (const text of [mermaid, dot, svg]) {
    assert.doesNotMatch(text, /[\u0000\u202e]/);
  }
  assert.ok(dot.includes("\\\\u202e"));
});

test("a folded group says what it counts", () => {
  const stacks = stacksOf("a; b; c", { "*": "Succeeded" });

  const svg = toSvg("prod", layOut(stacks, { isFolded: true, opened: new Set() }));

  assert.match(svg, />3 finished stacks</);
});

for (const [value, expected] of [
  ["https://acme.app.spacelift.io/stack/a", "https://acme.app.spacelift.io/stack/a"],
  ["http://localhost:8233/x", "http://localhost:8233/x"],
  ["javascript:alert(1)", ""],
  [" javascript:alert(1)", ""],
  ["data:text/html,x", ""],
  ["https://user:password@example.com/", ""],
  ["//example.com", ""],
  ["", ""],
  [7, ""],
  [undefined, ""],
] as const) {
  test(`links: ${String(value)}`, () => {
    assert.equal(link(value), expected);
  });
}

test("an id is shortened in the middle", () => {
  assert.equal(shortId("prod-eu-west-1-ingress-team-030", 20), "prod-eu-w…s-team-030");
  assert.equal(shortId("short", 20), "short");
});

for (const resource of [null, 7, "x", [], {}, { status: [] }, { status: { stacks: 7, conditions: {} } }]) {
  test(`a resource without a status is an empty chain: ${JSON.stringify(resource)}`, () => {
    const chain = readChain(resource);

    assert.deepEqual([chain.stacks, chain.run, chain.ready], [[], null, null]);
  });
}

test("until a run has read its stacks, those of the run before are not shown as its own", () => {
  const chain = readChain({
    status: {
      graph: { resolvedTime: "2026-01-01T00:00:00Z" },
      latestRun: { number: 2, startTime: "2026-01-01T01:00:00Z", phase: "Pending" },
      stacks: [{ id: "a", phase: "Succeeded" }],
    },
  });

  assert.deepEqual([chain.stacks, chain.isBeforeStacks], [[], true]);
});
