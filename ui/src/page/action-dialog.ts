/** What an action would do, as the server says it, before anything is written. */

import { LitElement, type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query as element, state } from "lit/decorators.js";

import { list, number, object, text } from "../graph/model.js";
import { counted, oneLine } from "../shared/format.js";
import { parts, tokens } from "../shared/styles.js";
import { coded, icon, idOf } from "../shared/templates.js";
import { type Answer, send } from "./api.js";

export interface Action {
  readonly namespace: string;
  readonly name: string;
  readonly action: string;
  readonly stacks?: readonly string[];
  readonly stage?: string;
  readonly parallelism?: number;
}

interface Preview {
  readonly means: string;
  readonly messages: readonly string[];
  readonly lists: readonly { title: string; stacks: readonly string[] }[];
  readonly changes: boolean;
  readonly dangerous: boolean;
  readonly destroys: boolean;
  readonly run: number;
  readonly command: string;
}

const MOST_PARALLEL = 500;
/** What a button says, of the whole chain. */
export const WORDS: Readonly<Record<string, string>> = {
  Run: "Run all stacks",
  Retry: "Retry",
  Bypass: "Bypass",
  Approve: "Approve",
  Cancel: "Cancel the run",
  Suspend: "Suspend",
  Resume: "Resume",
  Parallelism: "Parallelism",
};

@customElement("action-dialog")
export class ActionDialog extends LitElement {
  static override styles = [
    tokens,
    parts,
    css`
      dialog {
        width: min(560px, calc(100vw - 24px));
        max-height: calc(100dvh - 24px);
        padding: 0;
        border: 1px solid var(--line-strong);
        border-radius: 12px;
        background: var(--surface);
        color: var(--text);
        box-shadow: var(--shadow-high);
      }
      dialog::backdrop {
        background: rgb(10 14 20 / 45%);
      }
      form {
        display: grid;
        gap: 14px;
        padding: 20px 22px;
      }
      h2 {
        margin: 0;
        font-size: 16px;
        overflow-wrap: anywhere;
      }
      h3 {
        margin: 0 0 6px;
        font-size: 12px;
        font-weight: 600;
        color: var(--muted);
      }
      p {
        margin: 0;
        overflow-wrap: anywhere;
        unicode-bidi: plaintext;
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 14px;
        max-height: 168px;
        margin: 0;
        padding: 8px 10px;
        overflow-y: auto;
        list-style: none;
        border: 1px solid var(--line);
        border-radius: 6px;
      }
      li {
        max-width: 100%;
      }
      .warning {
        padding: 10px 12px;
        border-radius: var(--radius);
        background: var(--bad-soft);
        color: var(--bad);
      }
      label {
        display: grid;
        gap: 4px;
      }
      code {
        font-family: var(--mono);
        font-size: 12px;
        overflow-wrap: anywhere;
      }
      .command {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      .command p {
        flex: 1;
        min-width: 0;
      }
      .end {
        display: flex;
        justify-content: flex-end;
        gap: 8px;
      }
      .do {
        border-color: transparent;
        background: var(--accent);
        color: var(--surface);
      }
      .do:hover {
        background: var(--accent);
      }
      .do.bad {
        background: var(--bad);
      }
      .do:disabled {
        background: var(--faint-soft);
        color: var(--muted);
        cursor: not-allowed;
      }
    `,
  ];

  @property({ attribute: false }) action: Action | null = null;
  @state() private shown: Preview | null = null;
  @state() private problem = "";
  @state() private typed = "";
  @state() private bound = 0;
  @state() private isSending = false;
  @state() private copied: "" | "Copied" | "Not copied" = "";
  @element("dialog") private dialog!: HTMLDialogElement;

  get isOpen(): boolean {
    return this.action !== null;
  }

  async open(action: Action): Promise<void> {
    this.action = action;
    this.shown = null;
    this.problem = "";
    this.typed = "";
    this.bound = action.parallelism ?? 0;
    this.isSending = false;
    this.copied = "";
    await this.updateComplete;
    this.dialog.showModal();
    const answer = await send("preview", action);
    // Closed meanwhile, or opened for something else.
    if (this.action === action) {
      this.problem = answer.error;
      this.shown = answer.isGood ? previewOf(answer) : null;
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>("[autofocus]")?.focus();
    }
  }

  protected override render(): TemplateResult | typeof nothing {
    const action = this.action;
    return action === null
      ? nothing
      : html`<dialog aria-labelledby="title" @close=${this.#closed}>
          <form @submit=${this.#submit}>
            <h2 id="title">${titleOf(action)}</h2>
            ${this.problem ? html`<p class="warning" role="alert">${coded(this.problem)}</p>` : nothing}
            ${this.shown ? this.#body(action, this.shown) : this.problem ? nothing : html`<p>Reading the chain…</p>`}
            <div class="end">
              <button class="button" type="button" @click=${this.close}>Close</button>
              ${this.shown ? this.#deed(action, this.shown) : nothing}
            </div>
          </form>
        </dialog>`;
  }

  #body(action: Action, shown: Preview): TemplateResult {
    const isBound = action.action === "Parallelism";
    return html`<p>${coded(shown.means)}</p>
      ${isBound ? nothing : shown.messages.map((message) => html`<p>${coded(message)}</p>`)}
      ${isBound
        ? html`<label
            >Stacks that may run at once
            <input class="field" type="number" name="parallelism" min="1" max=${MOST_PARALLEL} required autofocus
              .value=${String(this.bound)}
              @input=${(event: Event) => (this.bound = (event.target as HTMLInputElement).valueAsNumber || 0)} />
          </label>`
        : nothing}
      ${shown.lists.map(
        ({ title, stacks }) => html`<section>
          <h3>${title} (${counted(stacks.length, "stack")})</h3>
          <ul tabindex="0" aria-label=${title}>
            ${stacks.map((id) => html`<li>${idOf(id)}</li>`)}
          </ul>
        </section>`,
      )}
      ${shown.destroys
        ? html`<div class="warning">
              This chain's operation is Destroy: its runs destroy what the stacks manage.
            </div>
            <label
              >Type the name of the chain, ${action.name}, to confirm that
              <input class="field" name="confirmation" autocomplete="off" spellcheck="false" autofocus
                .value=${this.typed}
                @input=${(event: Event) => (this.typed = (event.target as HTMLInputElement).value)} />
            </label>`
        : nothing}
      ${isBound ? nothing : this.#command(shown.command)}`;
  }

  #command(command: string): TemplateResult {
    // A browser has no clipboard for pages that came over plain HTTP from another machine.
    const canCopy = "clipboard" in navigator && Boolean(navigator.clipboard);
    return html`<div class="command">
      <p class="muted">In a terminal: <code>${command}</code></p>
      ${canCopy
        ? html`<button class="button" type="button" aria-label="Copy the command"
              @click=${() => this.#copy(command)}>${icon("copy")}${this.copied || "Copy"}</button>
            <span class="unseen" role="status">${this.copied}</span>`
        : nothing}
    </div>`;
  }

  async #copy(command: string): Promise<void> {
    this.copied = await navigator.clipboard.writeText(command).then(
      () => "Copied" as const,
      () => "Not copied" as const,
    );
  }

  #deed(action: Action, shown: Preview): TemplateResult {
    const isBound = action.action === "Parallelism";
    const isPossible = isBound
      ? this.bound >= 1 && this.bound <= MOST_PARALLEL
      : shown.changes && (!shown.destroys || this.typed === action.name);
    return html`<button class="button do ${shown.dangerous ? "bad" : ""}" type="submit"
      ?disabled=${!isPossible || this.isSending} ?autofocus=${!shown.destroys}>
      ${WORDS[action.action] ?? action.action}
    </button>`;
  }

  readonly #submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { action, shown } = this;
    if (action === null || shown === null || this.isSending) {
      return;
    }
    this.isSending = true;
    this.problem = "";
    const more = action.action === "Parallelism" ? { parallelism: this.bound } : {};
    const answer = await send("ask", { ...action, ...more, run: shown.run, confirmation: this.typed });
    // Closed meanwhile, or opened for something else: only the page's note can say what happened.
    const isShown = this.action === action;
    if (isShown) {
      this.isSending = false;
      this.problem = answer.error;
    }
    if (answer.isGood || !isShown) {
      const messages = answer.isGood ? list(answer.body["messages"]).map(text) : [answer.error];
      this.dispatchEvent(new CustomEvent("asked", { detail: { messages }, bubbles: true, composed: true }));
    }
    if (answer.isGood && isShown) {
      this.close();
    }
  };

  readonly close = (): void => {
    this.dialog.close();
  };

  readonly #closed = (event: Event): void => {
    // Browsers report this with the next frame; by then, it may be open for something else.
    if (!(event.currentTarget as HTMLDialogElement).open) {
      this.action = null;
    }
  };
}

function titleOf(action: Action): string {
  const of = action.stacks?.map(oneLine).join(", ") || action.stage || "";
  const what = WORDS[action.action] ?? action.action;
  return of ? `${what} ${of} of ${action.name}` : `${what}: ${action.name}`;
}

function previewOf({ body }: Answer): Preview {
  return {
    means: text(body["means"]),
    messages: list(body["messages"]).map(text),
    lists: list(body["lists"]).map((item) => {
      const one = object(item);
      return { title: text(one["title"]), stacks: list(one["stacks"]).map(text) };
    }),
    changes: body["changes"] === true,
    dangerous: body["dangerous"] === true,
    destroys: body["destroys"] === true,
    run: number(body["run"], 0),
    command: text(body["command"]),
  };
}

declare global {
  interface HTMLElementTagNameMap {
    "action-dialog": ActionDialog;
  }
}
