/** The views of a chain besides the graph: table, timeline, events and runs. */

import { type TemplateResult, css, html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";

import type { Chain, Run, Stack } from "../graph/model.js";
import { lookOf } from "../graph/phases.js";
import { type Meaning, why } from "../graph/why.js";
import {
  age,
  changes,
  counted,
  duration,
  exactTime,
  matches,
  oneLine,
  seconds,
  whyEmpty,
} from "../shared/format.js";
import { coded, glyph, icon, idOf, phase, styles } from "../shared/templates.js";
import type { ChainEvent } from "./documents.js";
import { type Route, nextSort } from "./route.js";
import { COLUMNS, type Column, tableOf } from "./rows.js";
import { ticks, timelineOf } from "./timing.js";

export interface Shown {
  readonly chain: Chain;
  readonly route: Route;
  readonly now: number;
  readonly isPhone: boolean;
  readonly meanings: Readonly<Record<string, Meaning>>;
  readonly go: (changes: Partial<Route>) => void;
}

const HEADS: Readonly<Record<Column, string>> = {
  stack: "Stack",
  phase: "Phase",
  why: "Why",
  level: "Level",
  changes: "Changes",
  started: "Started",
  took: "Took",
};

export function tableView(shown: Shown): TemplateResult {
  const { chain, route, now, go } = shown;
  const rows = tableOf(chain.stacks, route, now);
  if (chain.stacks.length === 0) {
    return emptyView(whyEmpty(chain));
  }
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${COLUMNS.map((column) => head(column, route, go))}
          <th class="c-link"><span class="unseen">Link</span></th>
        </tr>
      </thead>
      <tbody>
        ${repeat(rows, (stack) => stack.id, (stack) => tableRow(stack, shown))}
      </tbody>
    </table>
    ${rows.length === 0 ? emptyView("No stack matches.") : nothing}
  </div>`;
}

function head(column: Column, route: Route, go: Shown["go"]): TemplateResult {
  const order =
    route.sort === column ? "ascending" : route.sort === `-${column}` ? "descending" : "none";
  const sign = order === "ascending" ? "↑" : order === "descending" ? "↓" : "";
  return html`<th class="c-${column}" aria-sort=${order}>
    <button @click=${() => go({ sort: nextSort(route.sort, column) })}>${HEADS[column]} ${sign}</button>
  </th>`;
}

function tableRow(stack: Stack, { chain, meanings, route, now, go }: Shown): TemplateResult {
  const reason = why(stack, chain.stacks, meanings);
  const took = stack.phase === "Skipped" ? "" : duration(seconds(stack.startTime, stack.completionTime, now));
  const isPicked = stack.id === route.stack;
  const pick = (): void => go({ stack: isPicked ? "" : stack.id });
  return html`<tr class=${isPicked ? "picked" : ""} @click=${pick}>
    <td class="c-stack"><button class="row" aria-pressed=${isPicked} @click=${(event: Event) => {
      event.stopPropagation();
      pick();
    }}>${idOf(stack.id)}</button></td>
    <td class="c-phase">${phase(stack.phase)}</td>
    <td class="c-why"><span class="cut" title=${reason}>${coded(reason)}</span></td>
    <td class="c-level">${stack.level + 1}</td>
    <td class="c-changes">${changes(stack.delta)}</td>
    <td class="c-started">${stack.startTime ? `${age(stack.startTime, now)} ago` : ""}</td>
    <td class="c-took">${took}</td>
    <td class="c-link">${stack.runUrl
      ? html`<a class="button icon plain" href=${stack.runUrl} target="_blank" rel="noopener noreferrer"
          aria-label="Open the run of ${stack.id} in Spacelift" @click=${(event: Event) => event.stopPropagation()}>${icon("out")}</a>`
      : nothing}</td>
  </tr>`;
}

function emptyView(text: string): TemplateResult {
  return html`<p class="none">${text}</p>`;
}

export function timelineView({ chain, route, now, isPhone, go }: Shown): TemplateResult {
  const { bars, from, until, others } = timelineOf(chain.stacks, now);
  if (bars.length === 0) {
    return emptyView(chain.stacks.length > 0 ? "No stack has run." : whyEmpty(chain));
  }
  const shown = bars.filter(
    ({ stack }) =>
      matches(route.query, stack.id, stack.name) &&
      (route.only.length === 0 || route.only.includes(stack.phase)),
  );
  const total = (until - from) / 1000;
  const percent = (part: number): string => `${(part * 100).toFixed(3)}%`;
  const marks = ticks(total, isPhone ? 3 : 8);
  return html`<div class="scroll gantt">
    <div class="axis">
      <span></span>
      <div class="track">
        ${marks.map((mark) => html`<span class="tick" ${styles({ left: percent(mark / total) })}>${duration(mark)}</span>`)}
      </div>
    </div>
    ${repeat(
      shown,
      ({ stack }) => stack.id,
      ({ stack, start, end, isCritical }) => {
        const look = lookOf(stack.phase);
        const took = duration(seconds(stack.startTime, stack.completionTime, now));
        const width = Math.max(end - start, 0.002);
        return html`<button class="lane ${look.tone} ${stack.id === route.stack ? "picked" : ""}"
          aria-pressed=${stack.id === route.stack}
          @click=${() => go({ stack: stack.id === route.stack ? "" : stack.id })}>
          <span class="who">${glyph(look.glyph)}${idOf(stack.id)}</span>
          <span class="unseen"
            >${look.word}, started after
            ${duration(Math.floor(start * total))}${isCritical ? ", on the critical path" : ""}, took</span
          >
          <span class="track">
            ${marks.map((mark) => html`<i class="grid" ${styles({ left: percent(mark / total) })}></i>`)}
            <span class="bar ${isCritical ? "critical" : ""} ${stack.phase === "Running" ? "running" : ""}"
              ${styles({ left: percent(start), width: percent(width) })}></span>
            <span class="took" ${styles({ left: percent(start + width) })}>${took}</span>
          </span>
        </button>`;
      },
    )}
    ${shown.length === 0 ? emptyView("No stack matches.") : nothing}
    <p class="key">
      <span class="bar critical sample"></span> critical path: from the stack that ended last back to
      a root, over the upstream stack that ended last each time${others > 0
        ? html` · ${counted(others, "stack")} ${others === 1 ? "has" : "have"} not run`
        : nothing}
    </p>
  </div>`;
}

export function eventsView(
  events: readonly ChainEvent[] | null,
  problem: string,
  { route, now }: Shown,
): TemplateResult {
  if (problem) {
    return emptyView(problem);
  }
  if (events === null) {
    return emptyView("Reading the events…");
  }
  const found = events.filter((event) => matches(route.query, event.reason, event.message));
  return html`<div class="scroll">
    ${found.length === 0
      ? emptyView(
          events.length > 0
            ? "No event matches."
            : "The cluster has no events of this chain; it keeps them for an hour.",
        )
      : html`<ol class="events">
          ${found.map(
            (event) => html`<li class=${event.type === "Warning" ? "bad" : "faint"}>
              <time datetime=${event.time} title=${exactTime(event.time)}>${age(event.time, now)} ago</time>
              ${glyph(event.type === "Warning" ? "cross" : "dot")}
              <b>${event.reason}</b>
              <span class="said">${coded(event.message)}${event.count > 1 ? html` <span class="muted">× ${event.count}</span>` : nothing}</span>
            </li>`,
          )}
        </ol>`}
  </div>`;
}

export function runsView({ chain, route, now, go }: Shown): TemplateResult {
  const runs = chain.run ? [chain.run, ...chain.history] : [...chain.history];
  if (runs.length === 0) {
    return emptyView("This chain has not run yet.");
  }
  return html`<div class="scroll">
    <table class="runs">
      <thead>
        <tr>
          <th>Run</th>
          <th>Phase</th>
          <th>Progress</th>
          <th>Cause</th>
          <th>Operation</th>
          <th>Started</th>
          <th>Took</th>
          <th class="c-why">What happened</th>
          <th><span class="unseen">Link</span></th>
        </tr>
      </thead>
      <tbody>
        ${runs.map((run, place) => runRow(run, runs[place + 1], route.run === String(run.number), now, go))}
      </tbody>
    </table>
  </div>`;
}

function runRow(
  run: Run,
  before: Run | undefined,
  isPicked: boolean,
  now: number,
  go: Shown["go"],
): TemplateResult {
  const took = seconds(run.startTime, run.completionTime, now);
  const tookBefore = before ? seconds(before.startTime, before.completionTime, now) : null;
  const isComparable = run.completionTime && before?.completionTime && took !== null && tookBefore !== null;
  const more = isComparable ? took - tookBefore : 0;
  const pick = (): void => go({ run: isPicked ? "" : String(run.number) });
  return html`<tr class=${isPicked ? "picked" : ""} @click=${pick}>
    <td><button class="row" aria-pressed=${isPicked} @click=${(event: Event) => {
      event.stopPropagation();
      pick();
    }}>${run.number}</button></td>
    <td>${phase(run.phase)}</td>
    <td>${run.progress}</td>
    <td>${run.cause}</td>
    <td>${run.operation}</td>
    <td title=${exactTime(run.startTime)}>${run.startTime ? `${age(run.startTime, now)} ago` : ""}</td>
    <td>
      ${duration(took)}
      ${more !== 0
        ? html`<span class="muted" title="than the run before">${more > 0 ? "+" : "−"}${duration(Math.abs(more))}</span>`
        : nothing}
    </td>
    <td class="c-why"><span class=${isPicked ? "whole" : "cut"}>${coded(oneLine(run.message) || run.reason)}</span></td>
    <td>${run.workflowUrl
      ? html`<a class="button icon plain" href=${run.workflowUrl} target="_blank" rel="noopener noreferrer"
          aria-label="Open run ${run.number} in Temporal" @click=${(event: Event) => event.stopPropagation()}>${icon("out")}</a>`
      : nothing}</td>
  </tr>`;
}

export const viewStyles = css`
  .scroll {
    flex: 1;
    min-width: 0;
    overflow: auto;
    background: var(--surface);
  }
  .none {
    flex: 1;
    margin: 0;
    padding: 64px 24px;
    text-align: center;
    color: var(--muted);
    background: var(--surface);
  }
  table {
    width: 100%;
    border-collapse: separate;
    border-spacing: 0;
  }
  th {
    position: sticky;
    top: 0;
    z-index: 1;
    padding: 8px 12px;
    background: var(--surface);
    border-bottom: 1px solid var(--line);
    text-align: left;
    font-size: 12px;
    font-weight: 550;
    color: var(--muted);
    white-space: nowrap;
  }
  th button {
    padding: 0;
    border: 0;
    background: none;
    font: inherit;
    color: inherit;
    cursor: pointer;
  }
  th[aria-sort="ascending"],
  th[aria-sort="descending"] {
    color: var(--text);
  }
  td {
    padding: 4px 12px;
    border-bottom: 1px solid var(--line);
    white-space: nowrap;
    height: 38px;
  }
  td .phase {
    vertical-align: middle;
  }
  td .button.icon {
    width: 26px;
    height: 26px;
    vertical-align: middle;
  }
  th:first-child,
  td:first-child {
    padding-left: 24px;
  }
  tbody tr {
    cursor: pointer;
  }
  tbody tr:hover {
    background: var(--hover);
  }
  tbody tr.picked {
    background: var(--accent-soft);
  }
  .row {
    display: flex;
    max-width: 34ch;
    padding: 0;
    border: 0;
    background: none;
    font: inherit;
    font-weight: 580;
    cursor: pointer;
    text-align: left;
  }
  .c-why {
    width: 99%;
    max-width: 0;
  }
  .cut {
    display: block;
    overflow: hidden;
    text-overflow: ellipsis;
    color: var(--muted);
    unicode-bidi: plaintext;
    text-align: left;
  }
  .whole {
    white-space: normal;
    overflow-wrap: anywhere;
    color: var(--muted);
  }
  .c-level,
  .c-took {
    text-align: right;
  }
  .gantt {
    padding: 0 24px 24px;
  }
  .axis,
  .lane {
    display: grid;
    grid-template-columns: minmax(120px, 250px) minmax(0, 1fr);
    gap: 16px;
    align-items: center;
    width: 100%;
  }
  .axis {
    position: sticky;
    top: 0;
    z-index: 2;
    height: 32px;
    background: var(--surface);
    border-bottom: 1px solid var(--line);
    font-size: 11.5px;
    color: var(--muted);
  }
  .track {
    position: relative;
    height: 100%;
    /* Room for how long a bar took that ends last. */
    margin-right: 64px;
  }
  .tick {
    position: absolute;
    top: 7px;
    transform: translateX(-50%);
  }
  .tick:first-child {
    transform: none;
  }
  .lane {
    position: relative;
    height: 30px;
    padding: 0;
    border: 0;
    background: none;
    text-align: left;
    cursor: pointer;
  }
  .lane:hover {
    background: var(--hover);
  }
  .lane.picked {
    background: var(--accent-soft);
  }
  .who {
    display: flex;
    align-items: center;
    gap: 8px;
    min-width: 0;
    font-weight: 550;
  }
  .grid {
    position: absolute;
    top: 0;
    bottom: 0;
    width: 1px;
    background: var(--line);
  }
  .bar {
    position: absolute;
    top: 8px;
    height: 14px;
    border-radius: 4px;
    background: var(--tone-soft);
    border: 1px solid var(--tone);
  }
  .bar.critical {
    background: var(--tone);
  }
  .took {
    position: absolute;
    top: 6px;
    padding: 0 6px;
    font-size: 11.5px;
    color: var(--muted);
  }
  .key {
    margin: 14px 0 0;
    font-size: 12px;
    color: var(--muted);
  }
  .sample {
    position: static;
    display: inline-block;
    width: 28px;
    height: 10px;
    margin-right: 6px;
    --tone: var(--good);
  }
  .events {
    margin: 0;
    padding: 4px 0;
    list-style: none;
  }
  .events li {
    display: grid;
    grid-template-columns: 76px 20px 176px minmax(0, 1fr);
    gap: 12px;
    align-items: baseline;
    padding: 7px 24px;
    border-bottom: 1px solid var(--line);
  }
  .events .glyph {
    align-self: start;
  }
  .events b {
    font-weight: 580;
  }
  .events .bad b {
    color: var(--bad);
  }
  .events time {
    color: var(--muted);
    text-align: right;
  }
  .said {
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
    text-align: left;
  }
  @media (max-width: 1100px) {
    .c-level,
    .c-started {
      display: none;
    }
  }
  @media (max-width: 700px) {
    th:first-child,
    td:first-child {
      padding-left: 14px;
    }
    .c-why,
    .c-changes,
    .c-link,
    .runs td:nth-child(4),
    .runs th:nth-child(4),
    .runs td:nth-child(5),
    .runs th:nth-child(5),
    .runs td:nth-child(6),
    .runs th:nth-child(6),
    .runs td:nth-child(9),
    .runs th:nth-child(9) {
      display: none;
    }
    td,
    th {
      padding: 6px 8px;
    }
    .row {
      max-width: 44vw;
    }
    .axis,
    .lane {
      grid-template-columns: 120px minmax(0, 1fr);
    }
    .gantt {
      padding: 0 14px 20px;
    }
    .events li {
      grid-template-columns: 20px minmax(0, 1fr) auto;
      gap: 2px 10px;
      padding: 8px 14px;
    }
    .events time {
      grid-column: 3;
      grid-row: 1;
    }
    .events .glyph {
      grid-row: 1;
    }
    .events .said {
      grid-column: 2 / -1;
    }
  }
`;
