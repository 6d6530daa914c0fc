/** Puts what has changed into what is known. Pure. */

import { compare } from "../graph/ordering.js";
import { list, object, text } from "../graph/model.js";
import { type Change, type Detail, type Row, STATE_ORDER } from "./documents.js";

export function keyOf(row: { namespace: string; name: string }): string {
  return `${row.namespace}/${row.name}`;
}

export function sortRows(rows: Iterable<Row>): Row[] {
  const rank = (row: Row): number => {
    const place = STATE_ORDER.indexOf(row.state);
    return place < 0 ? STATE_ORDER.length : place;
  };
  return [...rows].sort(
    (a, b) => rank(a) - rank(b) || compare(a.name, b.name) || compare(a.namespace, b.namespace),
  );
}

export function merge(known: Detail, change: Change): Detail {
  const status = object(known.resource["status"]);
  const changed = new Map(change.stacks.map((stack) => [text(stack["id"]), stack]));
  const removed = new Set(change.removed);
  const kept = list(status["stacks"])
    .map((stack) => [text(object(stack)["id"]), stack] as const)
    .filter(([id]) => !removed.has(id))
    .map(([id, stack]) => {
      const now = changed.get(id) ?? stack;
      changed.delete(id);
      return now;
    });
  const resource = change.detail.resource;
  const advice = { ...known.advice, ...change.advice };
  return {
    ...change.detail,
    resource: {
      ...resource,
      status: { ...object(resource["status"]), stacks: [...kept, ...changed.values()] },
    },
    advice: Object.fromEntries(
      Object.entries(advice).filter((entry): entry is [string, NonNullable<(typeof entry)[1]>] => entry[1] !== null),
    ),
    meanings: { ...known.meanings, ...change.meanings },
  };
}
