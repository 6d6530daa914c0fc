import assert from "node:assert/strict";
import { test } from "node:test";

import { fold, groupKey, relatives } from "../src/graph/folding.js";
import { BOX_HEIGHT, COLUMN_STEP, type Layout, ROW_STEP, layOut } from "../src/graph/layout.js";
import type { Stack } from "../src/graph/model.js";
import { many, parse, stacksOf } from "./stacks.js";

const OPEN = { isFolded: false, opened: new Set<string>() };
const FOLDED = { isFolded: true, opened: new Set<string>() };

/** The columns of a layout, each as its keys from the top down. */
function rows(layout: Layout): string[] {
  const columns: string[][] = [];
  for (const box of [...layout.boxes].sort((a, b) => a.y - b.y)) {
    (columns[box.column] ??= []).push(box.key);
  }
  return columns.map((column) => column.join(" "));
}

function places(layout: Layout): Map<string, string> {
  return new Map(layout.boxes.map((box) => [box.key, `${box.x},${box.y}`]));
}

function overlaps(layout: Layout): string[] {
  return layout.boxes.flatMap((a) =>
    layout.boxes
      .filter((b) => a.key < b.key && a.x === b.x && Math.abs(a.y - b.y) < BOX_HEIGHT)
      .map((b) => `${a.key} ${b.key}`),
  );
}

const ORDERS: { name: string; graph: string; columns: string[] }[] = [
  { name: "no stack", graph: "", columns: [] },
  { name: "one stack", graph: "a", columns: ["a"] },
  { name: "a line", graph: "a; b: a; c: b", columns: ["a", "b", "c"] },
  { name: "a diamond", graph: "a; b: a; c: a; d: b c", columns: ["a", "b c", "d"] },
  { name: "crossed names", graph: "a; b; c: b; d: a", columns: ["a b", "d c"] },
  {
    name: "two separate chains",
    graph: "a; x; b: x; y: a; c: b; z: y",
    columns: ["a x", "y b", "z c"],
  },
  { name: "a long edge", graph: "a; b: a; c: b; d: a c", columns: ["a", "b", "c", "d"] },
];

for (const { name, graph, columns } of ORDERS) {
  test(`columns and rows: ${name}`, () => {
    assert.deepEqual(rows(layOut(stacksOf(graph), OPEN)), columns);
  });
}

test("a stack is level with the only one above it", () => {
  const placed = places(layOut(stacksOf("a; b: a; c: b; d; e: d; f: e"), OPEN));

  for (const [upper, lower] of [["a", "b"], ["b", "c"], ["d", "e"], ["e", "f"]] as const) {
    const rowOf = (key: string): string | undefined => placed.get(key)?.split(",")[1];
    assert.equal(rowOf(upper), rowOf(lower));
  }
});

test("a long edge passes between the boxes of the columns on its way", () => {
  const layout = layOut(stacksOf("a; b: a; c: b; d: a c"), OPEN);

  const long = layout.edges.find((edge) => edge.from === "a" && edge.to === "d");
  const heights = [...(long?.path ?? "").matchAll(/ ([\d.]+)H/g)].map((found) => Number(found[1]));
  assert.equal(heights.length, 2);
  for (const box of layout.boxes.filter((one) => one.key === "b" || one.key === "c")) {
    const passing = heights[box.column - 1] ?? NaN;
    assert.ok(passing < box.y || passing > box.y + BOX_HEIGHT, `${box.key} ${passing} ${box.y}`);
  }
});

test("levels that no stack has take no room", () => {
  const stacks = parse([{ id: "a", level: 0 }, { id: "b", level: 7, dependsOn: ["a"] }]);

  const layout = layOut(stacks, OPEN);

  assert.deepEqual(layout.boxes.map((box) => box.x), [0, COLUMN_STEP]);
});

test("the order of the status does not matter, nor do phases", () => {
  const stacks = many(120);
  const other = [...many(120, (place) => (place % 2 ? "Running" : "Failed"))].reverse();

  assert.deepEqual([...places(layOut(other, OPEN))].sort(), [...places(layOut(stacks, OPEN))].sort());
});

for (const count of [1, 12, 100, 500]) {
  test(`boxes of ${count} stacks do not overlap, and none is above the top`, () => {
    for (const view of [OPEN, FOLDED]) {
      const layout = layOut(many(count, (place) => (place % 40 ? "Pending" : "Failed")), view);
      assert.deepEqual(overlaps(layout), []);
      assert.ok(layout.boxes.every((box) => box.y >= 0));
    }
  });
}

test("dependencies that a status cannot have are drawn without harm", () => {
  const stacks = parse([
    { id: "a", level: 3, dependsOn: ["b", "gone", "a"] },
    { id: "b", level: 3, dependsOn: ["a"] },
    { id: "c", level: -4, dependsOn: "a" },
    { id: "c", level: 1e9, dependsOn: [7, null] },
    { level: 1 },
    "text",
  ]);

  const layout = layOut(stacks, OPEN);

  assert.deepEqual(layout.boxes.map((box) => box.key).sort(), ["a", "b", "c"]);
  assert.deepEqual(layout.edges.map((edge) => edge.key).sort(), ["a\tb", "b\ta"]);
});

interface FoldCase {
  name: string;
  phases: Record<string, string>;
  shown: string[];
}

const GRAPH = "a; b: a; c: a; d: a; e: b; f: c; g: d";
const FOLDS: FoldCase[] = [
  {
    name: "pending siblings are one",
    phases: { "*": "Pending" },
    shown: ["a", "group:1:pending(3)", "group:2:pending(3)"],
  },
  {
    name: "what has failed, runs or waits is shown",
    phases: { a: "Succeeded", b: "Failed", c: "Running", d: "Waiting", e: "Skipped" },
    shown: ["a", "b", "c", "d", "e", "group:2:pending(2)"],
  },
  {
    name: "one alone does not fold",
    phases: { "*": "Succeeded", b: "TimedOut", d: "Canceled" },
    shown: ["a", "b", "c", "d", "group:2:finished(3)"],
  },
  {
    name: "a phase that only a newer operator knows is shown",
    phases: { "*": "Paused" },
    shown: ["a", "b", "c", "d", "e", "f", "g"],
  },
  {
    name: "skipped because of another is not finished",
    phases: { a: "Failed", "*": "Skipped", b: "Succeeded", c: "Succeeded" },
    shown: ["a", "d", "group:1:finished(2)", "group:2:skipped(3)"],
  },
];

for (const { name, phases, shown } of FOLDS) {
  test(`folding: ${name}`, () => {
    const items = fold(stacksOf(GRAPH, phases), { ...FOLDED, shown: new Set() });

    const names = items.map((item) => (item.kind ? `${item.key}(${item.stacks.length})` : item.key));
    assert.deepEqual(names.sort(), shown);
  });
}

for (const reason of ["OutputUnchanged", "Bypassed"]) {
  test(`a skipped stack that holds up nothing counts as finished: ${reason}`, () => {
    const skipped = { level: 0, phase: "Skipped", reason };
    const stacks = parse([{ id: "a", ...skipped }, { id: "b", level: 0, phase: "Succeeded" }]);

    const items = fold(stacks, { ...FOLDED, shown: new Set() });

    assert.deepEqual(items.map((item) => item.key), [groupKey(0, "finished")]);
  });
}

test("groups have the dependencies of their stacks, once each", () => {
  const items = fold(stacksOf(GRAPH), { ...FOLDED, shown: new Set() });

  assert.deepEqual(
    items.map((item) => [item.key, item.upstreams]),
    [
      ["a", []],
      ["group:1:pending", ["a"]],
      ["group:2:pending", ["group:1:pending"]],
    ],
  );
});

test("an opened group shows its stacks", () => {
  const opened = new Set([groupKey(1, "pending")]);

  const layout = layOut(stacksOf(GRAPH), { isFolded: true, opened });

  assert.deepEqual(layout.boxes.map((box) => box.key).sort(), ["a", "b", "c", "d", "group:2:pending"]);
});

function phased(stacks: readonly Stack[], phases: Record<string, string>): Stack[] {
  return stacks.map((stack) => ({ ...stack, phase: phases[stack.id] ?? stack.phase }));
}

test("an update moves no box, and what appears takes a free place", () => {
  const stacks = many(500, (place) => (place < 56 ? "Running" : "Pending"));
  let layout = layOut(stacks, FOLDED);
  const updates: Record<string, string>[] = [
    { "stack-000": "Succeeded", "stack-060": "Running" },
    { "stack-001": "Failed", "stack-061": "Running", "stack-120": "Waiting" },
  ];
  for (const phases of updates) {
    const before = places(layout);

    layout = layOut(phased(stacks, phases), FOLDED, layout);

    const after = places(layout);
    for (const [key, place] of before) {
      assert.equal(after.get(key), place, key);
    }
    assert.deepEqual(overlaps(layout), []);
    assert.ok(Object.keys(phases).every((id) => after.has(id)));
  }
});

test("a group that is opened moves no other box, and its stacks stand together in order", () => {
  const stacks = many(500, (place) => (place % 50 === 7 ? "Failed" : "Pending"));
  const folded = layOut(stacks, FOLDED);
  const group = folded.boxes.filter(({ item }) => item.kind !== null)[1];
  assert.ok(group);

  const opened = layOut(stacks, { isFolded: true, opened: new Set([group.key]) }, folded);

  const after = places(opened);
  for (const [key, place] of places(folded)) {
    assert.equal(after.get(key), key === group.key ? undefined : place, key);
  }
  assert.deepEqual(overlaps(opened), []);
  const members = new Set(group.item.stacks.map((stack) => stack.id));
  const rows = opened.boxes.filter((box) => members.has(box.key));
  assert.equal(rows.length, group.item.stacks.length);
  assert.ok(rows.some((box) => box.y === group.y));
  const placed = new Map(opened.boxes.map((box) => [box.key, box.y]));
  const near = [...rows]
    .sort((a, b) => a.y - b.y)
    .map((box) => box.item.upstreams.map((key) => placed.get(key) ?? 0))
    .map((ys) => ys.reduce((sum, y) => sum + y, 0) / ys.length);
  assert.deepEqual(near, [...near].sort((a, b) => a - b));
});

test("a level of 500 stacks is opened in less than half a second", () => {
  const stacks = parse(
    Array.from({ length: 500 }, (_, place) => ({
      id: `stack-${place}`,
      level: place ? 1 : 0,
      dependsOn: place ? ["stack-0"] : [],
    })),
  );
  const folded = layOut(stacks, FOLDED);
  const started = performance.now();

  const opened = layOut(stacks, { isFolded: true, opened: new Set(["group:1:pending"]) }, folded);

  const taken = performance.now() - started;
  assert.equal(opened.boxes.length, 500);
  // Five times as long on a busy machine.
  assert.ok(taken < 2500, `${taken} ms`);
});

test("a group that is closed again: everything is placed anew", () => {
  const opened = { isFolded: true, opened: new Set([groupKey(1, "pending")]) };

  const closed = layOut(stacksOf(GRAPH), FOLDED, layOut(stacksOf(GRAPH), opened));

  assert.deepEqual(places(closed), places(layOut(stacksOf(GRAPH), FOLDED)));
});

test("other stacks, another view: everything is placed anew", () => {
  const before = layOut(stacksOf(GRAPH), FOLDED);

  const more = layOut(stacksOf(`${GRAPH}; h: g`), FOLDED, before);
  const open = layOut(stacksOf(GRAPH), OPEN, before);

  assert.deepEqual(places(more), places(layOut(stacksOf(`${GRAPH}; h: g`), FOLDED)));
  assert.deepEqual(places(open), places(layOut(stacksOf(GRAPH), OPEN)));
});

test("edges of a large graph are short: most end within five rows of where they start", () => {
  const layout = layOut(many(100), OPEN);
  const placed = new Map(layout.boxes.map((box) => [box.key, box.y]));

  const near = layout.edges.filter(
    (edge) => Math.abs((placed.get(edge.from) ?? 0) - (placed.get(edge.to) ?? 0)) <= 5 * ROW_STEP,
  );

  assert.ok(near.length > 0.75 * layout.edges.length, `${near.length} of ${layout.edges.length}`);
});

test("laying out 500 stacks takes less than half a second, an update a tenth of that", () => {
  const stacks = many(500);
  layOut(stacks, OPEN);
  const started = performance.now();
  const layout = layOut(stacks, OPEN);
  const placed = performance.now();
  layOut(stacks, OPEN, layout);
  const updated = performance.now();

  // Five times as long on a busy machine.
  assert.ok(placed - started < 2500, `${placed - started} ms`);
  assert.ok(updated - placed < 250, `${updated - placed} ms`);
});

test("relatives are all above and all below, cycles included", () => {
  const stacks = stacksOf(GRAPH);

  assert.deepEqual(relatives(stacks, "c"), { upstream: new Set(["a"]), downstream: new Set(["f"]) });
  const cycle = parse([{ id: "a", dependsOn: ["b"] }, { id: "b", dependsOn: ["a"] }]);
  assert.deepEqual(relatives(cycle, "a"), { upstream: new Set(["b"]), downstream: new Set(["b"]) });
});
