/** Which part of a graph is seen, and at which size. Pure. */

export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rectangle extends Size {
  readonly x: number;
  readonly y: number;
}

export const LEAST_SCALE = 0.08;
export const MOST_SCALE = 2;
const READABLE_SCALE = 0.8;
const MARGIN = 28;

/** All of it, if that can be read; otherwise its start, or what matters most, at a readable size. */
export function opening(graph: Size, room: Size, first: Rectangle | null): Viewport {
  const all = fit(graph, room);
  if (all.scale >= READABLE_SCALE || first === null) {
    return all.scale >= READABLE_SCALE
      ? all
      : { x: MARGIN, y: centered(graph.height, room.height, READABLE_SCALE), scale: READABLE_SCALE };
  }
  const middle = room.height / 2 - (first.y + first.height / 2) * READABLE_SCALE;
  const start = { x: MARGIN, y: Math.round(middle), scale: READABLE_SCALE };
  return reveal(withinEnds(start, graph, room), first, room);
}

export function fit(graph: Size, room: Size): Viewport {
  const scale = Math.max(
    LEAST_SCALE,
    Math.min(
      1,
      (room.width - 2 * MARGIN) / Math.max(1, graph.width),
      (room.height - 2 * MARGIN) / Math.max(1, graph.height),
    ),
  );
  return {
    x: centered(graph.width, room.width, scale),
    y: centered(graph.height, room.height, scale),
    scale,
  };
}

function centered(size: number, room: number, scale: number): number {
  return Math.max(MARGIN, Math.round((room - size * scale) / 2));
}

/** Zooms so that the point that is pointed at stays where it is. */
export function zoom(view: Viewport, factor: number, at: { x: number; y: number }): Viewport {
  const scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, view.scale * factor));
  const ratio = scale / view.scale;
  return { x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio, scale };
}

/** Leaves no empty room above the first row or below the last, if the graph is taller than that. */
function withinEnds(view: Viewport, graph: Size, room: Size): Viewport {
  const height = graph.height * view.scale;
  if (height + 2 * MARGIN <= room.height) {
    return { ...view, y: centered(graph.height, room.height, view.scale) };
  }
  return { ...view, y: Math.min(MARGIN, Math.max(room.height - MARGIN - height, view.y)) };
}

/** Moves as little as it takes to show a box whole. */
export function reveal(view: Viewport, box: Rectangle, room: Size): Viewport {
  const move = (start: number, size: number, offset: number, most: number): number => {
    const [from, to] = [start * view.scale + offset, (start + size) * view.scale + offset];
    if (from < MARGIN) {
      return offset + MARGIN - from;
    }
    return to > most - MARGIN ? Math.max(offset + most - MARGIN - to, offset + MARGIN - from) : offset;
  };
  return {
    x: move(box.x, box.width, view.x, room.width),
    y: move(box.y, box.height, view.y, room.height),
    scale: view.scale,
  };
}

/** Leaves some of the graph in sight, wherever it is dragged to. */
export function bounded(view: Viewport, graph: Size, room: Size): Viewport {
  const clamp = (offset: number, size: number, most: number): number =>
    Math.min(most - 80, Math.max(80 - size * view.scale, offset));
  return {
    x: clamp(view.x, graph.width, room.width),
    y: clamp(view.y, graph.height, room.height),
    scale: view.scale,
  };
}
