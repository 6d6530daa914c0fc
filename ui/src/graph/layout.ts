/**
 * Where the boxes and edges of a chain's graph are. Pure: values in, values out.
 *
 * Columns are the levels of the status. A graph that was laid out before keeps each box where it
 * is as long as its stacks and dependencies are the same; what appears takes a free row, and the
 * stacks of a group that is opened take the free rows around its place.
 */

import { type Folding, type Item, fold } from "./folding.js";
import type { Stack } from "./model.js";
import { type Unit, arrange, compare } from "./ordering.js";

export const BOX_WIDTH = 256;
export const BOX_HEIGHT = 46;
export const COLUMN_STEP = BOX_WIDTH + 76;
export const ROW_STEP = BOX_HEIGHT + 14;
/** Rows that an edge takes where it passes a column. */
const PASSING_HEIGHT = 0.3;

export interface Box {
  readonly key: string;
  readonly item: Item;
  readonly column: number;
  readonly x: number;
  readonly y: number;
}

export interface Edge {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly path: string;
}

export interface Layout {
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
  readonly width: number;
  readonly height: number;
  /** The same for two graphs of the same stacks and dependencies, whatever their phases. */
  readonly structure: string;
  readonly folding: Pick<Folding, "isFolded" | "opened">;
}

export interface View {
  readonly isFolded: boolean;
  readonly opened: ReadonlySet<string>;
}

export function layOut(stacks: readonly Stack[], view: View, before: Layout | null = null): Layout {
  const structure = structureOf(stacks);
  const kept = before !== null && isContinued(before, structure, view) ? before : null;
  const items = fold(stacks, { ...view, shown: kept ? shownIn(kept) : new Set() });
  const columns = columnsOf(items);
  const boxes = kept ? boxesKept(items, columns, kept) : null;
  const placed = boxes ? { boxes, bends: new Map<string, number>() } : boxesAnew(items, columns);
  const edges = edgesOf(items, placed.boxes, placed.bends);
  return {
    boxes: placed.boxes,
    edges: kept && boxes ? edgesKept(edges, kept) : edges,
    width: Math.max(0, ...placed.boxes.map((box) => box.x + BOX_WIDTH)),
    height: Math.max(0, ...placed.boxes.map((box) => box.y + BOX_HEIGHT)),
    structure,
    folding: view,
  };
}

export function structureOf(stacks: readonly Stack[]): string {
  return stacks
    .map((stack) => `${stack.id}\t${stack.level}\t${[...stack.dependsOn].sort().join("\t")}`)
    .sort()
    .join("\n");
}

/** Whether a view shows the same graph, with no group closed again. */
function isContinued(before: Layout, structure: string, view: View): boolean {
  const { isFolded, opened } = before.folding;
  return (
    before.structure === structure &&
    isFolded === view.isFolded &&
    [...opened].every((key) => view.opened.has(key))
  );
}

function shownIn(layout: Layout): Set<string> {
  return new Set(layout.boxes.filter((box) => box.item.kind === null).map((box) => box.key));
}

/** Levels without a box take no room. */
function columnsOf(items: readonly Item[]): Map<number, number> {
  const levels = [...new Set(items.map((item) => item.level))].sort((a, b) => a - b);
  return new Map(levels.map((level, column) => [level, column]));
}

function boxesAnew(
  items: readonly Item[],
  columns: ReadonlyMap<number, number>,
): { boxes: Box[]; bends: Map<string, number> } {
  const units = new Map<string, Unit>();
  const byColumn: Unit[][] = [...columns].map(() => []);
  const add = (key: string, column: number, height: number): Unit => {
    const unit: Unit = { key, column, height, ups: [], downs: [], order: 0, y: 0 };
    units.set(key, unit);
    byColumn[column]?.push(unit);
    return unit;
  };
  for (const item of items) {
    add(item.key, columns.get(item.level) ?? 0, 1);
  }
  for (const item of items) {
    for (const upstream of item.upstreams) {
      connect(units, add, upstream, item.key);
    }
  }
  arrange(byColumn);
  const top = Math.min(...byColumn.flat().map((unit) => unit.y - unit.height / 2), Infinity);
  const pixels = (y: number): number => Math.round((y - top) * ROW_STEP);
  const boxes = items.map((item) => {
    const column = columns.get(item.level) ?? 0;
    const y = pixels((units.get(item.key)?.y ?? 0) - 0.5);
    return { key: item.key, item, column, x: column * COLUMN_STEP, y };
  });
  const bends = new Map(
    [...units.values()]
      .filter((unit) => unit.height < 1)
      .map((unit) => [unit.key, pixels(unit.y) - (ROW_STEP - BOX_HEIGHT) / 2]),
  );
  return { boxes, bends };
}

function bendKey(upstream: string, column: number): string {
  return `bend:${column}:${upstream}`;
}

/** Edges of one source share the row in which they pass a column. */
function connect(
  units: ReadonlyMap<string, Unit>,
  add: (key: string, column: number, height: number) => Unit,
  upstream: string,
  key: string,
): void {
  const [source, target] = [units.get(upstream), units.get(key)];
  if (!source || !target || source.column >= target.column) {
    return;
  }
  let from = source;
  for (let column = source.column + 1; column < target.column; column += 1) {
    const passing = bendKey(upstream, column);
    const known = units.get(passing);
    const unit = known ?? add(passing, column, PASSING_HEIGHT);
    if (!known) {
      join(from, unit);
    }
    from = unit;
  }
  join(from, target);
}

function join(from: Unit, to: Unit): void {
  from.downs.push(to);
  to.ups.push(from);
}

function boxesKept(
  items: readonly Item[],
  columns: ReadonlyMap<number, number>,
  before: Layout,
): Box[] | null {
  const known = new Map(before.boxes.map((box) => [box.key, box]));
  const boxes = new Map<string, Box>();
  for (const item of items) {
    const box = known.get(item.key);
    if (box) {
      // A column that came to be or ceased to be shifts the ones after it.
      if (box.column !== columns.get(item.level)) {
        return null;
      }
      boxes.set(item.key, { ...box, item });
    }
  }
  const places = new Map<number, number[]>();
  const takenIn = (column: number): number[] => {
    const taken = places.get(column) ?? [...boxes.values()].filter((box) => box.column === column).map((box) => box.y);
    places.set(column, taken);
    return taken;
  };
  const put = (item: Item, column: number, y: number): void => {
    boxes.set(item.key, { key: item.key, item, column, x: column * COLUMN_STEP, y });
  };
  const nearOf = (item: Item): number | null => {
    const near = item.upstreams.map((key) => boxes.get(key)?.y).filter((y) => y !== undefined);
    return near.length > 0 ? near.reduce((a, b) => a + b, 0) / near.length : null;
  };
  const fresh = items.filter((item) => !boxes.has(item.key));
  for (const [group, members] of byGroup(fresh, before)) {
    const column = columns.get(members[0]?.level ?? 0) ?? 0;
    const taken = takenIn(column);
    const rows = members.map((item) => {
      const y = freeRow(group?.y ?? nearOf(item) ?? 0, taken);
      taken.push(y);
      return { item, y };
    });
    const inOrder = group === null ? rows : ordered(rows, nearOf);
    inOrder.forEach(({ item, y }) => put(item, column, y));
  }
  return items.map((item) => boxes.get(item.key)).filter((box) => box !== undefined);
}

/** What appears, from the left: the stacks of each group that was there together, others alone. */
function byGroup(fresh: readonly Item[], before: Layout): [Box | null, Item[]][] {
  const groups = new Map<string, Box>();
  for (const box of before.boxes.filter(({ item }) => item.kind !== null)) {
    box.item.stacks.forEach((stack) => groups.set(stack.id, box));
  }
  const found = new Map<string, [Box | null, Item[]]>();
  for (const item of [...fresh].sort((a, b) => a.level - b.level)) {
    const group = item.kind === null ? (groups.get(item.key) ?? null) : null;
    const key = group?.key ?? item.key;
    const entry = found.get(key) ?? [group, []];
    entry[1].push(item);
    found.set(key, entry);
  }
  return [...found.values()];
}

/** The same rows, given out so that each stack is near to what it depends on. */
function ordered(
  rows: readonly { item: Item; y: number }[],
  nearOf: (item: Item) => number | null,
): { item: Item; y: number }[] {
  const places = rows.map(({ y }) => y).sort((a, b) => a - b);
  const near = new Map(rows.map(({ item }) => [item, nearOf(item) ?? Infinity]));
  return rows
    .map(({ item }) => item)
    .sort((a, b) => (near.get(a) ?? 0) - (near.get(b) ?? 0) || compare(a.key, b.key))
    .map((item, place) => ({ item, y: places[place] ?? 0 }));
}

/** The free place nearest to the one that is wanted. */
function freeRow(wanted: number, taken: readonly number[]): number {
  const places = [
    Math.max(0, wanted),
    ...taken.flatMap((y) => [y + ROW_STEP, y - ROW_STEP]),
  ].filter((y) => y >= 0 && taken.every((other) => Math.abs(other - y) >= ROW_STEP));
  const rounded = places.map((y) => Math.round(y));
  return rounded.sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted) || b - a)[0] ?? 0;
}

function edgesOf(
  items: readonly Item[],
  boxes: readonly Box[],
  bends: ReadonlyMap<string, number>,
): Edge[] {
  const byKey = new Map(boxes.map((box) => [box.key, box]));
  return items.flatMap((item) =>
    item.upstreams.flatMap((upstream) => {
      const [from, to] = [byKey.get(upstream), byKey.get(item.key)];
      if (!from || !to) {
        return [];
      }
      const path = pathOf(from, to, bends);
      return [{ key: `${upstream}\t${item.key}`, from: upstream, to: item.key, path }];
    }),
  );
}

function pathOf(from: Box, to: Box, bends: ReadonlyMap<string, number>): string {
  let [x, y] = [from.x + BOX_WIDTH, from.y + BOX_HEIGHT / 2];
  const parts = [`M${x} ${y}`];
  for (let column = from.column + 1; column < to.column; column += 1) {
    const bend = bends.get(bendKey(from.key, column));
    if (bend !== undefined) {
      parts.push(curve(x, y, column * COLUMN_STEP, bend), `H${column * COLUMN_STEP + BOX_WIDTH}`);
      [x, y] = [column * COLUMN_STEP + BOX_WIDTH, bend];
    }
  }
  parts.push(curve(x, y, to.x, to.y + BOX_HEIGHT / 2));
  return parts.join("");
}

function curve(x: number, y: number, toX: number, toY: number): string {
  const middle = Math.round((x + toX) / 2);
  return `C${middle} ${round(y)} ${middle} ${round(toY)} ${toX} ${round(toY)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Boxes that are known are where they were, so their edges keep their bends. */
function edgesKept(edges: readonly Edge[], before: Layout): Edge[] {
  const known = new Map(before.edges.map((edge) => [edge.key, edge]));
  return edges.map((edge) => known.get(edge.key) ?? edge);
}
