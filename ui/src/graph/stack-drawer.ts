/** All that is known of one stack: why it is where it is, what to do, its run and its neighbors. */

import { LitElement, type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { age, changes, clockTime, counted, duration, exactTime, oneLine, seconds } from "../shared/format.js";
import { parts, tokens } from "../shared/styles.js";
import { coded, icon, idOf, phase } from "../shared/templates.js";
import { relatives } from "./folding.js";
import type { Stack } from "./model.js";
import { sourceOf } from "./phases.js";
import { type Meaning, type Todo, because, sentence } from "./why.js";

/** What the reason of a stack means and what to do about it, in the words of `explain`. */
export interface Advice extends Meaning, Todo {
  /** Another chain that has the stack, as `namespace/name`; empty if none is known. */
  readonly chain: string;
  /** The first stacks that it holds up, and how many there are. */
  readonly holds: readonly string[];
  readonly held: number;
  /** What can be asked for this stack alone. */
  readonly actions: readonly string[];
}

const MOST_LISTED = 12;
const COPIED_MILLISECONDS = 2000;

@customElement("stackchain-drawer")
export class StackDrawer extends LitElement {
  static override styles = [
    tokens,
    parts,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
        background: var(--surface);
      }
      header {
        display: flex;
        align-items: flex-start;
        gap: 8px;
        padding: 16px 12px 12px 20px;
        border-bottom: 1px solid var(--line);
      }
      h2 {
        flex: 1;
        min-width: 0;
        margin: 0;
        font-size: 15px;
        font-weight: 620;
        line-height: 1.35;
        overflow-wrap: anywhere;
        unicode-bidi: isolate;
      }
      .body {
        flex: 1;
        overflow-y: auto;
        padding: 16px 20px 28px;
        display: grid;
        grid-auto-rows: max-content;
        gap: 16px;
        outline-offset: -2px;
      }
      .message {
        margin: 0;
        max-height: 16em;
        overflow-y: auto;
        overflow-wrap: anywhere;
        white-space: pre-line;
        unicode-bidi: plaintext;
      }
      .do {
        padding: 10px 12px;
        border-radius: var(--radius);
        background: var(--tone-soft, var(--faint-soft));
      }
      .do b {
        display: block;
        margin-bottom: 2px;
        color: var(--tone);
      }
      h3 {
        margin: 0 0 6px;
        font-size: 11px;
        font-weight: 600;
        letter-spacing: 0.04em;
        text-transform: uppercase;
        color: var(--muted);
      }
      dl {
        display: grid;
        grid-template-columns: 92px minmax(0, 1fr);
        gap: 6px 12px;
        align-items: baseline;
        margin: 0;
      }
      dt {
        color: var(--muted);
      }
      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .links {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .names {
        display: flex;
        flex-wrap: wrap;
        gap: 6px;
      }
      .names button {
        max-width: 100%;
        height: 26px;
        padding: 0 8px;
        border: 1px solid var(--line);
        border-radius: 6px;
        background: none;
        cursor: pointer;
        overflow: hidden;
      }
      .names button:hover {
        background: var(--hover);
      }
      .button.icon.copy {
        width: 24px;
        height: 24px;
        vertical-align: middle;
        color: var(--muted);
      }
      header .button.icon.copy {
        margin: 3px -6px 0 0;
      }
      .who {
        display: inline-block;
        max-width: 100%;
        padding: 0 6px;
        border: 1px solid var(--line);
        border-radius: 6px;
        background: none;
        font-weight: 600;
        cursor: pointer;
        vertical-align: bottom;
      }
      .who:hover {
        background: var(--hover);
      }
      .runs {
        display: grid;
        gap: 4px;
        margin: 0;
        padding: 0;
        list-style: none;
        overflow-wrap: anywhere;
      }
    `,
  ];

  @property({ attribute: false }) stack: Stack | null = null;
  @property({ attribute: false }) stacks: readonly Stack[] = [];
  @property({ attribute: false }) advice: Advice | null = null;
  /** What the page offers for this stack: a click dispatches `stack-action`. */
  @property({ attribute: false }) actions: readonly string[] = [];
  /** What its reason means; for stacks without advice. */
  @property({ attribute: false }) meaning: Meaning | null = null;
  /** Whether the viewer has the buttons that advice names. */
  @property({ attribute: false }) mayAsk = false;
  /** Of the run of the chain. */
  @property({ attribute: false }) workflowUrl = "";
  /** Leads to the chain that has the stack, where advice names one. */
  @property({ attribute: false }) chainLink = "";
  @property({ type: Number }) now = Date.now();
  /** Whether it covers all of the page, so that its title is the page's. */
  @property({ attribute: false }) isWhole = false;
  @state() private copied = "";

  protected override render(): TemplateResult | typeof nothing {
    const stack = this.stack;
    if (stack === null) {
      return nothing;
    }
    return html`<header>
        <h2 id="title" tabindex="-1" aria-level=${this.isWhole ? 1 : 2}>${oneLine(stack.id)}</h2>
        ${this.#copy(oneLine(stack.id), "Copy the id of the stack")}
        <button class="button icon plain" aria-label="Close" @click=${this.#close}>
          ${icon("close")}
        </button>
      </header>
      <div class="body" tabindex="0" role="region" aria-labelledby="title">
        <div>${phase(stack.phase)}</div>
        ${this.#why(stack)} ${this.#links(stack)} ${this.#facts(stack)} ${this.#neighbors(stack)}
        ${this.#unusedRuns(stack)}
      </div>
      <div class="unseen" role="status">${this.copied ? `${this.copied} was copied.` : ""}</div>`;
  }

  focusTitle(): void {
    this.renderRoot.querySelector<HTMLElement>("#title")?.focus();
  }

  #why(stack: Stack): TemplateResult | typeof nothing {
    const { advice, meaning } = this;
    // The stack that it was skipped behind is what needs someone.
    const todo = advice ? sentence(advice, this.mayAsk) : stack.blockedBy ? "" : (meaning?.do ?? "");
    const isAction = todo !== "" && todo !== "Nothing.";
    const tone = ["Failed", "TimedOut", "Canceled"].includes(stack.phase) ? "bad" : "attention";
    return html`${stack.blockedBy ? this.#because(stack) : this.#message(stack.message || advice?.means || meaning?.means || "")}
    ${this.chainLink && advice
      ? html`<p class="message">In use by chain <a href=${this.chainLink} data-internal>${oneLine(advice.chain)}</a>.</p>`
      : nothing}
    ${isAction ? html`<div class="do ${tone}"><b>What to do</b>${coded(todo)}</div>` : nothing}`;
  }

  #message(text: string): TemplateResult | typeof nothing {
    return text ? html`<p class="message">${coded(text)}</p>` : nothing;
  }

  #because(stack: Stack): TemplateResult {
    const blocker = this.stacks.find((one) => one.id === stack.blockedBy);
    const [before, after] = because(stack, blocker);
    const name = oneLine(stack.blockedBy);
    const isSaid = !stack.message || stack.message === `${before}'${stack.blockedBy}'${after}`;
    return html`<p class="message">${coded(before)}${blocker
      ? html`<button class="who" @click=${() => this.#select(blocker.id)}>${name}</button>`
      : html`<b>${name}</b>`}${coded(after)}</p>
      ${isSaid ? nothing : this.#message(stack.message)}`;
  }

  #copy(text: string, label: string): TemplateResult | typeof nothing {
    // Only there where the page is served over TLS or on this machine.
    return "clipboard" in navigator
      ? html`<button class="button icon plain copy" aria-label=${label} title=${label} @click=${() => void this.#take(text)}>
          ${icon(this.copied === text ? "done" : "copy")}
        </button>`
      : nothing;
  }

  async #take(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      return;
    }
    this.copied = text;
    window.setTimeout(() => (this.copied = ""), COPIED_MILLISECONDS);
  }

  #links(stack: Stack): TemplateResult | typeof nothing {
    const holder = stack.phase === "Waiting" && stack.heldBy?.url !== stack.runUrl ? stack.heldBy?.url : "";
    return stack.runUrl || holder || this.workflowUrl || this.actions.length > 0
      ? html`<div class="links">
          ${this.actions.map(
            (action) => html`<button class="button" @click=${() => this.#ask(action, stack.id)}>${action}</button>`,
          )}
          ${stack.runUrl
            ? html`<a class="button" href=${stack.runUrl} target="_blank" rel="noopener noreferrer"
                >Open the run in Spacelift ${icon("out")}</a
              >`
            : nothing}
          ${holder
            ? html`<a class="button" href=${holder} target="_blank" rel="noopener noreferrer"
                >Open what it waits for ${icon("out")}</a
              >`
            : nothing}
          ${this.workflowUrl
            ? html`<a class="button" href=${this.workflowUrl} target="_blank" rel="noopener noreferrer"
                >Workflow in Temporal ${icon("out")}</a
              >`
            : nothing}
        </div>`
      : nothing;
  }

  #facts(stack: Stack): TemplateResult {
    const took = duration(seconds(stack.startTime, stack.completionTime, this.now));
    const facts: [string, unknown, string?][] = [
      ["Reason", oneLine(stack.reason)],
      ["Name", stack.name === stack.id ? "" : oneLine(stack.name)],
      ["Changes", changes(stack.delta)],
      ["Attempts", stack.attempts > 1 ? String(stack.attempts) : ""],
      ["Took", stack.phase === "Skipped" ? "" : took],
      ["Started", stack.startTime ? `${clockTime(stack.startTime)} (${age(stack.startTime, this.now)} ago)` : "", exactTime(stack.startTime)],
      ["Ended", clockTime(stack.completionTime), exactTime(stack.completionTime)],
      ["Run", stack.runId ? html`<code>${stack.runId}</code> ${this.#copy(oneLine(stack.runId), "Copy the id of the run")}` : ""],
      ["Started by", sourceOf(stack.runSource)],
      ["In Spacelift", stack.runState],
      ["Level", String(stack.level + 1)],
    ];
    return html`<dl>
      ${facts.filter(([, value]) => value !== "").map(
        ([name, value, exact]) => html`<dt>${name}</dt><dd title=${exact || nothing}>${value}</dd>`,
      )}
    </dl>`;
  }

  #unusedRuns(stack: Stack): TemplateResult | typeof nothing {
    return stack.unusedRuns.length > 0
      ? html`<section>
          <h3 aria-level=${this.isWhole ? 2 : 3}>Runs that it did not use</h3>
          <ul class="runs">
            ${stack.unusedRuns.slice(0, MOST_LISTED).map(
              (run) => html`<li>
                ${run.runUrl
                  ? html`<a href=${run.runUrl} target="_blank" rel="noopener noreferrer"><code>${oneLine(run.runId)}</code></a>`
                  : html`<code>${oneLine(run.runId)}</code>`}
                <span class="muted">${oneLine(run.runState)}</span>
              </li>`,
            )}
          </ul>
        </section>`
      : nothing;
  }

  #neighbors(stack: Stack): TemplateResult {
    const direct = this.stacks.filter((one) => one.dependsOn.includes(stack.id));
    const { upstream, downstream } = relatives(this.stacks, stack.id);
    const phaseOf = new Map(this.stacks.map((one) => [one.id, one.phase]));
    const held = this.advice?.holds ?? [];
    return html`${held.length > 0
        ? html`<section>
            <h3 aria-level=${this.isWhole ? 2 : 3}>Holds up ${counted(this.advice?.held ?? held.length, "stack")}</h3>
            ${this.#names(held, phaseOf, this.advice?.held)}
          </section>`
        : nothing}
      <section>
        <h3 aria-level=${this.isWhole ? 2 : 3}>Depends on${upstream.size > 0 ? ` (${upstream.size} in all)` : ""}</h3>
        ${this.#names(stack.dependsOn, phaseOf)}
      </section>
      <section>
        <h3 aria-level=${this.isWhole ? 2 : 3}>Dependents${downstream.size > 0 ? ` (${downstream.size} in all)` : ""}</h3>
        ${this.#names(direct.map((one) => one.id), phaseOf)}
      </section>`;
  }

  #names(
    ids: readonly string[],
    phaseOf: ReadonlyMap<string, string>,
    total = ids.length,
  ): TemplateResult {
    if (ids.length === 0) {
      return html`<span class="muted">None</span>`;
    }
    const more = total - MOST_LISTED;
    return html`<div class="names">
      ${ids.slice(0, MOST_LISTED).map(
        (id) =>
          html`<button ?disabled=${!phaseOf.has(id)} @click=${() => this.#select(id)}>${idOf(id)}</button>`,
      )}
      ${more > 0 ? html`<span class="muted">and ${more} more</span>` : nothing}
    </div>`;
  }

  #select(id: string): void {
    this.dispatchEvent(new CustomEvent("stack-select", { detail: { id }, bubbles: true, composed: true }));
  }

  #ask(action: string, id: string): void {
    this.dispatchEvent(
      new CustomEvent("stack-action", { detail: { action, id }, bubbles: true, composed: true }),
    );
  }

  #close(): void {
    this.#select("");
  }
}
