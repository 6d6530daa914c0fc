/** All chains, worst first. */

import { LitElement, type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { clockTime, counted, oneLine } from "../shared/format.js";
import { parts, tokens } from "../shared/styles.js";
import { glyph, icon, idOf, styles } from "../shared/templates.js";
import { type ChainState, type Row, STATES, STATE_ORDER } from "./documents.js";
import { keyOf, sortRows } from "./merging.js";
import { type Route, LIST, UNLIMITED, writeRoute } from "./route.js";
import { isFound, timesOf } from "./rows.js";

const PAGE_SIZE = 200;
/** Phases in the order of the bar, with what they are to the reader. */
const SHARES: readonly (readonly [string, string])[] = [
  ["succeeded", "good"],
  ["running", "active"],
  ["awaitingConfirmation", "attention"],
  ["waiting", "attention"],
  ["failed", "bad"],
  ["timedOut", "bad"],
  ["canceled", "bad"],
  ["skipped", "faint"],
];

export function shareBar(summary: Readonly<Record<string, number>>, name: string): TemplateResult {
  const total = summary["total"] || 0;
  return html`<span class="shares" role="img" aria-label=${name}>
    ${total > 0
      ? SHARES.filter(([phase]) => summary[phase]).map(
          ([phase, tone]) =>
            html`<i class=${tone} ${styles({ width: `${((summary[phase] ?? 0) / total) * 100}%` })}></i>`,
        )
      : nothing}
  </span>`;
}

export const shareStyles = css`
  .shares {
    display: flex;
    gap: 1px;
    height: 6px;
    width: 100%;
    border-radius: 3px;
    overflow: hidden;
    background: var(--faint-soft);
    box-shadow: inset 0 0 0 1px var(--line);
  }
  .shares i {
    background: var(--tone);
    min-width: 3px;
    transition: width 0.3s;
  }
  .shares i.faint {
    opacity: 0.4;
  }
`;

/** The exact times of a run. */
function whenTitle(row: Row): string {
  const times: [string, string][] = [
    ["started", row.startTime],
    [row.completionTime ? "ended" : "likely to end", row.completionTime || row.estimatedCompletionTime],
    ["next run", row.nextTime],
  ];
  return times
    .filter(([, time]) => time)
    .map(([word, time]) => `${word} ${clockTime(time)}`)
    .join(", ");
}

@customElement("chain-list")
export class ChainList extends LitElement {
  static override styles = [
    tokens,
    parts,
    shareStyles,
    css`
      :host {
        display: block;
        overflow-y: auto;
        background: var(--canvas);
      }
      .inside {
        max-width: 1320px;
        margin: 0 auto;
        padding: 20px 24px 48px;
      }
      h1 {
        margin: 0 0 14px;
        font-size: 18px;
        font-weight: 640;
        letter-spacing: -0.01em;
      }
      h1 span {
        margin-left: 6px;
        font-weight: 400;
        color: var(--muted);
      }
      .filters {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        margin-bottom: 14px;
      }
      .filters .field {
        width: 260px;
      }
      .chip {
        gap: 6px;
      }
      .chip .glyph {
        width: 18px;
        height: 18px;
      }
      .chip b {
        font-weight: 600;
      }
      .chip {
        max-width: 100%;
      }
      .chip .cut {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
        border: 1px solid var(--line);
        border-radius: 10px;
        background: var(--surface);
        box-shadow: var(--shadow);
        overflow: hidden;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      .chain,
      .heads {
        display: grid;
        grid-template-columns: 24px minmax(150px, 1.1fr) minmax(0, 2.6fr) 132px 72px 166px;
        align-items: center;
        gap: 4px 16px;
        padding: 11px 18px;
        color: inherit;
        text-decoration: none;
      }
      .heads {
        padding-bottom: 5px;
        font-size: 12px;
        color: var(--muted);
      }
      .meta {
        display: contents;
      }
      .run,
      .when {
        display: grid;
        justify-items: end;
        align-content: center;
      }
      .destroy {
        padding: 0 6px;
        border: 1px solid var(--bad);
        border-radius: 4px;
        background: var(--bad-soft);
        color: var(--bad);
        font-weight: 600;
      }
      .chain:hover {
        background: var(--hover);
        text-decoration: none;
      }
      .chain:focus-visible {
        outline-offset: -3px;
      }
      .name {
        min-width: 0;
      }
      .name .id {
        font-weight: 600;
        display: flex;
      }
      .name .muted,
      .small {
        font-size: 12px;
      }
      .what {
        min-width: 0;
      }
      .what b {
        color: var(--tone);
        font-weight: 580;
      }
      .text {
        display: block;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-size: 12px;
        color: var(--muted);
        unicode-bidi: plaintext;
        text-align: left;
      }
      .progress {
        display: grid;
        gap: 5px;
      }
      .right {
        text-align: right;
      }
      .empty {
        padding: 56px 24px;
        text-align: center;
        color: var(--muted);
      }
      .empty code {
        font-family: var(--mono);
      }
      .rest {
        margin: 16px auto 0;
        display: flex;
      }
      @media (max-width: 900px) {
        .chain {
          grid-template-columns: 24px minmax(0, 1fr) 92px;
        }
        .what {
          grid-column: 2 / -1;
          grid-row: 2;
        }
        .progress {
          grid-column: 3;
          grid-row: 1;
        }
        .heads {
          display: none;
        }
        .meta {
          grid-column: 2 / -1;
          grid-row: 3;
        }
        .meta {
          display: flex;
          flex-wrap: wrap;
          align-items: baseline;
          gap: 2px 10px;
        }
        .run,
        .when {
          display: contents;
        }
        .inside {
          padding: 16px 12px 40px;
        }
        .chain {
          padding: 11px 12px;
          gap: 4px 10px;
        }
        .filters .field {
          width: 100%;
        }
      }
    `,
  ];

  @property({ attribute: false }) rows: readonly Row[] = [];
  @property({ attribute: false }) route: Route = LIST;
  @property({ type: Boolean }) isLoaded = false;
  @property() scope = "";
  @property({ type: Number }) now = Date.now();
  @state() private most = PAGE_SIZE;

  focusSearch(): void {
    this.renderRoot.querySelector<HTMLInputElement>("input")?.focus();
  }

  protected override render(): TemplateResult {
    const { query, only, namespace } = this.route;
    const rows = namespace ? this.rows.filter((row) => row.namespace === namespace) : this.rows;
    const found = sortRows(
      rows.filter((row) => (only.length === 0 || only.includes(row.state)) && isFound(row, query)),
    );
    return html`<div class="inside">
      <h1>Chains <span>${rows.length.toLocaleString("en-US")}</span></h1>
      ${this.rows.length > 0 ? this.renderFilters(rows) : nothing}
      ${found.length > 0
        ? html`<div class="heads" aria-hidden="true">
            <span></span><span>Chain</span><span>State</span><span>Progress</span><span class="right">Run</span>
            <span class="right">Times</span>
          </div>
          <ul @keydown=${this.key}>
            ${repeat(found.slice(0, this.most), keyOf, (row) => this.renderRow(row))}
          </ul>`
        : this.renderEmpty()}
      ${found.length > this.most
        ? html`<button class="button rest" @click=${() => (this.most += PAGE_SIZE)}>
            Show more (${(found.length - this.most).toLocaleString("en-US")} left)
          </button>`
        : nothing}
    </div>`;
  }

  private renderFilters(rows: readonly Row[]): TemplateResult {
    const { namespace } = this.route;
    const counts = new Map<ChainState, number>();
    rows.forEach((row) => counts.set(row.state, (counts.get(row.state) ?? 0) + 1));
    return html`<div class="filters">
      <input class="field" type="search" placeholder="Search name, namespace, reason" aria-label="Search chains"
        aria-keyshortcuts="/" .value=${this.route.query} @input=${this.type} />
      ${namespace
        ? html`<button class="button chip" aria-label="Namespace ${namespace}: show all namespaces"
            @click=${() => this.go({ ...this.route, namespace: "" })}>
            <span class="cut">Namespace ${oneLine(namespace)}</span>${icon("close")}
          </button>`
        : nothing}
      ${STATE_ORDER.filter((one) => counts.has(one) || this.route.only.includes(one)).map((one) => {
        const { word, glyph: sign, tone } = STATES[one];
        return html`<button class="button chip ${tone}" aria-pressed=${this.route.only.includes(one)}
          @click=${() => this.toggle(one)}>
          ${glyph(sign)}${word} <b>${counts.get(one) ?? 0}</b>
        </button>`;
      })}
    </div>`;
  }

  private renderRow(row: Row): TemplateResult {
    const look = STATES[row.state] ?? STATES.unreadable;
    const href = writeRoute({ ...LIST, namespace: row.namespace, chain: row.name });
    const [time, more] = timesOf(row, this.now);
    const total = row.summary["total"] ?? 0;
    return html`<li>
      <a class="chain ${look.tone}" href=${href} data-internal>
        ${glyph(look.glyph)}
        <span class="name">${idOf(row.name)}<span class="muted">${row.namespace}</span></span>
        <span class="what"
          ><b>${look.word}</b>${row.reason && row.reason !== look.word ? html`<span class="muted small"> ${oneLine(row.reason)}</span>` : nothing}
          <span class="text">${oneLine(row.headline)}</span></span
        >
        <span class="progress">
          ${total > 0
            ? html`<span class="small muted">${row.progress}</span>
                ${shareBar(row.summary, `${row.progress} stacks done`)}`
            : html`<span class="small muted">No stacks yet</span>`}
        </span>
        <span class="meta small">
          <span class="run right"
            >${row.run ? html`<span>Run ${row.run}</span>` : nothing}
            ${row.operation
              ? html`<span class=${row.operation === "Destroy" ? "destroy" : "muted"}>${row.operation}</span>`
              : nothing}</span
          >
          <span class="when right" title=${whenTitle(row)}
            ><span>${time}</span>${more ? html` <span class="muted">${more}</span>` : nothing}</span
          >
        </span>
      </a>
    </li>`;
  }

  private renderEmpty(): TemplateResult {
    if (!this.isLoaded) {
      return html`<div class="empty">Reading the chains…</div>`;
    }
    if (this.rows.length > 0) {
      return html`<div class="empty">
        No chain matches.
        <button class="button" @click=${() => this.go({ ...this.route, ...UNLIMITED, namespace: "" })}>Show all ${counted(this.rows.length, "chain")}</button>
      </div>`;
    }
    return html`<div class="empty">
      There are no StackChains in ${this.scope || "this namespace"}.<br />
      Create one with <code>kubectl apply -f examples/platform.yaml</code>; it appears here.
    </div>`;
  }

  private type(event: Event): void {
    this.go({ ...this.route, query: (event.target as HTMLInputElement).value });
  }

  private toggle(one: ChainState): void {
    const { only } = this.route;
    const wanted = only.includes(one) ? only.filter((other) => other !== one) : [...only, one];
    this.go({ ...this.route, only: wanted });
  }

  private key(event: KeyboardEvent): void {
    const links = [...this.renderRoot.querySelectorAll<HTMLElement>("a.chain")];
    const at = links.indexOf(event.target as HTMLElement);
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    const next = step && links[at + step];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }

  private go(route: Route): void {
    this.dispatchEvent(new CustomEvent("go", { detail: { route, isSmall: true }, bubbles: true, composed: true }));
  }
}
