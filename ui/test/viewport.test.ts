import assert from "node:assert/strict";
import { test } from "node:test";

import { bounded, fit, opening, reveal, zoom } from "../src/graph/viewport.js";

const ROOM = { width: 1000, height: 500 };
const BOX = { x: 2000, y: 1500, width: 200, height: 40 };

test("a small graph opens whole and in the middle, not enlarged", () => {
  assert.deepEqual(opening({ width: 400, height: 100 }, ROOM, null), { x: 300, y: 200, scale: 1 });
});

test("a large one opens readable, with what is worst in sight", () => {
  const view = opening({ width: 4000, height: 3000 }, ROOM, BOX);

  assert.equal(view.scale, 0.8);
  const [left, top] = [BOX.x * view.scale + view.x, BOX.y * view.scale + view.y];
  assert.ok(left >= 0 && left + BOX.width * view.scale <= ROOM.width);
  assert.ok(top >= 0 && top + BOX.height * view.scale <= ROOM.height);
});

test("showing all of it shrinks it as far as that takes", () => {
  const view = fit({ width: 4000, height: 3000 }, ROOM);

  assert.ok(3000 * view.scale <= ROOM.height && view.x >= 0 && view.y >= 0);
});

test("what is pointed at stays where it is while zooming", () => {
  const at = { x: 300, y: 200 };
  const view = { x: 10, y: 20, scale: 1 };

  const closer = zoom(view, 1.5, at);

  const before = [(at.x - view.x) / view.scale, (at.y - view.y) / view.scale];
  const after = [(at.x - closer.x) / closer.scale, (at.y - closer.y) / closer.scale];
  assert.deepEqual(after.map(Math.round), before.map(Math.round));
});

test("a box that is in sight moves nothing, one that is not comes just inside", () => {
  const view = { x: 0, y: 0, scale: 1 };

  assert.deepEqual(reveal(view, { x: 100, y: 100, width: 200, height: 40 }, ROOM), view);
  assert.deepEqual(reveal(view, BOX, ROOM), { x: -1228, y: -1068, scale: 1 });
});

test("the graph cannot be dragged out of sight", () => {
  const view = bounded({ x: -99999, y: 99999, scale: 1 }, { width: 400, height: 100 }, ROOM);

  assert.deepEqual(view, { x: -320, y: 420, scale: 1 });
});
