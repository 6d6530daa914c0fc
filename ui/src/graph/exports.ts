/** A chain's graph for other tools: Mermaid, DOT and SVG. Pure; all text is escaped. */

import { BOX_HEIGHT, BOX_WIDTH, type Box, type Layout } from "./layout.js";
import type { Stack } from "./model.js";
import { counted } from "../shared/format.js";
import { GLYPHS, type Tone, lookOf } from "./phases.js";

const FILLS: Readonly<Record<Tone, { fill: string; line: string }>> = {
  good: { fill: "#e7f6ec", line: "#1a7f45" },
  bad: { fill: "#fdeaea", line: "#c0262d" },
  active: { fill: "#e6f0fd", line: "#1d64c4" },
  attention: { fill: "#fdf3dc", line: "#8a5a00" },
  faint: { fill: "#f3f4f6", line: "#5b6472" },
};
const MARGIN = 24;
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

export function toMermaid(stacks: readonly Stack[]): string {
  const ids = new Map(stacks.map((stack, place) => [stack.id, `s${place}`]));
  const lines = ["flowchart LR"];
  for (const stack of stacks) {
    const { word, tone } = lookOf(stack.phase);
    const label = `${mermaidText(stack.id)}<br/>${mermaidText(word)}`;
    lines.push(`  ${ids.get(stack.id)}["${label}"]:::${tone}`);
  }
  for (const [from, to] of edgesOf(stacks)) {
    lines.push(`  ${ids.get(from)} --> ${ids.get(to)}`);
  }
  for (const [tone, { fill, line }] of Object.entries(FILLS)) {
    lines.push(`  classDef ${tone} fill:${fill},stroke:${line},color:#111827`);
  }
  return `${lines.join("\n")}\n`;
}

export function toDot(name: string, stacks: readonly Stack[]): string {
  const lines = [
    `digraph ${dotText(name)} {`,
    "  rankdir=LR;",
    '  node [shape=box, style="rounded,filled", fontname="sans-serif"];',
  ];
  for (const stack of stacks) {
    const { word, tone } = lookOf(stack.phase);
    const { fill, line } = FILLS[tone];
    const label = dotText(`${stack.id}\n${word}`);
    lines.push(`  ${dotText(stack.id)} [label=${label}, fillcolor="${fill}", color="${line}"];`);
  }
  for (const [from, to] of edgesOf(stacks)) {
    lines.push(`  ${dotText(from)} -> ${dotText(to)};`);
  }
  return `${lines.join("\n")}\n}\n`;
}

export function toSvg(name: string, layout: Layout): string {
  const [width, height] = [layout.width + 2 * MARGIN, layout.height + 2 * MARGIN];
  const edges = layout.edges.map(
    (edge) => `<path d="${edge.path}" fill="none" stroke="#9aa3af" stroke-width="1.3"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}" font-family="system-ui, sans-serif">`,
    `<title>${xmlText(name)}</title>`,
    `<rect x="${-MARGIN}" y="${-MARGIN}" width="100%" height="100%" fill="#ffffff"/>`,
    ...edges,
    ...layout.boxes.map(svgBox),
    "</svg>\n",
  ].join("\n");
}

function svgBox(box: Box): string {
  const stack = box.item.stacks[0];
  const { word, glyph, tone } = lookOf(stack?.phase ?? "");
  const { fill, line } = FILLS[tone];
  const count = box.item.stacks.length;
  const title = box.item.kind === null ? (stack?.id ?? "") : counted(count, `${box.item.kind} stack`);
  return [
    `<g transform="translate(${box.x} ${box.y})">`,
    `<rect width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="8" fill="${fill}" stroke="${line}"/>`,
    `<path transform="translate(10 8)" d="${GLYPHS[glyph] ?? ""}" fill="none" stroke="${line}" ` +
      'stroke-width="1.6" stroke-linecap="round"/>',
    `<text x="34" y="19" font-size="12.5" font-weight="600" fill="#111827">` +
      `${xmlText(shortId(title, 28))}</text>`,
    `<text x="34" y="36" font-size="11" fill="${line}">${xmlText(box.item.kind ? "" : word)}</text>`,
    "</g>",
  ].join("");
}

/** Shortens an id in the middle: ids of one chain differ at their ends. */
export function shortId(id: string, most: number): string {
  const characters = [...id];
  if (characters.length <= most) {
    return id;
  }
  const tail = Math.ceil((most - 1) / 2);
  return `${characters.slice(0, most - 1 - tail).join("")}…${characters.slice(-tail).join("")}`;
}

function edgesOf(stacks: readonly Stack[]): [string, string][] {
  const known = new Set(stacks.map((stack) => stack.id));
  return stacks.flatMap((stack) =>
    stack.dependsOn
      .filter((upstream) => known.has(upstream))
      .map((upstream): [string, string] => [upstream, stack.id]),
  );
}

function xmlText(text: string): string {
  const visible = text.replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g, " ").replace(UNSEEN, "").toWellFormed();
  return visible.replace(/[<>&"']/g, (one) => `&#${one.charCodeAt(0)};`);
}

/** Mermaid reads entities that start with # instead of &; everything that is not plain is one. */
function mermaidText(text: string): string {
  return [...text]
    .map((one) => (/[A-Za-z0-9 ._/-]/.test(one) ? one : `#${one.codePointAt(0)};`))
    .join("");
}

/** An invisible character, such as a change of the direction, is shown by its number: `\u202e`. */
function dotText(text: string): string {
  const seen = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replace(UNSEEN, (one) => `\\\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `"${seen.toWellFormed()}"`;
}
