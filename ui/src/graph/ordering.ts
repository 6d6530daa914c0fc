/**
 * Rows for the items of each column, so that edges are short and cross little. Pure.
 *
 * The order in a column follows the mean position of the neighbors (Sugiyama's barycenters), and
 * the place is as near to them as the order allows. It depends on names and edges only, never on
 * phases, so it is the same at each update.
 */

export interface Unit {
  readonly key: string;
  readonly column: number;
  /** Rows that it takes: 1 for a box, less for an edge that passes by. */
  readonly height: number;
  readonly ups: Unit[];
  readonly downs: Unit[];
  order: number;
  y: number;
}

const ORDER_SWEEPS = 8;
const PLACE_SWEEPS = 10;

export function arrange(columns: Unit[][]): void {
  for (const column of columns) {
    column.sort((a, b) => compare(a.key, b.key));
    number(column);
  }
  let best = snapshot(columns);
  let least = crossings(columns);
  for (let sweep = 0; sweep < ORDER_SWEEPS && least > 0; sweep += 1) {
    const isDown = sweep % 2 === 0;
    for (const column of isDown ? columns : [...columns].reverse()) {
      sortByNeighbors(column, isDown);
    }
    const count = crossings(columns);
    if (count < least) {
      [best, least] = [snapshot(columns), count];
    }
  }
  best.forEach((column, place) => {
    columns[place] = column;
    number(column);
  });
  putInPlace(columns);
}

function putInPlace(columns: Unit[][]): void {
  for (const column of columns) {
    let y = 0;
    for (const unit of column) {
      unit.y = y + unit.height / 2;
      y += unit.height;
    }
  }
  for (let sweep = 0; sweep < PLACE_SWEEPS; sweep += 1) {
    const isDown = sweep % 2 === 0;
    for (const column of isDown ? columns : [...columns].reverse()) {
      approach(column, isDown ? (unit) => unit.ups : (unit) => unit.downs);
    }
  }
  for (const column of columns) {
    approach(column, (unit) => [...unit.ups, ...unit.downs]);
  }
}

/** Moves a column's units as near to their neighbors as their order allows (least squares). */
function approach(column: Unit[], neighbors: (unit: Unit) => readonly Unit[]): void {
  let offset = 0;
  const offsets = column.map((unit, place) => {
    const before = column[place - 1];
    offset += before ? (before.height + unit.height) / 2 : 0;
    return offset;
  });
  // Pool adjacent violators: blocks that would overlap move as one.
  const blocks: { sum: number; weight: number; count: number }[] = [];
  column.forEach((unit, place) => {
    const near = neighbors(unit);
    const weight = near.length > 0 ? 1 : 0.05;
    const wanted = near.length > 0 ? mean(near.map((one) => one.y)) : unit.y;
    let block = { sum: (wanted - (offsets[place] ?? 0)) * weight, weight, count: 1 };
    for (let last = blocks.at(-1); last && last.sum / last.weight > block.sum / block.weight; ) {
      blocks.pop();
      block = {
        sum: last.sum + block.sum,
        weight: last.weight + block.weight,
        count: last.count + block.count,
      };
      last = blocks.at(-1);
    }
    blocks.push(block);
  });
  let place = 0;
  for (const block of blocks) {
    for (const end = place + block.count; place < end; place += 1) {
      const unit = column[place];
      if (unit) {
        unit.y = block.sum / block.weight + (offsets[place] ?? 0);
      }
    }
  }
}

function sortByNeighbors(column: Unit[], isDown: boolean): void {
  const wanted = new Map(
    column.map((unit) => {
      const near = isDown ? unit.ups : unit.downs;
      return [unit, near.length > 0 ? mean(near.map((one) => one.order)) : unit.order];
    }),
  );
  column.sort(
    (a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || a.order - b.order || compare(a.key, b.key),
  );
  number(column);
}

/** Counts crossings between neighboring columns, with a Fenwick tree. */
export function crossings(columns: readonly Unit[][]): number {
  let count = 0;
  for (const column of columns.slice(1)) {
    const ends = column.flatMap((unit) =>
      unit.ups.map((up) => up.order).sort((a, b) => a - b),
    );
    const tree = new Array<number>(Math.max(0, ...ends) + 2).fill(0);
    ends.forEach((end, seen) => {
      let before = 0;
      for (let at = end + 1; at > 0; at -= at & -at) {
        before += tree[at] ?? 0;
      }
      count += seen - before;
      for (let at = end + 1; at < tree.length; at += at & -at) {
        tree[at] = (tree[at] ?? 0) + 1;
      }
    });
  }
  return count;
}

function number(column: readonly Unit[]): void {
  column.forEach((unit, place) => {
    unit.order = place;
  });
}

function snapshot(columns: readonly Unit[][]): Unit[][] {
  return columns.map((column) => [...column]);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** By code units: the same everywhere, whatever the reader's language is. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
