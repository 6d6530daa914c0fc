/** The page: the list of chains, or one chain, as the address says. */

import { LitElement, type PropertyValues, type TemplateResult, css, html, nothing } from "lit";
import { customElement, query as element, state } from "lit/decorators.js";
import { cache } from "lit/directives/cache.js";

import { type Chain, list, number, object, own, readChain, text } from "../graph/model.js";
import type { StackDrawer } from "../graph/stack-drawer.js";
import type { StackchainGraph } from "../graph/stackchain-graph.js";
import "../graph/stackchain-graph.js";
import { clockTime, oneLine } from "../shared/format.js";
import { parts, tokens } from "../shared/styles.js";
import { coded, icon } from "../shared/templates.js";
import "./action-dialog.js";
import type { Action, ActionDialog } from "./action-dialog.js";
import { read, takeKey } from "./api.js";
import { type ChainEvent, type Detail, STATES } from "./documents.js";
import { Feed } from "./feed.js";
import { type HeadParts, type Rights, headStyles, headline, needs, phases, stages } from "./head.js";
import "./list.js";
import { type ChainList, shareStyles } from "./list.js";
import { LIST, type Route, VIEWS, type ViewName, chainLink, inView, readRoute, writeRoute } from "./route.js";
import {
  type Shown,
  eventsView,
  runsView,
  tableView,
  timelineView,
  viewStyles,
} from "./views.js";

const NAMES: Readonly<Record<ViewName, string>> = {
  graph: "Graph",
  table: "Table",
  timeline: "Timeline",
  events: "Events",
  runs: "Runs",
};
const PHONE = "(max-width: 700px)";
const EVENTS_PAUSE = 5000;
const RIGHTS_PAUSE = 5000;
const NOTE_MILLISECONDS = 8000;
const FRAME_MILLISECONDS = 16;
/** A connection that is back within this time is not worth a word. */
const LOST_MILLISECONDS = 5000;
const NEEDS_CLOSED = "stackchain-needs-closed";

takeKey();

@customElement("stackchain-app")
export class StackchainApp extends LitElement {
  static override styles = [
    tokens,
    parts,
    shareStyles,
    headStyles,
    viewStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        height: 100dvh;
        background: var(--canvas);
      }
      .top {
        display: flex;
        align-items: center;
        gap: 10px;
        height: 46px;
        padding: 0 24px;
        border-bottom: 1px solid var(--line);
        background: var(--surface);
      }
      .brand {
        display: flex;
        align-items: center;
        gap: 8px;
        font-weight: 640;
        color: var(--text);
      }
      .brand svg {
        color: var(--accent);
      }
      .crumb {
        display: flex;
        align-items: center;
        gap: 10px;
        min-width: 0;
        color: var(--muted);
      }
      .crumb .namespace {
        min-width: 3ch;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .crumb b {
        min-width: 6ch;
        color: var(--text);
        font-weight: 600;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .space {
        flex: 1;
      }
      .context {
        max-width: 30ch;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        font-size: 12px;
        color: var(--muted);
      }
      .live {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        font-size: 12px;
        color: var(--muted);
        white-space: nowrap;
      }
      .live::before {
        content: "";
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: var(--tone);
      }
      .notice {
        display: flex;
        gap: 12px;
        align-items: center;
        padding: 8px 24px;
        border-bottom: 1px solid var(--line);
        background: var(--attention-soft);
        color: var(--text);
        overflow-wrap: anywhere;
      }
      .note {
        position: fixed;
        z-index: 8;
        left: 50%;
        bottom: 20px;
        translate: -50% 0;
        width: max-content;
        max-width: min(640px, calc(100vw - 24px));
        padding: 10px 16px;
        border-radius: var(--radius);
        background: var(--text);
        color: var(--canvas);
        box-shadow: var(--shadow-high);
        overflow-wrap: anywhere;
      }
      .note p {
        margin: 0;
      }
      .note:empty {
        display: none;
      }
      .chain {
        flex: 1;
        min-height: 0;
        display: flex;
        flex-direction: column;
      }
      .info {
        flex: none;
        background: var(--surface);
      }
      nav {
        display: flex;
        flex: none;
        gap: 4px;
        padding: 0 14px;
        border-bottom: 1px solid var(--line);
        background: var(--surface);
        align-items: center;
        min-height: 40px;
      }
      nav a {
        padding: 10px 10px 8px;
        border-bottom: 2px solid transparent;
        color: var(--muted);
        font-weight: 550;
      }
      nav a:hover {
        color: var(--text);
        text-decoration: none;
      }
      nav a[aria-current="page"] {
        border-color: var(--accent);
        color: var(--text);
      }
      nav .field {
        width: 210px;
        margin-right: 10px;
      }
      .view {
        flex: 1;
        display: flex;
        min-height: 0;
      }
      .shown {
        flex: 1;
        display: flex;
        min-width: 0;
        min-height: 0;
      }
      .shown > * {
        flex: 1;
        min-width: 0;
      }
      stackchain-drawer,
      .no-stack {
        flex: none;
        width: 390px;
        border-left: 1px solid var(--line);
        background: var(--surface);
      }
      .no-stack {
        display: flex;
        align-items: flex-start;
        gap: 8px;
        padding: 16px 12px 12px 20px;
        overflow-wrap: anywhere;
      }
      .no-stack p {
        flex: 1;
        min-width: 0;
        margin: 5px 0;
      }
      chain-list {
        flex: 1;
        min-height: 0;
      }
      .middle {
        flex: 1;
        display: grid;
        place-content: center;
        justify-items: center;
        gap: 10px;
        padding: 24px;
        text-align: center;
        color: var(--muted);
      }
      .middle h1 {
        color: var(--text);
      }
      .middle code {
        font-family: var(--mono);
        color: var(--text);
      }
      .skip {
        position: absolute;
        left: 12px;
        top: -60px;
        z-index: 9;
      }
      .skip:focus {
        top: 8px;
      }
      @media (max-width: 800px) {
        stackchain-drawer,
        .no-stack {
          position: absolute;
          z-index: 5;
          top: 46px;
          right: 0;
          bottom: 0;
          width: min(400px, 100%);
          box-shadow: var(--shadow-high);
        }
      }
      @media (max-width: 700px) {
        :host {
          height: auto;
          min-height: 100dvh;
        }
        .top {
          padding: 0 14px;
          position: sticky;
          top: 0;
          z-index: 4;
        }
        .brand .name {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        nav {
          padding: 0 6px;
          flex-wrap: wrap;
        }
        nav .space {
          display: none;
        }
        nav .field {
          width: 100%;
          margin: 0 8px 8px;
        }
        .view {
          min-height: auto;
        }
        stackchain-drawer,
        .no-stack {
          position: fixed;
          top: 46px;
          width: 100%;
          border: 0;
        }
        .context {
          display: none;
        }
        .live.good {
          font-size: 0;
        }
      }
      @media (min-width: 701px) {
        .view {
          min-height: 300px;
        }
        .chain {
          overflow-y: auto;
        }
        .wide .info > :not(.headline),
        .wide .facts {
          display: none;
        }
      }
    `,
  ];

  @state() private route: Route = readRoute(location.search);
  @state() private now = Date.now();
  @state() private areAllNeeds = false;
  @state() private areNeedsOpen = !stored(NEEDS_CLOSED);
  @state() private isGraphWide = false;
  @state() private events: readonly ChainEvent[] | null = null;
  @state() private eventsProblem = "";
  @state() private rights: Rights = "unknown";
  @state() private note: readonly string[] = [];
  @state() private isPhone = matchMedia(PHONE).matches;
  @element("stackchain-graph") private graph!: StackchainGraph | null;
  @element("action-dialog") private dialog!: ActionDialog;
  @element("chain-list") private chains!: ChainList | null;

  private readonly feed = new Feed(() => this.drawSoon());
  private drawing = 0;
  private timer = 0;
  private eventsOf = "";
  private eventsAt = 0;
  private areEventsDue = false;
  private rightsOf = "";
  private noteTimer = 0;
  /** What had the focus before a key opened the drawer. */
  private cameFrom: HTMLElement | null = null;
  private wasKey = false;
  private isGoingBack = false;
  private parsed: { of: Detail | null; chain: Chain } = { of: null, chain: readChain(null) };

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = window.setInterval(() => (this.now = Date.now()), 1000);
    window.addEventListener("popstate", this.moved);
    window.addEventListener("keydown", this.key);
    window.addEventListener("keydown", this.byKey, { capture: true });
    window.addEventListener("pointerdown", this.byPointer, { capture: true });
    matchMedia(PHONE).addEventListener("change", this.resized);
    document.addEventListener("visibilitychange", this.shown);
    this.addEventListener("click", this.follow);
    this.addEventListener("go", this.goTo as EventListener);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearInterval(this.timer);
    window.removeEventListener("popstate", this.moved);
    window.removeEventListener("keydown", this.key);
    window.removeEventListener("keydown", this.byKey, { capture: true });
    window.removeEventListener("pointerdown", this.byPointer, { capture: true });
    matchMedia(PHONE).removeEventListener("change", this.resized);
    document.removeEventListener("visibilitychange", this.shown);
    this.feed.close();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("route")) {
      const before = changed.get("route") as Route | undefined;
      if (before?.chain !== this.route.chain || before.namespace !== this.route.namespace) {
        this.areAllNeeds = false;
      }
      this.feed.follow(this.route.namespace, this.route.chain);
    }
    const word = this.feed.detail && STATES[this.feed.detail.state]?.word;
    const { chain } = this.route;
    document.title = chain ? `${word ? `${word}: ` : ""}${oneLine(chain)} · StackChain` : "StackChain";
    if (this.parsed.of !== this.feed.detail) {
      this.parsed = { of: this.feed.detail, chain: readChain(this.feed.detail?.resource) };
    }
    this.refreshEvents();
    void this.refreshRights();
  }

  protected override updated(changed: PropertyValues): void {
    const before = changed.get("route") as Route | undefined;
    if (before && before.stack !== this.route.stack && before.chain === this.route.chain) {
      void this.moveFocus(before.stack);
    }
  }

  /**
   * Whoever opens the drawer by key, or on a phone, where it covers the page, reads it next, and is
   * back where they were after it.
   */
  private async moveFocus(before: string): Promise<void> {
    const active = this.shadowRoot?.activeElement;
    const isInDrawer = active?.localName === "stackchain-drawer" || !active;
    if (!this.route.stack) {
      if (before && isInDrawer && this.cameFrom?.isConnected) {
        this.cameFrom.focus();
      }
      this.cameFrom = null;
    } else if (this.isPhone || (this.wasKey && active?.localName !== "stackchain-graph" && !isInDrawer)) {
      if (active && !isInDrawer) {
        this.cameFrom = active as HTMLElement;
      }
      const drawer = this.renderRoot.querySelector<StackDrawer>("stackchain-drawer");
      await drawer?.updateComplete;
      drawer?.focusTitle();
    }
  }

  /** A phone shows no graph. */
  private get view(): ViewName {
    return this.isPhone && this.route.view === "graph" ? "table" : this.route.view;
  }

  protected override render(): TemplateResult {
    const { route, feed } = this;
    return html`<header class="top">
        <button class="button skip" @click=${this.skip}>Skip to the content</button>
        <a class="brand" href="?" data-internal title="All chains">
          <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentcolor" stroke-width="1.8" aria-hidden="true">
            <rect x="2" y="7.5" width="5" height="5" rx="1.5"></rect>
            <rect x="13" y="2.5" width="5" height="5" rx="1.5"></rect>
            <rect x="13" y="12.5" width="5" height="5" rx="1.5"></rect>
            <path d="M7 10h2.5M13 5h-1.5a2 2 0 0 0-2 2v6a2 2 0 0 0 2 2H13"></path>
          </svg>
          <span class="name">StackChain</span>
        </a>
        ${route.chain
          ? html`<span class="crumb"><span aria-hidden="true">/</span><a href=${writeRoute({ ...LIST, namespace: route.namespace })} class="namespace" data-internal title="Chains of this namespace">${route.namespace}</a><span aria-hidden="true">/</span><b title=${route.chain}>${route.chain}</b></span>`
          : html`<span class="crumb">${feed.hello?.scope ?? ""}</span>`}
        <span class="space"></span>
        ${feed.hello?.context ? html`<span class="context" title="Context of the kubeconfig: ${feed.hello.context}">${feed.hello.context}</span>` : nothing}
        ${this.renderLive()}
      </header>
      ${this.renderNotice()}
      ${feed.link === "refused" ? this.renderRefused() : route.chain ? this.renderChain() : this.renderList()}
      <action-dialog @asked=${(event: CustomEvent<{ messages: string[] }>) => this.say(event.detail.messages)}></action-dialog>
      <div class="note" role="status">${this.note.map((text) => html`<p>${coded(text)}</p>`)}</div>`;
  }

  private renderLive(): TemplateResult {
    const { link, problem, hello } = this.feed;
    const [tone, word] =
      link === "live" && !problem
        ? ["good", "Live"]
        : link === "connecting"
          ? ["faint", "Connecting"]
          : link === "lost"
            ? ["attention", "Reconnecting"]
            : ["attention", "Not up to date"];
    return html`<span class="live ${tone}" role="status" title=${hello?.context ?? ""}>${word}</span>`;
  }

  private get isAway(): boolean {
    return this.feed.link === "lost" && this.feed.isUnanswered && this.now - this.feed.lostAt > LOST_MILLISECONDS;
  }

  private renderNotice(): TemplateResult | typeof nothing {
    const { feed } = this;
    if (this.isAway) {
      const since = feed.heardAt ? ` What you see is from ${clockTime(new Date(feed.heardAt).toISOString())}.` : "";
      const todo = feed.hello?.context === "" ? "" : " If you have stopped `kubectl stackchain ui`, start it again and open its new address.";
      return html`<div class="notice" role="alert">The server of this page does not answer.${since}${coded(todo)} The page keeps trying.</div>`;
    }
    return feed.problem && feed.link !== "refused" ? html`<div class="notice" role="alert">${coded(feed.problem)}</div>` : nothing;
  }

  private renderRefused(): TemplateResult {
    return html`<main class="middle" id="main">
      <h1>Nothing can be shown</h1>
      <p>${coded(this.feed.refusal)}</p>
    </main>`;
  }

  private renderList(): TemplateResult {
    const { feed } = this;
    return html`<chain-list
      id="main"
      role="main"
      tabindex="-1"
      .rows=${[...feed.rows.values()]}
      .route=${this.route}
      .isLoaded=${feed.hasRows}
      .scope=${feed.hello?.scope ?? ""}
      .now=${this.now}
    ></chain-list>`;
  }

  private renderChain(): TemplateResult {
    const { feed, route, now } = this;
    const detail = feed.detail;
    if (feed.isMissing || detail === null) {
      return html`<main class="middle" id="main">
        ${feed.isMissing
          ? html`<h1>There is no chain ${route.chain} in ${route.namespace}</h1>
              <p>It was deleted, or you may not see it.</p>
              <a class="button" href="?" data-internal>All chains</a>`
          : html`<p>Reading the chain…</p>`}
      </main>`;
    }
    const chain = this.parsed.chain;
    const go = (changes: Partial<Route>): void => {
      const next = { ...route, ...changes };
      this.go(next, next.view === route.view);
    };
    const head: HeadParts = {
      chain,
      detail,
      route,
      now,
      go,
      rights: this.isAway ? "away" : this.rights,
      ask: (action) =>
        void this.dialog.open({ namespace: route.namespace, name: route.chain, ...action } satisfies Action),
      areAllNeeds: this.areAllNeeds,
      areNeedsOpen: this.areNeedsOpen,
      showAllNeeds: (all) => (this.areAllNeeds = all),
      openNeeds: (open) => {
        this.areNeedsOpen = open;
        store(NEEDS_CLOSED, !open);
      },
    };
    const isUnreadable = detail.state === "unreadable" && chain.stacks.length === 0;
    const isCovered = this.isPhone && route.stack !== "";
    const stack = chain.stacks.find((one) => one.id === route.stack);
    if (isUnreadable) {
      return html`<main class="chain" id="main" tabindex="-1"><div class="info">${headline(head)}</div></main>`;
    }
    return html`<main class="chain ${this.isGraphWide && this.view === "graph" ? "wide" : ""}" id="main" tabindex="-1">
      <div class="info" ?inert=${isCovered}>${headline(head)} ${phases(head)} ${stages(head)} ${needs(head)}</div>
      ${this.renderTabs(isCovered)}
      <div class="view">
        <div class="shown" ?inert=${isCovered}>${cache(this.renderView({ chain, route, now, isPhone: this.isPhone, meanings: detail.meanings, go }, detail))}</div>
        ${!stack && route.stack && chain.stacks.length > 0
          ? html`<aside class="no-stack">
              <p>There is no stack <b>${oneLine(route.stack)}</b> in run ${chain.run?.number}.</p>
              <button class="button icon plain" aria-label="Close" @click=${() => go({ stack: "" })}>${icon("close")}</button>
            </aside>`
          : nothing}
        ${stack
          ? html`<stackchain-drawer
              .stack=${stack}
              .isWhole=${isCovered}
              .stacks=${chain.stacks}
              .advice=${own(detail.advice, stack.id) ?? null}
              .meaning=${own(detail.meanings, stack.reason) ?? null}
              .mayAsk=${head.rights === "change"}
              .workflowUrl=${chain.run?.workflowUrl ?? ""}
              .chainLink=${chainLink(own(detail.advice, stack.id)?.chain ?? "")}
              .actions=${head.rights === "change" ? (own(detail.advice, stack.id)?.actions ?? []) : []}
              .now=${now}
              @stack-action=${({ detail: { action, id } }: CustomEvent<{ action: string; id: string }>) =>
                head.ask({ action, stacks: [id] })}
              @stack-select=${(event: CustomEvent<{ id: string }>) => go({ stack: event.detail.id })}
            ></stackchain-drawer>`
          : nothing}
      </div>
    </main>`;
  }

  private renderTabs(isCovered: boolean): TemplateResult {
    const { route, view } = this;
    const views = VIEWS.filter((one) => one !== "graph" || !this.isPhone);
    return html`<nav aria-label="Views" ?inert=${isCovered}>
      ${views.map(
        (one) =>
          html`<a href=${writeRoute(inView(route, one))} data-internal aria-current=${view === one ? "page" : "false"}>${NAMES[one]}</a>`,
      )}
      <span class="space"></span>
      ${view === "graph" || view === "runs"
        ? nothing
        : html`<input class="field" type="search" placeholder="Filter" aria-label="Filter" aria-keyshortcuts="/"
            .value=${route.query}
            @input=${(event: Event) => this.go({ ...route, query: (event.target as HTMLInputElement).value }, true)} />`}
    </nav>`;
  }

  private renderView(shown: Shown, detail: Detail): TemplateResult {
    switch (this.view) {
      case "graph":
        return html`<stackchain-graph
          drawer="none"
          .chain=${detail.resource}
          .selected=${this.route.stack}
          .only=${this.route.only}
          .hasMoreRoom=${this.isGraphWide}
          @room-toggle=${() => (this.isGraphWide = !this.isGraphWide)}
          .query=${this.route.query}
          @stack-select=${(event: CustomEvent<{ id: string }>) => shown.go({ stack: event.detail.id })}
          @query-change=${(event: CustomEvent<{ query: string }>) => shown.go({ query: event.detail.query })}
        ></stackchain-graph>`;
      case "table":
        return tableView(shown);
      case "timeline":
        return timelineView(shown);
      case "events":
        return eventsView(this.events, this.eventsProblem, shown);
      case "runs":
        return runsView(shown);
    }
  }

  /**
   * Events are not watched: they are read when the chain has changed, at most every few seconds, and
   * once more after that, since the operator writes an Event after the change that it is about.
   */
  private refreshEvents(): void {
    const { namespace, chain, view } = this.route;
    const version = text(object(this.feed.detail?.resource["metadata"])["resourceVersion"]);
    const wanted = `${namespace}/${chain}/${version}`;
    if (view !== "events" || !this.feed.detail) {
      return;
    }
    const isNew = wanted !== this.eventsOf;
    if (!this.eventsOf.startsWith(`${namespace}/${chain}/`)) {
      this.events = null;
      this.eventsProblem = "";
    } else if (!(isNew || this.areEventsDue) || Date.now() - this.eventsAt < EVENTS_PAUSE) {
      return;
    }
    this.areEventsDue = isNew;
    this.eventsOf = wanted;
    this.eventsAt = Date.now();
    void this.readEvents(namespace, chain);
  }

  private async readEvents(namespace: string, name: string): Promise<void> {
    const { isGood, body } = await read("events", { namespace, name });
    if (namespace !== this.route.namespace || name !== this.route.chain) {
      return;
    }
    this.eventsProblem = isGood ? "" : text(body["error"]) || "The events cannot be read right now.";
    if (isGood) {
      this.events = list(body["events"]).map((item) => {
        const event = object(item);
        return {
          time: text(event["time"]),
          type: text(event["type"]),
          reason: text(event["reason"]),
          message: text(event["message"]),
          count: number(event["count"], 1),
        };
      });
    }
  }

  /** Rights may have changed whenever the connection did. */
  private async refreshRights(): Promise<void> {
    const { namespace, chain } = this.route;
    const wanted = `${namespace}/${chain}/${this.feed.opened}`;
    if (!chain || !this.feed.detail || wanted === this.rightsOf) {
      return;
    }
    if (!this.rightsOf.startsWith(`${namespace}/${chain}/`)) {
      this.rights = "unknown";
    }
    this.rightsOf = wanted;
    const answer = await read("rights", { namespace, name: chain });
    if (wanted === this.rightsOf) {
      this.rights = !answer.isGood ? "unavailable" : answer.body["change"] === true ? "change" : "view";
      if (!answer.isGood) {
        window.setTimeout(() => {
          // Unless another chain or another connection has asked meanwhile.
          this.rightsOf = this.rightsOf === wanted ? `${namespace}/${chain}/` : this.rightsOf;
          this.requestUpdate();
        }, RIGHTS_PAUSE);
      }
    }
  }

  /** Thousands of chains may change at once: what comes within a frame is drawn once. */
  private drawSoon(): void {
    this.drawing ||= window.setTimeout(() => {
      this.drawing = 0;
      this.requestUpdate();
    }, FRAME_MILLISECONDS);
  }

  private say(messages: readonly string[]): void {
    this.note = messages;
    window.clearTimeout(this.noteTimer);
    this.noteTimer = window.setTimeout(() => (this.note = []), NOTE_MILLISECONDS);
  }

  /** Small steps (a filter, a selection) replace the entry of the history; others add one. */
  private go(route: Route, isSmall: boolean): void {
    const [before, after] = [writeRoute(this.route), writeRoute(route)];
    if (before === after) {
      return;
    }
    // On a phone the drawer is all that is seen, so that going back closes it.
    const isDrawerOpened = this.isPhone && isSmall && !this.route.stack && route.stack !== "";
    const isDrawerClosed = isSmall && this.route.stack !== "" && !route.stack;
    if (isDrawerClosed && this.isPhone && object(history.state)["drawer"] === true) {
      // Once: a second one before the browser has moved would leave the chain.
      if (!this.isGoingBack) {
        this.isGoingBack = true;
        history.back();
      }
      return;
    }
    if (isSmall && !isDrawerOpened) {
      history.replaceState(history.state, "", after);
    } else {
      history.pushState({ drawer: isDrawerOpened }, "", after);
    }
    this.route = route;
  }

  private readonly goTo = (event: CustomEvent<{ route: Route; isSmall: boolean }>): void => {
    this.go(event.detail.route, event.detail.isSmall);
  };

  private readonly moved = (): void => {
    this.isGoingBack = false;
    this.route = readRoute(location.search);
  };

  /** A browser opens six connections to one host, however many tabs there are. */
  private readonly shown = (): void => {
    if (document.hidden) {
      this.feed.close();
    } else {
      this.feed.resume();
    }
  };

  private readonly resized = (): void => {
    this.isPhone = matchMedia(PHONE).matches;
  };

  /** Links of the page itself change the address without loading it again. */
  private readonly follow = (event: MouseEvent): void => {
    const link = event.composedPath().find(
      (one): one is HTMLAnchorElement => one instanceof HTMLAnchorElement && one.dataset["internal"] !== undefined,
    );
    if (link && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.go(readRoute(new URL(link.href).search), false);
    }
  };

  private readonly key = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0];
    const isTyping = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping || this.dialog.isOpen) {
      return;
    }
    if (this.graph?.takeKey(event)) {
      event.preventDefault();
    } else if (event.key === "/") {
      event.preventDefault();
      if (this.graph) {
        this.graph.focusSearch();
      } else if (this.chains) {
        this.chains.focusSearch();
      } else {
        this.renderRoot.querySelector<HTMLInputElement>("input[type=search]")?.focus();
      }
    } else if (event.key === "Escape") {
      if (this.route.stack) {
        this.go({ ...this.route, stack: "" }, true);
      } else if (this.isGraphWide && this.view === "graph") {
        this.isGraphWide = false;
      } else if (this.route.chain) {
        this.go(LIST, false);
      }
    }
  };

  private readonly byKey = (): void => {
    this.wasKey = true;
  };

  private readonly byPointer = (): void => {
    this.wasKey = false;
  };

  private skip(): void {
    this.renderRoot.querySelector<HTMLElement>("#main")?.focus();
  }
}

function stored(name: string): boolean {
  try {
    return localStorage.getItem(name) !== null;
  } catch {
    return false;
  }
}

function store(name: string, isSet: boolean): void {
  try {
    if (isSet) {
      localStorage.setItem(name, "1");
    } else {
      localStorage.removeItem(name);
    }
  } catch {
    // A browser that stores nothing.
  }
}
