import assert from "node:assert/strict";
import { test } from "node:test";
import zlib from "node:zlib";

import { decode, shrink } from "./png.mjs";

// Two pixels by five rows, a row of each filter that PNG has: none, left, up, average, Paeth.
const ROWS = [
  [0, 10, 20, 30, 255, 40, 50, 60, 255],
  [1, 10, 20, 30, 255, 30, 30, 30, 0],
  [2, 5, 5, 5, 0, 5, 5, 5, 0],
  [3, 10, 10, 10, 128, 200, 200, 200, 0],
  [4, 1, 2, 3, 0, 4, 5, 6, 0],
];
const PIXELS = [
  ...[10, 20, 30, 40, 50, 60],
  ...[10, 20, 30, 40, 50, 60],
  ...[15, 25, 35, 45, 55, 65],
  ...[17, 22, 27, 231, 238, 246],
  ...[18, 24, 30, 235, 243, 252],
];

function picture(rows, kind = 6) {
  const header = Buffer.from([0, 0, 0, 2, 0, 0, 0, rows.length, 8, kind, 0, 0, 0]);
  const chunk = (name, body) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, Buffer.from(name), body, Buffer.alloc(4)]);
  };
  const body = zlib.deflateSync(Buffer.from(rows.flat()), { level: 0 });
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", body), chunk("IEND", Buffer.alloc(0))]);
}

test("pixels are read whatever the filter", () => {
  assert.deepEqual([...decode(picture(ROWS)).pixels], PIXELS);
});

test("a picture takes less room, and has the same pixels", () => {
  const large = picture(Array.from({ length: 50 }, () => ROWS).flat());
  const small = shrink(large);

  assert.ok(small.length < large.length / 2);
  assert.deepEqual(decode(small), decode(large));
  assert.deepEqual(shrink(small), small);
});

test("what is no picture of an opaque page is refused", () => {
  assert.throws(() => shrink(picture([[0, 1, 2, 3, 254, 1, 2, 3, 255]])), /transparent/);
  assert.throws(() => shrink(picture(ROWS, 3)), /kind 3/);
  assert.throws(() => shrink(Buffer.from("GIF89a..")), /no PNG/);
});
