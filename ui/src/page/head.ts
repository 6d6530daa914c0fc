/** What a chain is at and what it needs: its headline, its phases in numbers, and Needs you. */

import { type TemplateResult, css, html, nothing } from "lit";

import { type Chain, link } from "../graph/model.js";
import { lookOf } from "../graph/phases.js";
import { sentence } from "../graph/why.js";
import { age, clockTime, counted, duration, estimate, exactTime, oneLine, seconds } from "../shared/format.js";
import { coded, glyph, icon, idOf } from "../shared/templates.js";
import { type Action, WORDS } from "./action-dialog.js";
import { type Detail, type Need, type Stage, STATES } from "./documents.js";
import { shareBar } from "./list.js";
import { LIST, type Route, writeRoute } from "./route.js";

const FEW_NEEDS = 3;
/** What a fact means, where its name does not say it. */
const EXPLAINED: Readonly<Record<string, string>> = {
  "Estimated end": "Judging by how long its stacks took before. Waits for people are not included.",
};
/** A stage that waits for an approval looks like a run that waits for a confirmation. */
const APPROVAL = { ...lookOf("AwaitingConfirmation"), word: "Awaiting approval" };

/**
 * Whether the viewer may change the chain; what the API server says, once it has been asked. Nothing
 * can be asked while the server of the page is away.
 */
export type Rights = "unknown" | "change" | "view" | "unavailable" | "away";

export interface HeadParts {
  readonly chain: Chain;
  readonly detail: Detail;
  readonly route: Route;
  readonly now: number;
  readonly areAllNeeds: boolean;
  /** Whether Needs you shows its rows, or only how many there are. */
  readonly areNeedsOpen: boolean;
  readonly rights: Rights;
  readonly ask: (action: Pick<Action, "action"> & Partial<Action>) => void;
  readonly go: (changes: Partial<Route>) => void;
  readonly showAllNeeds: (all: boolean) => void;
  readonly openNeeds: (open: boolean) => void;
}

export function headline(shown: HeadParts): TemplateResult {
  const { chain, detail } = shown;
  const look = STATES[detail.state] ?? STATES.unreadable;
  const message = detail.headline;
  const isTodo = detail.do && !detail.do.startsWith("Nothing");
  const todo = isTodo ? sentence(detail, shown.rights === "change", WORDS[detail.ask]) : "";
  return html`<section class="headline ${look.tone}" aria-label="State of the chain">
    <div class="state">
      ${glyph(look.glyph)}
      <div class="words">
        <h1>${look.word} <span class="muted reason">${oneLine(chain.ready?.reason ?? "")}</span></h1>
        ${message ? html`<p class="message" title=${oneLine(message)}>${coded(oneLine(message))}</p>` : nothing}
        ${detail.notes.map((note) => html`<p class="small muted">${coded(note)}</p>`)}
        ${todo
          ? html`<p class="small">
              <b>What to do:</b> ${coded(todo)}
            </p>`
          : nothing}
        ${detail.problem ? html`<p class="small bad-text">${coded(detail.problem)}</p>` : nothing}
      </div>
    </div>
    ${facts(shown)}
  </section>`;
}

function facts({ chain, detail, route, now }: HeadParts): TemplateResult {
  const run = chain.run;
  const took = run ? duration(seconds(run.startTime, run.completionTime, now)) : "";
  // The third says when exactly, and in which time zone.
  const items: [string, unknown, string?][] = run
    ? [
        ["Run", run.number],
        ["Cause", run.cause],
        ["Operation", run.operation],
        [run.completionTime ? "Took" : "Elapsed", took],
        ["Estimated end", run.completionTime ? "" : estimate(run.estimatedCompletionTime, now), exactTime(run.estimatedCompletionTime)],
        ["Progress", run.progress],
        ["Changes", detail.changes],
      ]
    : [];
  if (chain.nextTime) {
    items.push(["Next run", clockTime(chain.nextTime, now), exactTime(chain.nextTime)]);
  }
  return html`<dl class="facts">
    ${items
      .filter(([, value]) => value !== "")
      .map(
        ([name, value, exact]) =>
          html`<div title=${[exact, EXPLAINED[name]].filter(Boolean).join(". ") || nothing}><dt>${name}</dt><dd>${value}</dd></div>`,
      )}
    ${detail.runsAfter.length > 0
      ? html`<div>
          <dt>Runs after</dt>
          <dd>
            ${detail.runsAfter.map(
              (name) => html`<a class="after" href=${writeRoute({ ...LIST, namespace: route.namespace, chain: name })} data-internal>${oneLine(name)}</a>`,
            )}
          </dd>
        </div>`
      : nothing}
    ${run?.workflowUrl
      ? html`<div>
          <dt>Workflow</dt>
          <dd><a href=${run.workflowUrl} target="_blank" rel="noopener noreferrer">Temporal ${icon("out")}</a></dd>
        </div>`
      : nothing}
  </dl>`;
}

/** What can be asked for now, by whoever may change the chain. */
function actions({ detail, rights, ask }: HeadParts): TemplateResult | typeof nothing {
  const { possible } = detail;
  if (rights === "away") {
    return html`<p class="actions muted small">Actions are possible again once the server of this page answers.</p>`;
  }
  if (rights === "view" || rights === "unavailable") {
    const why = rights === "view" ? "You may view this chain, but not change it." : "It is not known right now whether you may change this chain.";
    return html`<p class="actions muted small">${why}</p>`;
  }
  if (rights === "unknown" || possible.actions.length === 0) {
    return nothing;
  }
  const label = (action: string): string =>
    action === "Parallelism" ? `Parallelism: ${possible.parallelism}` : (WORDS[action] ?? action);
  return html`<div class="actions" role="group" aria-label="Actions">
    ${possible.actions.map(
      (action) => html`<button class="button" aria-haspopup="dialog"
        @click=${() => ask({ action, ...(action === "Parallelism" ? { parallelism: possible.parallelism } : {}) })}>${label(action)}</button>`,
    )}
  </div>`;
}

/** One chip per phase; each filters the table and the timeline. The actions come next to them. */
export function phases(shown: HeadParts): TemplateResult | typeof nothing {
  const { chain, route, go } = shown;
  const counts = new Map<string, number>();
  chain.stacks.forEach((stack) => counts.set(stack.phase, (counts.get(stack.phase) ?? 0) + 1));
  // A filter that has nothing left to show can be taken away.
  route.only.filter((phase) => !counts.has(phase)).forEach((phase) => counts.set(phase, 0));
  if (counts.size === 0) {
    return html`<div class="phases">${actions(shown)}</div>`;
  }
  const summary = Object.fromEntries(
    [...counts].map(([phase, count]) => [`${phase.charAt(0).toLowerCase()}${phase.slice(1)}`, count]),
  );
  const ordered = [...counts].sort(([a], [b]) => lookOf(a).rank - lookOf(b).rank);
  const toggle = (phase: string): void => {
    const only = route.only.includes(phase)
      ? route.only.filter((one) => one !== phase)
      : [...route.only, phase];
    go({ only, view: route.view === "timeline" ? "timeline" : "table" });
  };
  const words = ordered.map(([phase, count]) => `${count} ${lookOf(phase).word.toLowerCase()}`).join(", ");
  return html`<div class="phases">
    ${shareBar({ ...summary, total: chain.stacks.length }, `${chain.run?.progress ?? ""} stacks done: ${words}`)}
    <div class="chips" role="group" aria-label="Show only stacks of a phase">
      ${ordered.map(([phase, count]) => {
        const look = lookOf(phase);
        return html`<button class="chip ${look.tone}" aria-pressed=${route.only.includes(phase)}
          @click=${() => toggle(phase)}>${glyph(look.glyph)}<b>${count}</b> ${look.word}</button>`;
      })}
    </div>
    ${actions(shown)}
  </div>`;
}

/** The stages in their order: what each one does, or waits for. */
export function stages({ detail, now }: HeadParts): TemplateResult | typeof nothing {
  if (detail.stages.length === 0) {
    return nothing;
  }
  return html`<ol class="stages" aria-label="Stages">
    ${detail.stages.map((stage) => {
      const look = lookOf(stage.phase);
      return html`<li class=${look.tone}>
        ${glyph(look.glyph)}
        <span><b>${oneLine(stage.name)}</b> <span class="muted">${stage.progress}</span>
          <span class="small stage-text" title=${oneLine(stage.message)}>${stageText(stage, now) || look.word}</span></span>
      </li>`;
    })}
  </ol>`;
}

function stageText(stage: Stage, now: number): string {
  if (!stage.waits) {
    return stage.approvedTime ? `approved ${clockTime(stage.approvedTime)}` : "";
  }
  if (stage.until) {
    return `${stage.waits}, ${duration(Math.max(0, seconds(new Date(now).toISOString(), stage.until, now) ?? 0))} left`;
  }
  return stage.since ? `${stage.waits} for ${age(stage.since, now)}` : stage.waits;
}

export function needs(shown: HeadParts): TemplateResult | typeof nothing {
  const all = shown.detail.needs;
  if (all.length === 0) {
    return nothing;
  }
  const isOpen = shown.areNeedsOpen;
  const some = !isOpen ? [] : shown.areAllNeeds ? all : all.slice(0, FEW_NEEDS);
  return html`<section class="needs" aria-labelledby="needs">
    <h2 id="needs"><button aria-expanded=${isOpen} @click=${() => shown.openNeeds(!isOpen)}>${icon(isOpen ? "down" : "right")}
      Needs you <span class="count">${all.length}</span></button></h2>
    ${isOpen
      ? html`<ul>
          ${some.map((need) => (need.stage ? stageRow(need, shown) : needRow(need, shown)))}
        </ul>`
      : nothing}
    ${isOpen && all.length > FEW_NEEDS
      ? html`<button class="more" aria-expanded=${shown.areAllNeeds}
          @click=${() => shown.showAllNeeds(!shown.areAllNeeds)}>
          ${shown.areAllNeeds ? "Show fewer" : `Show all ${all.length}`}
        </button>`
      : nothing}
  </section>`;
}

function stageRow(need: Need, { detail, rights, ask }: HeadParts): TemplateResult {
  const mayApprove = rights === "change" && detail.possible.approvable.includes(need.stage);
  return html`<li class=${APPROVAL.tone}>
    <div class="need">
      ${glyph(APPROVAL.glyph)}
      <span class="who"><span class="muted kind">stage</span>${oneLine(need.stage)}</span>
      <span class="phase-word">${APPROVAL.word}</span>
      ${said(need, rights)}
    </div>
    ${mayApprove ? approveButton(need.stage, ask) : nothing}
  </li>`;
}

function approveButton(stage: string, ask: HeadParts["ask"]): TemplateResult {
  return html`<button class="button" aria-haspopup="dialog" aria-label="Approve ${oneLine(stage)}"
    @click=${() => ask({ action: "Approve", stage })}>Approve</button>`;
}

function said(need: Need, rights: Rights): TemplateResult {
  const mayAsk = rights === "change";
  const todo = sentence(need, mayAsk, WORDS[need.ask]);
  // The command of a stack has room at its side.
  const short = mayAsk && need.ask && need.id ? sentence({ ...need, command: "" }, mayAsk, WORDS[need.ask]) : todo;
  const isAction = need.do && need.do !== "Nothing.";
  return html`<span class="said" title=${oneLine(need.message)}>${coded(oneLine(need.message || need.means || need.reason))}${
      isAction ? html`<span class="todo" title=${todo}>${coded(short)}</span>` : nothing
    }</span>
    <span class="holds">${need.held > 0 ? `holds up ${counted(need.held, "stack")}` : ""}</span>`;
}

function needRow(need: Need, { route, rights, ask, go }: HeadParts): TemplateResult {
  const look = lookOf(need.phase);
  const isPicked = route.stack === need.id;
  const url = link(need.runUrl);
  return html`<li class="${look.tone} ${isPicked ? "picked" : ""}">
    <button class="need" aria-pressed=${isPicked} @click=${() => go({ stack: isPicked ? "" : need.id })}>
      ${glyph(look.glyph)}
      <span class="who">${idOf(need.id)}</span>
      <span class="phase-word">${look.word}</span>
      ${said(need, rights)}
    </button>
    ${rights === "change" && need.actions.includes("Retry")
      ? html`<button class="button" aria-haspopup="dialog" aria-label="Retry ${need.id}"
          @click=${() => ask({ action: "Retry", stacks: [need.id] })}>Retry</button>`
      : nothing}
    ${url
      ? html`<a class="button" href=${url} target="_blank" rel="noopener noreferrer"
          aria-label="Open the run of ${need.id} in Spacelift">Spacelift ${icon("out")}</a>`
      : nothing}
  </li>`;
}

export const headStyles = css`
  .headline {
    display: flex;
    flex-wrap: wrap;
    gap: 12px 40px;
    align-items: flex-start;
    justify-content: space-between;
    padding: 16px 24px 12px;
  }
  .state {
    display: flex;
    gap: 12px;
    flex: 1 1 420px;
    min-width: 0;
  }
  .state > .glyph {
    width: 34px;
    height: 34px;
    padding: 5px;
  }
  .words {
    min-width: 0;
  }
  h1 {
    margin: 0;
    font-size: 17px;
    font-weight: 640;
    letter-spacing: -0.01em;
    line-height: 1.3;
    color: var(--tone);
  }
  .reason {
    margin-left: 10px;
    font-size: 13px;
    font-weight: 400;
    letter-spacing: 0;
  }
  .words p {
    margin: 2px 0 0;
    max-width: 92ch;
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
  }
  .words .message {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
  }
  .small {
    font-size: 12px;
  }
  .bad-text {
    color: var(--bad);
  }
  .facts {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 28px;
    margin: 0;
  }
  .facts dt {
    font-size: 11.5px;
    color: var(--muted);
  }
  .facts dd {
    margin: 1px 0 0;
    font-weight: 560;
    white-space: nowrap;
  }
  .facts a {
    display: inline-flex;
    align-items: center;
    gap: 4px;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin: 0;
    margin-left: auto;
  }
  .phases {
    padding: 0 24px 12px;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 16px;
  }
  .phases > .shares {
    flex: 1 0 100%;
  }
  .after + .after {
    margin-left: 10px;
  }
  .stages {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin: 0;
    padding: 0 24px 12px;
    list-style: none;
  }
  .stages li {
    display: flex;
    align-items: center;
    gap: 8px;
    min-width: 0;
    padding: 6px 12px 6px 8px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
  }
  .stage-text {
    display: block;
    color: var(--tone);
    overflow-wrap: anywhere;
  }
  .chips {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    margin-left: -5px;
  }
  .chip {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    height: 26px;
    padding: 0 8px 0 4px;
    border: 1px solid transparent;
    border-radius: 13px;
    background: none;
    cursor: pointer;
  }
  .chip:hover {
    background: var(--hover);
  }
  .chip[aria-pressed="true"] {
    border-color: var(--accent);
    background: var(--accent-soft);
  }
  .chip b {
    font-weight: 640;
  }
  .needs {
    margin: 0 24px 14px;
    border: 1px solid var(--line);
    border-radius: 10px;
    background: var(--surface);
    box-shadow: var(--shadow);
    overflow: hidden;
  }
  .needs h2 {
    margin: 0;
    font-size: 12.5px;
    font-weight: 620;
  }
  .needs h2 button {
    display: flex;
    align-items: center;
    gap: 6px;
    width: 100%;
    padding: 8px 14px 7px 10px;
    border: 0;
    background: none;
    font-weight: inherit;
    text-align: left;
    cursor: pointer;
  }
  .needs h2 button:focus-visible {
    outline-offset: -3px;
  }
  .count {
    display: inline-block;
    min-width: 18px;
    margin-left: 4px;
    padding: 0 5px;
    border-radius: 9px;
    background: var(--bad-soft);
    color: var(--bad);
    font-size: 11.5px;
    line-height: 18px;
    text-align: center;
  }
  .needs ul {
    max-height: min(264px, 32vh);
    margin: 0;
    padding: 0;
    overflow-y: auto;
    list-style: none;
  }
  .needs li {
    display: flex;
    align-items: center;
    gap: 12px;
    padding-right: 12px;
    border-top: 1px solid var(--line);
  }
  .needs li:hover {
    background: var(--hover);
  }
  .needs li.picked {
    background: var(--accent-soft);
  }
  .need {
    flex: 1;
    min-width: 0;
    display: grid;
    grid-template-columns: 20px minmax(110px, min(34ch, 24%)) 150px minmax(0, 1fr) auto;
    gap: 12px;
    align-items: center;
    min-height: 44px;
    padding: 5px 0 5px 14px;
    border: 0;
    background: none;
    text-align: left;
    cursor: pointer;
  }
  .need:focus-visible {
    outline-offset: -3px;
  }
  .need .who {
    font-weight: 600;
    display: flex;
    min-width: 0;
  }
  div.need {
    cursor: default;
  }
  .kind {
    margin-right: 6px;
    font-weight: 400;
  }
  .phase-word {
    color: var(--tone);
    font-weight: 550;
    font-size: 12.5px;
  }
  .needs .said {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    unicode-bidi: plaintext;
    text-align: left;
  }
  .todo {
    display: block;
    overflow: hidden;
    text-overflow: ellipsis;
    font-size: 12px;
    color: var(--muted);
  }
  .holds {
    color: var(--muted);
    font-size: 12px;
    white-space: nowrap;
  }
  .needs .more {
    width: 100%;
    padding: 7px 14px;
    border: 0;
    border-top: 1px solid var(--line);
    background: none;
    color: var(--accent);
    text-align: left;
    cursor: pointer;
  }
  .needs .more:hover {
    background: var(--hover);
  }
  @media (max-width: 700px) {
    .headline,
    .stages,
    .phases {
      padding-left: 14px;
      padding-right: 14px;
    }
    .state {
      flex-basis: 100%;
    }
    .facts {
      gap: 8px 22px;
    }
    .reason {
      display: block;
      margin: 0;
    }
    .words .message {
      -webkit-line-clamp: 5;
    }
    .needs {
      margin: 0 14px 14px;
    }
    .actions {
      margin-left: 0;
    }
    .needs ul {
      max-height: none;
    }
    .needs li {
      flex-wrap: wrap;
      gap: 0 8px;
      padding: 0 12px 10px;
    }
    .needs li > .button {
      margin-left: 30px;
    }
    .needs li > .button + .button {
      margin-left: 0;
    }
    .need {
      flex: 1 0 100%;
      grid-template-columns: 20px minmax(0, 1fr);
      gap: 2px 10px;
      padding: 9px 0;
    }
    .phase-word {
      grid-column: 2;
    }
    .needs .said {
      grid-column: 2 / -1;
      white-space: normal;
      display: -webkit-box;
      -webkit-box-orient: vertical;
      -webkit-line-clamp: 4;
    }
    .todo {
      white-space: normal;
    }
    .holds {
      grid-column: 2 / -1;
    }
    .holds:empty {
      display: none;
    }
  }
`;
