/** Pieces of markup that several elements show. */

import { type TemplateResult, html, noChange, svg } from "lit";
import { Directive, type ElementPart, PartType, directive } from "lit/directive.js";

import { GLYPHS, lookOf } from "../graph/phases.js";
import { codeParts, oneLine } from "./format.js";

/** The end of an id is what tells it from its siblings, so only what is before it may be cut. */
const TAIL = 9;

export function idOf(id: string): TemplateResult {
  const characters = [...oneLine(id)];
  const [head, tail] = [characters.slice(0, -TAIL).join(""), characters.slice(-TAIL).join("")];
  if (!head) {
    return html`<span class="id">${tail}</span>`;
  }
  // Whoever hears it hears one word.
  return html`<span class="id" title=${oneLine(id)}
    ><span class="unseen">${oneLine(id)}</span><span class="head" aria-hidden="true">${head}</span
    ><span class="tail" aria-hidden="true">${tail}</span></span
  >`;
}

/** Text with what is between backticks as code; all of it stays text. */
export function coded(text: string): (string | TemplateResult)[] {
  return codeParts(text).map((part) => (part.isCode ? html`<code>${part.text}</code>` : part.text));
}

export function glyph(name: string): TemplateResult {
  return html`<svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">
    ${svg`<path d=${GLYPHS[name] ?? ""}></path>`}
  </svg>`;
}

export function phase(name: string): TemplateResult {
  const look = lookOf(name);
  return html`<span class="phase ${look.tone}">${glyph(look.glyph)}${look.word}</span>`;
}

const ICONS: Readonly<Record<string, string>> = {
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  room: "M3 6V3h10v3M3 10v3h10v-3M8 5v6M6 7l2-2 2 2M6 9l2 2 2-2",
  close: "M4 4l8 8M12 4l-8 8",
  out: "M6.5 3.5H3.5v9h9v-3M9 3h4v4M13 3L7.5 8.5",
  copy: "M6 6h7v7H6zM10 3.5H3.5V10",
  done: "M3.5 8.5l3 3 6-7",
  search: "M7 3a4 4 0 1 1-.01 0M10 10l3.5 3.5",
  fold: "M8 2v4M5.8 4.2L8 6.4l2.2-2.2M8 14v-4M5.8 11.8L8 9.6l2.2 2.2M3 8h10",
};

export function icon(name: string): TemplateResult {
  return html`<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" fill="none"
    stroke="currentcolor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
    ${svg`<path d=${ICONS[name] ?? ""}></path>`}
  </svg>`;
}

/** Sets style properties one by one: a style attribute is what the page's policy refuses. */
class StylesDirective extends Directive {
  constructor(part: { type: PartType }) {
    super(part as never);
    if (part.type !== PartType.ELEMENT) {
      throw new Error("styles() is for elements");
    }
  }

  render(_values: Readonly<Record<string, string>>): unknown {
    return noChange;
  }

  override update(part: ElementPart, [values]: [Readonly<Record<string, string>>]): unknown {
    const { style } = part.element as HTMLElement;
    for (const [name, value] of Object.entries(values)) {
      if (style.getPropertyValue(name) !== value) {
        style.setProperty(name, value);
      }
    }
    return noChange;
  }
}

export const styles = directive(StylesDirective);
