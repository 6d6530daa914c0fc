/** What selections of text, and links to a row, need of the rows that react to a click. */

import { noChange } from "lit";
import { Directive, type ElementPart, directive } from "lit/directive.js";

interface RootWithSelection {
  /** Chromium's, which knows what is selected in a shadow tree. */
  getSelection?: () => Selection | null;
}

/** Whether a click ended the selection of text, which is then not meant to do anything else. */
export function isSelecting(event: Event): boolean {
  const selection = selectionOf(event);
  // A click collapses what was selected before it.
  return selection !== null && selection.type === "Range" && selection.toString().trim() !== "";
}

function selectionOf(event: Event): Selection | null {
  const root = (event.currentTarget as Node).getRootNode() as RootWithSelection;
  return root.getSelection?.() ?? document.getSelection();
}

/** An id is drawn in two parts, of which the first may be cut: it is copied in one. */
export function withWholeIds(event: ClipboardEvent): void {
  const text = selectionOf(event)?.toString() ?? "";
  const ids = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(".id .head")];
  const whole = ids.reduce((found, head) => {
    const tail = head.nextElementSibling?.textContent ?? "";
    return tail ? found.replaceAll(`${head.textContent}\n${tail}`, `${head.textContent}${tail}`) : found;
  }, text);
  if (event.clipboardData && whole !== text) {
    event.clipboardData.setData("text/plain", whole);
    event.preventDefault();
  }
}

/** Brings a row into view that is the selected one when it is drawn first: that of a link. */
class BroughtIntoView extends Directive {
  private isDrawn = false;

  render(_isSelected: boolean): unknown {
    return noChange;
  }

  override update({ element }: ElementPart, [isSelected]: [boolean]): unknown {
    if (isSelected && !this.isDrawn) {
      // It is not in the page before all that is around it.
      requestAnimationFrame(() => keepInView(element));
    }
    this.isDrawn = true;
    return noChange;
  }
}

const SETTLING_MILLISECONDS = 3000;
const MOVES = ["wheel", "pointerdown", "keydown", "touchmove"];

/** What is around a row may still grow after it was drawn; a person who moves has it their way. */
function keepInView(element: Element): void {
  const view = element.closest(".scroll");
  if (!element.isConnected || !view) {
    return;
  }
  const watching = new ResizeObserver(() => element.scrollIntoView({ block: "nearest" }));
  const stop = (): void => {
    watching.disconnect();
    MOVES.forEach((name) => removeEventListener(name, stop));
  };
  watching.observe(view);
  MOVES.forEach((name) => addEventListener(name, stop, { passive: true }));
  setTimeout(stop, SETTLING_MILLISECONDS);
}

export const broughtIntoView = directive(BroughtIntoView);
