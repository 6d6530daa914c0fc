/** The views of a chain besides the graph: table, timeline, events and runs. */

import { type TemplateResult, css, html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";

import type { Chain, Run, Stack } from "../graph/model.js";
import { lookOf } from "../graph/phases.js";
import { type Meaning, why } from "../graph/why.js";
import {
  age,
  changes,
  clockTime,
  counted,
  duration,
  exactTime,
  matches,
  oneLine,
  seconds,
  whyEmpty,
} from "../shared/format.js";
import { coded, glyph, icon, idOf, phase, styles } from "../shared/templates.js";
import { differences, phaseCounts } from "./comparing.js";
import type { ChainEvent } from "./documents.js";
import { type Route, UNLIMITED, nextSort } from "./route.js";
import { COLUMNS, type Column, tableOf } from "./rows.js";
import { broughtIntoView, isSelecting, withWholeIds } from "./selecting.js";
import { clock, ticks, timelineOf } from "./timing.js";

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
  const hasDrawer = chain.stacks.some((stack) => stack.id === route.stack);
  return html`<div class="scroll stacks ${hasDrawer ? "with-drawer" : ""}" @copy=${withWholeIds}>
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
    ${rows.length === 0 ? nothingFound("No stack matches.", go) : nothing}
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
  const pick = (event: Event): void => {
    if (!isSelecting(event)) {
      go({ stack: isPicked ? "" : stack.id });
    }
  };
  return html`<tr class=${isPicked ? "picked" : ""} @click=${pick} ${broughtIntoView(isPicked)}>
    <td class="c-stack"><button class="row" aria-pressed=${isPicked}>${idOf(stack.id)}</button></td>
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

/** The way out of a search or filter, which may be for something that has gone since. */
function nothingFound(text: string, go: Shown["go"]): TemplateResult {
  return html`<p class="none">${text} <button class="button" @click=${() => go(UNLIMITED)}>Show all</button></p>`;
}

export function timelineView({ chain, route, now, isPhone, go }: Shown): TemplateResult {
  const { bars, from, until, others } = timelineOf(chain.stacks, chain.run, now);
  if (bars.length === 0) {
    return emptyView(chain.stacks.length > 0 ? "No stack has run." : whyEmpty(chain));
  }
  const shown = bars.filter(
    ({ stack, isCritical }) =>
      matches(route.query, stack.id, stack.name) &&
      (route.only.length === 0 || route.only.includes(stack.phase)) &&
      (isCritical || !route.isCriticalOnly),
  );
  const total = (until - from) / 1000;
  const percent = (part: number): string => `${(part * 100).toFixed(3)}%`;
  const isNarrow = innerWidth < 1000 || chain.stacks.some((stack) => stack.id === route.stack);
  const marks = ticks(total, isPhone ? 3 : isNarrow ? 4 : 8);
  const step = marks[1] ?? 1;
  const at = (part: number): string => clockTime(new Date(from + part * (until - from)).toISOString());
  return html`<div class="scroll gantt" @copy=${withWholeIds}>
    <div class="axis">
      <div class="key">
        <button class="button" aria-pressed=${route.isCriticalOnly}
          @click=${() => go({ isCriticalOnly: !route.isCriticalOnly })}>Critical path only</button>
        <span title="From the stack that ended last back to a root, over the upstream stack that ended last each time"
          ><span class="bar critical sample"></span>critical path: what made the run take this long</span>
        <span><span class="wait sample"></span>time it waited</span>
        <span>started ${clockTime(new Date(from).toISOString())}</span>
        ${others > 0 ? html`<span>${counted(others, "stack")} ${others === 1 ? "has" : "have"} not run</span>` : nothing}
      </div>
      <span></span>
      <div class="track">
        ${marks.map(
          (mark) => html`<span class="tick" title=${at(mark / total)} ${styles({ left: percent(mark / total) })}
            >${duration(mark)}${isPhone ? nothing : html`<br /><span class="clock">${clock(from + mark * 1000, step)}</span>`}</span
          >`,
        )}
      </div>
    </div>
    ${repeat(
      shown,
      ({ stack }) => stack.id,
      ({ stack, start, end, isCritical, waitedFrom }) => {
        const look = lookOf(stack.phase);
        const took = duration(seconds(stack.startTime, stack.completionTime, now));
        const width = Math.max(end - start, 0.002);
        const isPicked = stack.id === route.stack;
        const waited = isCritical ? Math.round((start - waitedFrom) * total) : 0;
        const wait = waited > 0 ? `waited ${duration(waited)}` : "";
        const attempt = stack.attempts > 1 ? `attempt ${stack.attempts}` : "";
        const ended = stack.completionTime ? `ended ${clockTime(stack.completionTime)}` : "has not ended";
        const said = [`started ${clockTime(stack.startTime)}`, ended, `took ${took}`, attempt, wait];
        return html`<button class="lane ${look.tone} ${isPicked ? "picked" : ""}"
          aria-pressed=${isPicked} ${broughtIntoView(isPicked)}
          @click=${(event: Event) => isSelecting(event) || go({ stack: isPicked ? "" : stack.id })}>
          <span class="who">${glyph(look.glyph)}${idOf(stack.id)}</span>
          <span class="unseen">${[look.word, isCritical ? "on the critical path" : "", ...said].filter(Boolean).join(", ")}</span>
          <span class="track" aria-hidden="true" title=${said.filter(Boolean).join(", ")}>
            ${marks.map((mark) => html`<i class="grid" ${styles({ left: percent(mark / total) })}></i>`)}
            ${waited > 0 ? html`<i class="wait" ${styles({ left: percent(waitedFrom), width: percent(start - waitedFrom) })}></i>` : nothing}
            <span class="bar ${isCritical ? "critical" : ""} ${stack.phase === "Running" ? "running" : ""}"
              ${styles({ left: percent(start), width: percent(width) })}></span>
            <span class="took" ${styles({ left: percent(start + width) })}
              >${took}${attempt ? html` <span class="attempt">${isPhone ? `×${stack.attempts}` : attempt}</span>` : nothing}</span
            >
          </span>
        </button>`;
      },
    )}
    ${shown.length === 0 ? nothingFound("No stack matches.", go) : nothing}
  </div>`;
}

export function eventsView(
  events: readonly ChainEvent[] | null,
  problem: string,
  { route, now, go }: Shown,
): TemplateResult {
  if (problem) {
    return html`<p class="none">${coded(problem)}</p>`;
  }
  if (events === null) {
    return emptyView("Reading the events…");
  }
  const found = events.filter((event) => matches(route.query, event.reason, event.message));
  return html`<div class="scroll">
    ${found.length === 0 && events.length > 0
      ? nothingFound("No event matches.", go)
      : found.length === 0
      ? emptyView(
          "The cluster has no events of this chain; it keeps them for an hour.",
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

export function runsView(shown: Shown): TemplateResult {
  const { chain, isPhone } = shown;
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
          ${isPhone
            ? html`<th class="c-took">Took</th>`
            : html`<th>Changes</th>
                <th class="c-cause">Cause</th>
                <th class="c-operation">Operation</th>
                <th>Started</th>
                <th class="c-took">Took</th>
                <th>Compared with the previous run</th>
                <th class="c-why">What happened</th>
                <th><span class="unseen">Link</span></th>`}
        </tr>
      </thead>
      <tbody>
        ${repeat(runs, (run) => run.number, (run, place) => runRow(run, runs[place + 1], shown))}
      </tbody>
    </table>
  </div>`;
}

const RUN_COLUMNS = 11;
const RUN_COLUMNS_OF_PHONE = 4;

function runRow(run: Run, before: Run | undefined, { route, now, isPhone, go }: Shown): TemplateResult {
  const isPicked = route.run === String(run.number);
  const took = duration(seconds(run.startTime, run.completionTime, now));
  const started = run.startTime ? `${age(run.startTime, now)} ago` : "";
  const other = differences(run, before);
  const happened = oneLine(run.message) || run.reason;
  const pick = (event: Event): void => {
    if (!isSelecting(event)) {
      go({ run: isPicked ? "" : String(run.number) });
    }
  };
  const picked = isPicked ? "picked" : "";
  const columns = isPhone ? RUN_COLUMNS_OF_PHONE : RUN_COLUMNS;
  return html`<tr class="${picked} ${isPhone || isPicked ? "has-more" : ""}" @click=${pick} ${broughtIntoView(isPicked)}>
      <td><button class="row" aria-expanded=${isPicked} aria-label="Run ${run.number}">${run.number}</button></td>
      <td>${phase(run.phase)}</td>
      <td>${run.progress}</td>
      ${isPhone
        ? html`<td class="c-took">${took}</td>`
        : html`<td>${run.changes}</td>
            <td class="c-cause">${run.cause}</td>
            <td class="c-operation">${run.operation}</td>
            <td title=${exactTime(run.startTime)}>${started}</td>
            <td class="c-took">${took}</td>
            <td class="c-other">${unbroken(other)}</td>
            <td class="c-why"><span class="cut">${isPicked ? "" : coded(happened)}</span></td>
            <td>${run.workflowUrl
              ? html`<a class="button icon plain" href=${run.workflowUrl} target="_blank" rel="noopener noreferrer"
                  aria-label="Open run ${run.number} in Temporal" @click=${(event: Event) => event.stopPropagation()}>${icon("out")}</a>`
              : nothing}</td>`}
    </tr>
    ${isPhone
      ? html`<tr class="more ${picked} ${isPicked ? "has-more" : ""}" @click=${pick}>
          <td colspan=${columns}>
            <span class="muted">${unbroken([run.cause, started, run.changes, ...other].filter(Boolean), " · ")}</span>
            ${happened && !isPicked ? html`<span class="happened">${coded(happened)}</span>` : nothing}
          </td>
        </tr>`
      : nothing}
    ${isPicked ? html`<tr class="more picked"><td colspan=${columns}>${runDetails(run, other, took)}</td></tr>` : nothing}`;
}

/** Breaks lines only between the parts. */
function unbroken(parts: readonly string[], between = ", "): TemplateResult[] {
  return parts.map((part, place) => html`<span class="unbroken">${part}</span>${place < parts.length - 1 ? between : ""}`);
}

/** All that is known of a run. */
function runDetails(run: Run, other: readonly string[], took: string): TemplateResult {
  const counts = phaseCounts(run);
  const facts: [string, unknown][] = [
    ["Reason", run.reason],
    ["Cause", run.cause],
    ["Operation", run.operation],
    ["Started", clockTime(run.startTime)],
    ["Ended", clockTime(run.completionTime)],
    [run.completionTime ? "Took" : "Elapsed", run.startTime ? took : ""],
    ["Changes", run.changes],
    ["Compared with the previous run", other.join(", ")],
    [
      "Stacks",
      counts.length > 0
        ? html`<span class="counts">${counts.map(({ phase: name, count }) => {
            const look = lookOf(name);
            return html`<span class="phase ${look.tone}">${glyph(look.glyph)}${count.toLocaleString("en-US")} ${look.word}</span>`;
          })}</span>`
        : run.progress,
    ],
    [
      "Workflow",
      run.workflowUrl
        ? html`<a class="out" href=${run.workflowUrl} target="_blank" rel="noopener noreferrer">Open in Temporal ${icon("out")}</a>`
        : "",
    ],
  ];
  return html`<div class="details" role="region" aria-label="Run ${run.number}">
    ${run.message ? html`<p>${coded(oneLine(run.message))}</p>` : nothing}
    <dl>
      ${facts.filter(([, value]) => value !== "").map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
  </div>`;
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
  tbody tr,
  .lane {
    /* Below what sticks to the top. */
    scroll-margin-top: 44px;
  }
  .lane {
    scroll-margin-top: 96px;
  }
  .row {
    display: flex;
    align-items: center;
    min-height: 28px;
    max-width: 34ch;
    padding: 0;
    user-select: text;
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
  .c-other {
    min-width: 15ch;
    max-width: 26ch;
    white-space: normal;
    color: var(--muted);
  }
  .unbroken {
    white-space: nowrap;
  }
  .has-more td {
    border-bottom: 0;
  }
  .more td {
    height: auto;
    padding-top: 0;
    padding-bottom: 10px;
    white-space: normal;
    overflow-wrap: anywhere;
  }
  .happened {
    display: block;
    unicode-bidi: plaintext;
    text-align: left;
  }
  .details {
    cursor: auto;
  }
  .details p {
    max-width: 110ch;
    margin: 0 0 10px;
    unicode-bidi: plaintext;
    text-align: left;
  }
  .details dl {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 28px;
    margin: 0;
  }
  .details dt {
    font-size: 11.5px;
    color: var(--muted);
  }
  .details dd {
    margin: 1px 0 0;
  }
  .counts {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 12px;
  }
  .out {
    display: inline-flex;
    align-items: center;
    gap: 4px;
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
    gap: 6px 16px;
    padding-top: 8px;
    background: var(--surface);
    border-bottom: 1px solid var(--line);
    font-size: 11.5px;
    color: var(--muted);
  }
  .track {
    position: relative;
    height: 100%;
    /* Room for how long a bar took that ends last, and which attempt it was. */
    margin-right: 124px;
  }
  .axis .track {
    height: 36px;
  }
  .tick {
    position: absolute;
    top: 1px;
    transform: translateX(-50%);
    line-height: 1.35;
    text-align: center;
    white-space: nowrap;
  }
  .clock {
    font-size: 10.5px;
  }
  .tick:first-child {
    transform: none;
    text-align: left;
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
    outline: 2px solid var(--text);
    outline-offset: 1px;
  }
  .wait {
    position: absolute;
    top: 14px;
    height: 0;
    border-top: 2px dotted var(--muted);
  }
  .took {
    position: absolute;
    top: 6px;
    padding: 0 8px;
    font-size: 11.5px;
    color: var(--muted);
    white-space: nowrap;
  }
  .attempt {
    color: var(--text);
    font-weight: 600;
  }
  .key {
    grid-column: 1 / -1;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 18px;
    font-size: 12px;
  }
  .sample {
    position: static;
    display: inline-block;
    width: 28px;
    margin-right: 8px;
    vertical-align: middle;
    --tone: var(--good);
  }
  .bar.sample {
    height: 10px;
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
  .stacks {
    container-type: inline-size;
  }
  /* The drawer takes the room of what says why. */
  @container (max-width: 1010px) {
    .with-drawer .c-level,
    .with-drawer .c-changes,
    .with-drawer .c-started {
      display: none;
    }
  }
  @media (max-width: 1100px) {
    .c-level,
    .c-started,
    .c-cause,
    .c-operation {
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
    .c-link {
      display: none;
    }
    .track {
      margin-right: 76px;
    }
    .axis .track {
      height: 20px;
    }
    tbody tr,
    .lane {
      /* The page scrolls, below its top. */
      scroll-margin-top: 150px;
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
