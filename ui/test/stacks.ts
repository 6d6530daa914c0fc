import { type Stack, readChain } from "../src/graph/model.js";

/** Builds stacks from lines such as `d: b c` (upstreams after the colon), levels included. */
export function stacksOf(graph: string, phases: Record<string, string> = {}): Stack[] {
  const ups = new Map<string, string[]>();
  for (const line of graph.split(/[\n;]/).map((one) => one.trim()).filter(Boolean)) {
    const [id = "", rest = ""] = line.split(":").map((one) => one.trim());
    ups.set(id, rest.split(/\s+/).filter(Boolean));
  }
  const level = (id: string): number =>
    Math.max(0, ...(ups.get(id) ?? []).map((up) => level(up) + 1));
  return parse(
    [...ups].map(([id, dependsOn]) => {
      const phase = phases[id] ?? phases["*"] ?? "Pending";
      return { id, level: level(id), dependsOn, phase };
    }),
  );
}

export function parse(stacks: unknown[]): Stack[] {
  const status = {
    graph: { resolvedTime: "2026-01-01T00:00:01Z" },
    latestRun: { number: 1, startTime: "2026-01-01T00:00:00Z", phase: "Running" },
    stacks,
  };
  return [...readChain({ metadata: { name: "chain", namespace: "default" }, status }).stacks];
}

/** A large graph as platforms have them: a few levels, each stack under one to three others. */
export function many(count: number, phaseOf: (place: number) => string = () => "Pending"): Stack[] {
  const perLevel = Math.max(4, Math.ceil(count / 9));
  return parse(
    Array.from({ length: count }, (_, place) => {
      const level = Math.floor(place / perLevel);
      const above = (level - 1) * perLevel;
      const ups = [place * 7, place * 13 + 3, place * 29 + 11]
        .slice(0, level === 0 ? 0 : 1 + (place % 3))
        .map((seed) => idOf(above + (seed % perLevel)));
      return { id: idOf(place), level, dependsOn: [...new Set(ups)], phase: phaseOf(place) };
    }),
  );
}

export function idOf(place: number): string {
  return `stack-${String(place).padStart(3, "0")}`;
}
