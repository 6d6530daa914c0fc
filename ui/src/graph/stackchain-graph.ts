/**
 * `<stackchain-graph>`: a chain's stacks and dependencies, for any page.
 *
 * It takes the StackChain object as the API server has it, and needs nothing else:
 *
 *     const graph = document.createElement("stackchain-graph");
 *     graph.chain = resource;
 *     graph.addEventListener("stack-select", (event) => event.detail.id);
 */

import { LitElement, type PropertyValues, type TemplateResult, css, html, nothing, svg } from "lit";
import { customElement, property, query as element, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";

import { changes, counted, duration, matches, seconds, whyEmpty } from "../shared/format.js";
import { parts, tokens } from "../shared/styles.js";
import { glyph, icon, idOf, styles } from "../shared/templates.js";
import { toDot, toMermaid, toSvg } from "./exports.js";
import { type GroupKind, MOST_UNFOLDED, fold, kindOf, relatives } from "./folding.js";
import { BOX_HEIGHT, BOX_WIDTH, type Box, type Edge, type Layout, layOut } from "./layout.js";
import { type Chain, type Stack, own, readChain } from "./model.js";
import { isOver, lookOf } from "./phases.js";
import type { Advice } from "./stack-drawer.js";
import "./stack-drawer.js";
import * as viewport from "./viewport.js";

const GROUPS: Readonly<Record<GroupKind, { word: string; glyph: string; tone: string }>> = {
  finished: { word: "finished", glyph: "check", tone: "good" },
  pending: { word: "pending", glyph: "dot", tone: "faint" },
  skipped: { word: "skipped", glyph: "dash", tone: "faint" },
};
const MAP_SIZE = { width: 168, height: 104 };

@customElement("stackchain-graph")
export class StackchainGraph extends LitElement {
  static override styles = [tokens, parts, graphStyles()];

  /** The StackChain object. */
  @property({ attribute: false }) chain: unknown = null;
  /** What `explain` says of stacks, by their ids; without it the drawer has no advice. */
  @property({ attribute: false }) advice: Readonly<Record<string, Advice>> = {};
  /** The id of the stack that is selected. */
  @property() selected = "";
  /** Words that ids or names have to contain to be lit up. */
  @property() query = "";
  /** Phases whose stacks are lit up while no stack is selected. */
  @property({ attribute: false }) only: readonly string[] = [];
  /** `none` if the page shows the selected stack itself. */
  @property() drawer = "";
  /** Whether the page offers more room for it: a click dispatches `room-toggle`. */
  @property({ attribute: false }) hasMoreRoom: boolean | null = null;

  @state() private isFolded: boolean | null = null;
  @state() private opened: ReadonlySet<string> = new Set();
  @state() private view: viewport.Viewport | null = null;
  @state() private room = { width: 0, height: 0 };
  @state() private now = Date.now();
  @state() private focusKey = "";
  @state() private announcement = "";

  @element(".canvas") private canvas!: HTMLElement;
  @element("input") private input!: HTMLInputElement;

  private parsed: Chain = readChain(null);
  private layout: Layout | null = null;
  private drag: { x: number; y: number; view: viewport.Viewport } | null = null;
  private hasMoved = false;
  /** A click that ends a drag selects nothing. */
  private dragged = false;
  private readonly pointers = new Map<number, { x: number; y: number }>();
  private ticking = 0;
  private readonly resizing = new ResizeObserver(() => this.measure());

  override connectedCallback(): void {
    super.connectedCallback();
    // It may have been taken out and put back.
    if (this.hasUpdated) {
      this.resizing.observe(this.canvas);
    }
    this.ticking = window.setInterval(() => {
      if (this.parsed.stacks.some((stack) => stack.startTime && !isOver(stack.phase))) {
        this.now = Date.now();
      }
    }, 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearInterval(this.ticking);
    this.resizing.disconnect();
  }

  protected override firstUpdated(): void {
    this.resizing.observe(this.canvas);
    this.canvas.addEventListener("wheel", this.wheel, { passive: false });
    this.measure();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("chain")) {
      const before = this.parsed;
      this.parsed = readChain(this.chain);
      this.now = Date.now();
      if (before.name !== this.parsed.name || before.namespace !== this.parsed.namespace) {
        this.reset();
      }
      this.announce(before);
    }
    const { stacks } = this.parsed;
    if (changed.has("chain") || changed.has("isFolded") || changed.has("opened")) {
      const structure = this.layout?.structure;
      this.layout = layOut(stacks, { isFolded: this.folded, opened: this.opened }, this.layout);
      if (structure !== undefined && structure !== this.layout.structure && !this.hasMoved) {
        this.view = null;
      }
    }
    if (this.view === null && this.room.width > 0 && this.layout && this.layout.boxes.length > 0) {
      this.view = viewport.opening(this.layout, this.room, this.first());
    }
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("selected") && this.selected) {
      const key = this.keyOf(this.selected);
      this.focusKey = key;
      this.show(key);
    }
  }

  private get folded(): boolean {
    return this.isFolded ?? this.parsed.stacks.length > MOST_UNFOLDED;
  }

  private reset(): void {
    this.layout = null;
    this.view = null;
    this.isFolded = null;
    this.opened = new Set();
    this.hasMoved = false;
    this.focusKey = "";
  }

  private measure(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || (width === this.room.width && height === this.room.height)) {
      return;
    }
    const isNarrower = width < this.room.width;
    this.room = { width, height };
    if (!this.hasMoved) {
      this.view = null;
    } else if (isNarrower && this.selected) {
      // The drawer that a selection opens must not hide what is selected.
      this.show(this.keyOf(this.selected));
    }
  }

  /** What has to be seen from the start: the selected stack, or the worst one. */
  private first(): viewport.Rectangle | null {
    const key = this.keyOf(this.selected);
    const selected = this.layout?.boxes.find((box) => box.key === key);
    if (selected) {
      return rectangle(selected);
    }
    const ranked = [...(this.layout?.boxes ?? [])]
      .filter((box) => box.item.kind === null)
      .map((box) => ({ box, rank: lookOf(box.item.stacks[0]?.phase ?? "").rank }))
      .filter(({ rank }) => rank < 6)
      .sort((a, b) => a.rank - b.rank || a.box.x - b.box.x || a.box.y - b.box.y);
    return ranked[0] ? rectangle(ranked[0].box) : null;
  }

  private announce(before: Chain): void {
    const phases = new Map(before.stacks.map((stack) => [stack.id, stack.phase]));
    const changed = this.parsed.stacks.filter(
      (stack) => phases.has(stack.id) && phases.get(stack.id) !== stack.phase,
    );
    const words = changed.slice(0, 3).map((stack) => `${stack.id}: ${lookOf(stack.phase).word}`);
    const more = changed.length - words.length;
    if (words.length > 0) {
      this.announcement = words.join(", ") + (more > 0 ? `, and ${more} more` : "");
    }
  }

  protected override render(): TemplateResult {
    const { stacks } = this.parsed;
    const picked = stacks.find((stack) => stack.id === this.selected) ?? null;
    return html`<div class="bar">${this.renderBar()}</div>
      <div class="main">
        <div
          class="canvas"
          role="group"
          aria-label=${this.label()}
          @pointerdown=${this.press}
          @pointermove=${this.move}
          @pointerup=${this.release}
          @pointercancel=${this.release}
          @pointerleave=${this.release}
          @keydown=${this.key}
        >
          ${this.layout && this.view ? this.renderGraph(this.layout, this.view) : nothing}
          ${stacks.length === 0 ? this.renderEmpty() : nothing}
          ${this.renderMap()}
        </div>
        ${picked && this.drawer !== "none"
          ? html`<stackchain-drawer
              .stack=${picked}
              .stacks=${stacks}
              .advice=${own(this.advice, picked.id) ?? null}
              .now=${this.now}
              @stack-select=${(event: CustomEvent<{ id: string }>) => (this.selected = event.detail.id)}
            ></stackchain-drawer>`
          : nothing}
      </div>
      <div class="unseen" role="status">${this.announcement}</div>`;
  }

  private label(): string {
    const { name, stacks } = this.parsed;
    const levels = new Set(stacks.map((stack) => stack.level)).size;
    return `Graph of ${name}: ${counted(stacks.length, "stack")} in ${counted(levels, "level")}. Arrow keys move along dependencies.`;
  }

  private renderEmpty(): TemplateResult {
    return html`<p class="empty">${whyEmpty(this.parsed)}</p>`;
  }

  private renderBar(): TemplateResult {
    const found = this.query ? this.parsed.stacks.filter((stack) => this.isFound(stack)).length : 0;
    return html`<label class="search">
        ${icon("search")}
        <input
          class="field"
          type="search"
          placeholder="Find a stack"
          aria-label="Find a stack"
          aria-keyshortcuts="/"
          .value=${this.query}
          @input=${this.type}
          @keydown=${this.searchKey}
        />
        <kbd ?hidden=${this.query !== ""}>/</kbd>
        <span class="hits" ?hidden=${this.query === ""} title=${counted(found, "stack matches", "stacks match")}>${found}</span>
      </label>
      ${this.renderFolding()}
      <span class="space"></span>
      <div class="set" role="group" aria-label="Zoom">
        <button class="button icon" aria-label="Zoom out" @click=${() => this.zoomBy(1 / 1.3)}>${icon("minus")}</button>
        <button class="button icon" aria-label="Zoom in" @click=${() => this.zoomBy(1.3)}>${icon("plus")}</button>
        <button class="button icon" aria-label="Show all" title="Show all (0)" @click=${this.fit}>${icon("fit")}</button>
        ${this.hasMoreRoom === null
          ? nothing
          : html`<button class="button icon" aria-label="More room" title="Enlarge the graph" aria-pressed=${this.hasMoreRoom ? "true" : "false"}
              @click=${() => this.emit("room-toggle", null)}>${icon("room")}</button>`}
      </div>
      <div class="set" role="group" aria-label="Export">
        <span class="muted set-name">Export</span>
        ${(["SVG", "Mermaid", "DOT"] as const).map(
          (format) => html`<button class="button" @click=${() => this.export(format)}>${format}</button>`,
        )}
      </div>`;
  }

  private renderFolding(): TemplateResult | typeof nothing {
    const { stacks } = this.parsed;
    const count = stacks.filter((stack) => kindOf(stack) !== null).length;
    if (count < 2) {
      return nothing;
    }
    const shown = this.layout?.boxes.filter((box) => box.item.kind === null).length ?? 0;
    const { folded } = this;
    // A box stays while someone looks at it, also once its stack has finished.
    const fresh = fold(stacks, { isFolded: true, opened: this.opened, shown: new Set() });
    const late = folded ? shown - fresh.filter((item) => item.kind === null).length : 0;
    const of = `${shown} of ${counted(stacks.length, "stack")}`;
    const text = late > 0 ? `${of} shown, ${late} of them could be folded` : this.isFolded === null ? `Folded to what needs attention: ${of} shown` : `${of} shown`;
    return html`<button class="button" aria-pressed=${folded ? "true" : "false"} @click=${this.toggleFold}>
        ${icon("fold")} Fold
      </button>
      ${late > 0 ? html`<button class="button" @click=${this.foldAgain}>Fold again</button>` : nothing}
      <span class="muted note">${folded ? text : ""}</span>`;
  }

  private async foldAgain(): Promise<void> {
    this.layout = null;
    this.opened = new Set();
    this.hasMoved = false;
    this.view = null;
    await this.updateComplete;
    // The button that had the focus is gone.
    this.renderRoot.querySelector<HTMLElement>("button[aria-pressed]")?.focus();
  }

  private renderGraph(layout: Layout, view: viewport.Viewport): TemplateResult {
    const lit = this.lit();
    const transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    const first = layout.boxes.some((box) => box.key === this.focusKey)
      ? this.focusKey
      : (this.inOrder(layout)[0]?.key ?? "");
    return html`<div class="plane ${lit ? "has-lit" : ""} ${view.scale < 0.45 ? "far" : ""}"
      ${styles({ transform })}>
      <svg class="edges" width=${layout.width} height=${layout.height} aria-hidden="true">
        ${repeat(layout.edges, (edge) => edge.key, (edge) => this.renderEdge(edge, lit))}
      </svg>
      ${repeat(layout.boxes, (box) => box.key, (box) => this.renderBox(box, lit, box.key === first))}
    </div>`;
  }

  private renderEdge(edge: Edge, lit: ReadonlyMap<string, string> | null): TemplateResult {
    const isLit = lit !== null && !this.query && lit.has(edge.from) && lit.has(edge.to);
    return svg`<path class=${isLit ? "lit" : ""} d=${edge.path}></path>`;
  }

  private renderBox(box: Box, lit: ReadonlyMap<string, string> | null, isFirst: boolean): TemplateResult {
    const { item } = box;
    const stack = item.stacks[0];
    if (!stack) {
      return html``;
    }
    const role = lit?.get(box.key) ?? "";
    const place = { transform: `translate(${box.x}px, ${box.y}px)` };
    const tab = isFirst ? "0" : "-1";
    const shared = `box ${role} ${lit && !role ? "dim" : ""}`;
    if (item.kind !== null) {
      const group = GROUPS[item.kind];
      const count = item.stacks.length;
      return html`<button class="${shared} group ${group.tone}" data-key=${box.key} tabindex=${tab}
        @click=${() => this.open(box.key)} ${styles(place)}>
        ${glyph(group.glyph)}
        <span class="lines"
          ><span class="title"
            >${count} ${group.word}<span class="unseen"> stacks of level ${item.level + 1}.</span></span
          ><span class="more">${this.related(box, lit) || "Show them"}</span></span
        >
      </button>`;
    }
    const look = lookOf(stack.phase);
    return html`<button class="${shared} ${look.tone} ${stack.phase === "Running" ? "running" : ""}" data-key=${box.key}
      tabindex=${tab} aria-pressed=${stack.id === this.selected ? "true" : "false"}
      @click=${() => this.select(stack.id)} ${styles(place)}>
      ${glyph(look.glyph)}
      <span class="lines"
        ><span class="title">${idOf(stack.id)}</span
        ><span class="more"
          ><b>${look.word}</b>${this.detail(stack)}<span class="unseen">${this.describe(stack)}</span></span
        ></span
      >
    </button>`;
  }

  private related(box: Box, lit: ReadonlyMap<string, string> | null): string {
    if (lit === null) {
      return "";
    }
    if (this.query || !this.selected) {
      const found = box.item.stacks.filter((stack) => (this.query ? this.isFound(stack) : this.isOnly(stack))).length;
      return found > 0 ? `${found} of ${counted(box.item.stacks.length, "stack")}` : "";
    }
    const { upstream, downstream } = relatives(this.parsed.stacks, this.selected);
    const ids = box.item.stacks.map((stack) => stack.id);
    const [above, below] = [upstream, downstream].map((set) => ids.filter((id) => set.has(id)).length);
    return [above ? `${above} upstream` : "", below ? `${below} downstream` : ""].filter(Boolean).join(", ");
  }

  private detail(stack: Stack): string {
    const isTimed = stack.phase !== "Skipped" && stack.phase !== "Pending";
    const took = isTimed ? duration(seconds(stack.startTime, stack.completionTime, this.now)) : "";
    const delta = changes(stack.delta);
    const tries = stack.attempts > 1 ? `attempt ${stack.attempts}` : "";
    const why = stack.reason === "OutputUnchanged" ? "inputs unchanged" : "";
    return [took, tries, delta, why].filter(Boolean).map((one) => ` · ${one}`).join("");
  }

  private describe(stack: Stack): string {
    const ups = stack.dependsOn.length;
    const after = ups > 0 ? `, depends on ${ups > 3 ? counted(ups, "stack") : stack.dependsOn.join(", ")}` : "";
    return `, level ${stack.level + 1}${after}`;
  }

  private renderMap(): TemplateResult | typeof nothing {
    const { layout, view, room } = this;
    if (!layout || !view || layout.boxes.length === 0) {
      return nothing;
    }
    const [width, height] = [layout.width * view.scale, layout.height * view.scale];
    const isWhole =
      view.x >= 0 && view.y >= 0 && view.x + width <= room.width && view.y + height <= room.height;
    if (isWhole) {
      return nothing;
    }
    const scale = Math.min(MAP_SIZE.width / layout.width, MAP_SIZE.height / layout.height);
    const least = 1.5 / scale;
    return html`<svg class="map" aria-hidden="true" @pointerdown=${this.mapPress}
      viewBox="0 0 ${layout.width} ${layout.height}"
      width=${Math.max(24, layout.width * scale)} height=${Math.max(24, layout.height * scale)}>
      ${layout.boxes.map((box) => {
        const tone = box.item.kind ? GROUPS[box.item.kind].tone : lookOf(box.item.stacks[0]?.phase ?? "").tone;
        return svg`<rect class=${tone} x=${box.x} y=${box.y} width=${BOX_WIDTH} height=${Math.max(BOX_HEIGHT, least)}></rect>`;
      })}
      ${svg`<rect class="window" x=${-view.x / view.scale} y=${-view.y / view.scale}
        width=${room.width / view.scale} height=${room.height / view.scale} vector-effect="non-scaling-stroke"></rect>`}
    </svg>`;
  }

  /** Which boxes stand out, and as what; none do if null. */
  private lit(): ReadonlyMap<string, string> | null {
    if (this.query) {
      return new Map(this.foundKeys().map((key) => [key, "found"]));
    }
    if (!this.selected || !this.parsed.stacks.some((stack) => stack.id === this.selected)) {
      const some = this.layout?.boxes.filter((box) => box.item.stacks.some((stack) => this.isOnly(stack)));
      return this.only.length > 0 ? new Map(some?.map((box) => [box.key, "found"])) : null;
    }
    const { upstream, downstream } = relatives(this.parsed.stacks, this.selected);
    const roles = new Map<string, string>();
    for (const box of this.layout?.boxes ?? []) {
      for (const { id } of box.item.stacks) {
        if (id === this.selected) {
          roles.set(box.key, "selected");
        } else if (!roles.has(box.key) && (upstream.has(id) || downstream.has(id))) {
          roles.set(box.key, upstream.has(id) ? "upstream" : "downstream");
        }
      }
    }
    return roles;
  }

  private isOnly(stack: Stack): boolean {
    return this.only.includes(stack.phase);
  }

  private isFound(stack: Stack): boolean {
    return matches(this.query, stack.id, stack.name);
  }

  private foundKeys(): string[] {
    return (this.layout?.boxes ?? [])
      .filter((box) => box.item.stacks.some((stack) => this.isFound(stack)))
      .map((box) => box.key);
  }

  private keyOf(id: string): string {
    return this.layout?.boxes.find((box) => box.item.stacks.some((stack) => stack.id === id))?.key ?? "";
  }

  private inOrder(layout: Layout): Box[] {
    return [...layout.boxes].sort((a, b) => a.x - b.x || a.y - b.y);
  }

  private select(id: string): void {
    if (!this.dragged) {
      this.selected = this.selected === id ? "" : id;
      this.emit("stack-select", { id: this.selected });
    }
  }

  private async open(key: string): Promise<void> {
    if (this.dragged) {
      return;
    }
    const members = new Set(this.layout?.boxes.find((box) => box.key === key)?.item.stacks.map((stack) => stack.id));
    this.opened = new Set([...this.opened, key]);
    await this.updateComplete;
    // The button that had the focus is gone.
    const rows = (this.layout?.boxes ?? []).filter((box) => members.has(box.key)).sort((a, b) => a.y - b.y);
    await this.focusBox(rows[0]?.key ?? "");
  }

  private toggleFold(): void {
    this.isFolded = !this.folded;
    this.opened = new Set();
    this.hasMoved = false;
    this.view = null;
  }

  private fit(): void {
    if (this.layout) {
      this.view = viewport.fit(this.layout, this.room);
      this.hasMoved = true;
    }
  }

  private zoomBy(factor: number): void {
    if (this.view) {
      const middle = { x: this.room.width / 2, y: this.room.height / 2 };
      this.go(viewport.zoom(this.view, factor, middle));
    }
  }

  private go(view: viewport.Viewport): void {
    if (this.layout) {
      this.hasMoved = true;
      this.view = viewport.bounded(view, this.layout, this.room);
    }
  }

  private show(key: string): void {
    const box = this.layout?.boxes.find((one) => one.key === key);
    if (box && this.view) {
      const view = viewport.reveal(this.view, rectangle(box), this.room);
      if (view.x !== this.view.x || view.y !== this.view.y) {
        this.go(view);
      }
    }
  }

  private async focusBox(key: string): Promise<void> {
    this.focusKey = key;
    this.show(key);
    await this.updateComplete;
    const boxes = this.renderRoot.querySelectorAll<HTMLElement>(".box");
    [...boxes].find((one) => one.dataset["key"] === key)?.focus({ preventScroll: true });
  }

  private readonly wheel = (event: WheelEvent): void => {
    if (!this.view) {
      return;
    }
    event.preventDefault();
    const bounds = this.canvas.getBoundingClientRect();
    if (event.ctrlKey || event.metaKey) {
      const at = { x: event.clientX - bounds.x, y: event.clientY - bounds.y };
      this.go(viewport.zoom(this.view, Math.exp(-event.deltaY / 240), at));
    } else {
      const [x, y] = event.shiftKey ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
      this.go({ ...this.view, x: this.view.x - x, y: this.view.y - y });
    }
  };

  private press(event: PointerEvent): void {
    if (event.button !== 0 || !this.view) {
      return;
    }
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.drag = { x: event.clientX, y: event.clientY, view: this.view };
    this.dragged = false;
  }

  private move(event: PointerEvent): void {
    const known = this.pointers.get(event.pointerId);
    if (!known || !this.drag || !this.view) {
      return;
    }
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const other = others[0];
    if (other) {
      const distance = (at: { x: number; y: number }): number => Math.hypot(at.x - other.x, at.y - other.y);
      const bounds = this.canvas.getBoundingClientRect();
      const at = { x: (event.clientX + other.x) / 2 - bounds.x, y: (event.clientY + other.y) / 2 - bounds.y };
      const now = { x: event.clientX, y: event.clientY };
      this.go(viewport.zoom(this.view, distance(now) / Math.max(1, distance(known)), at));
      this.dragged = true;
      this.drag = { ...now, view: this.view };
    } else {
      const [x, y] = [event.clientX - this.drag.x, event.clientY - this.drag.y];
      if (this.dragged || Math.hypot(x, y) > 4) {
        if (!this.dragged) {
          this.canvas.setPointerCapture(event.pointerId);
        }
        this.dragged = true;
        this.go({ ...this.drag.view, x: this.drag.view.x + x, y: this.drag.view.y + y });
      }
    }
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  private release(event: PointerEvent): void {
    if (!this.pointers.delete(event.pointerId)) {
      return;
    }
    this.drag = null;
    if (this.pointers.size > 0) {
      return;
    }
    // After the click that may follow.
    window.setTimeout(() => (this.dragged = false));
    const isOnBox = (event.target as Element).closest(".box") !== null;
    if (event.type === "pointerup" && !this.dragged && !isOnBox && this.selected) {
      this.select(this.selected);
    }
  }

  private mapPress(event: PointerEvent): void {
    event.stopPropagation();
    const bounds = (event.currentTarget as Element).getBoundingClientRect();
    const { layout, view, room } = this;
    if (layout && view) {
      const x = ((event.clientX - bounds.x) / bounds.width) * layout.width;
      const y = ((event.clientY - bounds.y) / bounds.height) * layout.height;
      this.go({ ...view, x: room.width / 2 - x * view.scale, y: room.height / 2 - y * view.scale });
    }
  }

  /** For the page: `/` goes to the search from anywhere. */
  focusSearch(): void {
    this.input.focus();
    this.input.select();
  }

  private type(): void {
    this.query = this.input.value;
    this.emit("query-change", { query: this.query });
    const found = new Set(this.query ? this.foundKeys() : []);
    const first = this.layout && this.inOrder(this.layout).find((box) => found.has(box.key));
    if (first) {
      this.show(first.key);
    }
  }

  private searchKey(event: KeyboardEvent): void {
    event.stopPropagation();
    const layout = this.layout;
    if (event.key === "Escape") {
      if (this.query) {
        this.input.value = "";
        this.type();
      } else {
        this.input.blur();
      }
    } else if ((event.key === "Enter" || event.key === "ArrowDown") && layout) {
      event.preventDefault();
      const found = new Set(this.foundKeys());
      const first = this.inOrder(layout).find((box) => found.has(box.key) || !this.query);
      if (first) {
        void this.focusBox(first.key);
      }
    }
  }

  /** For the page: keys that act on the graph wherever the focus is. Returns whether it took one. */
  takeKey(event: KeyboardEvent): boolean {
    if (event.defaultPrevented || !["+", "=", "-", "0", "j", "k"].includes(event.key)) {
      return false;
    }
    this.key(event);
    return true;
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.layout) {
      return;
    }
    const boxes = this.inOrder(this.layout);
    const at = boxes.findIndex((box) => box.key === this.focusKey);
    const current = boxes[at] ?? boxes[0];
    const target = current && this.target(event.key, boxes, current, Math.max(0, at));
    if (target) {
      event.preventDefault();
      void this.focusBox(target.key);
      return;
    }
    switch (event.key) {
      case "/":
        event.preventDefault();
        this.focusSearch();
        break;
      case "Escape":
        if (!this.selected) {
          return;
        }
        this.select(this.selected);
        break;
      case "+":
      case "=":
        this.zoomBy(1.3);
        break;
      case "-":
        this.zoomBy(1 / 1.3);
        break;
      case "0":
        this.fit();
        break;
      default:
        return;
    }
    event.stopPropagation();
  }

  private target(key: string, boxes: readonly Box[], current: Box, at: number): Box | undefined {
    const near = (keys: readonly string[]): Box | undefined =>
      boxes
        .filter((box) => keys.includes(box.key))
        .sort((a, b) => Math.abs(a.y - current.y) - Math.abs(b.y - current.y))[0];
    const edges = this.layout?.edges ?? [];
    const column = boxes.filter((box) => box.column === current.column);
    const row = column.indexOf(current);
    switch (key) {
      case "ArrowRight":
        return near(edges.filter((edge) => edge.from === current.key).map((edge) => edge.to));
      case "ArrowLeft":
        return near(edges.filter((edge) => edge.to === current.key).map((edge) => edge.from));
      case "ArrowDown":
        return column[row + 1];
      case "ArrowUp":
        return column[row - 1];
      case "j":
        return boxes[at + 1];
      case "k":
        return boxes[at - 1];
      case "Home":
        return boxes[0];
      case "End":
        return boxes.at(-1);
      default:
        return undefined;
    }
  }

  private export(format: "SVG" | "Mermaid" | "DOT"): void {
    const { name, stacks } = this.parsed;
    const [text, type, ending] =
      format === "SVG"
        ? [this.layout ? toSvg(name, this.layout) : "", "image/svg+xml", "svg"]
        : format === "DOT"
          ? [toDot(name, stacks), "text/vnd.graphviz", "dot"]
          : [toMermaid(stacks), "text/plain", "mmd"];
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = `${name || "chain"}.${ending}`;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  private emit(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

function rectangle(box: Box): viewport.Rectangle {
  return { x: box.x, y: box.y, width: BOX_WIDTH, height: BOX_HEIGHT };
}

function graphStyles(): ReturnType<typeof css> {
  return css`
    :host {
      display: flex;
      flex-direction: column;
      min-height: 240px;
      background: var(--canvas);
      position: relative;
    }
    .bar {
      display: flex;
      align-items: center;
      flex-wrap: wrap;
      gap: 8px;
      padding: 8px 24px;
      border-bottom: 1px solid var(--line);
      background: var(--surface);
    }
    .search {
      position: relative;
      display: flex;
      align-items: center;
    }
    .search svg {
      position: absolute;
      left: 9px;
      color: var(--muted);
      pointer-events: none;
    }
    .search input {
      width: 220px;
      padding: 0 34px 0 30px;
      background: var(--canvas);
    }
    .search input::-webkit-search-cancel-button {
      display: none;
    }
    kbd,
    .hits {
      position: absolute;
      right: 8px;
      min-width: 18px;
      padding: 0 5px;
      border: 1px solid var(--line);
      border-radius: 4px;
      background: var(--surface);
      color: var(--muted);
      font: 11px/16px var(--mono);
      text-align: center;
      pointer-events: none;
    }
    .space {
      flex: 1;
    }
    .note {
      font-size: 12px;
    }
    .set {
      display: flex;
      align-items: center;
    }
    .set-name {
      margin: 0 8px 0 6px;
      font-size: 12px;
    }
    .set .button {
      border-radius: 0;
      margin-left: -1px;
    }
    .set .button:first-of-type {
      border-radius: 6px 0 0 6px;
    }
    .set .button:last-of-type {
      border-radius: 0 6px 6px 0;
    }
    .main {
      flex: 1;
      display: flex;
      min-height: 0;
    }
    .canvas {
      flex: 1;
      min-width: 0;
      position: relative;
      overflow: hidden;
      touch-action: none;
      cursor: grab;
      background-image: radial-gradient(circle, var(--line) 1px, transparent 1px);
      background-size: 24px 24px;
      background-position: 12px 12px;
    }
    .canvas:active {
      cursor: grabbing;
    }
    stackchain-drawer {
      width: 380px;
      border-left: 1px solid var(--line);
    }
    .plane {
      position: absolute;
      top: 0;
      left: 0;
      transform-origin: 0 0;
    }
    .edges {
      position: absolute;
      overflow: visible;
      pointer-events: none;
    }
    .edges path {
      fill: none;
      stroke: var(--edge);
      stroke-width: 1.4;
    }
    .has-lit .edges path {
      opacity: 0.3;
    }
    .has-lit .edges path.lit {
      stroke: var(--accent);
      stroke-width: 2;
      opacity: 1;
    }
    .box {
      position: absolute;
      top: 0;
      left: 0;
      display: flex;
      align-items: center;
      gap: 9px;
      width: ${BOX_WIDTH}px;
      height: ${BOX_HEIGHT}px;
      padding: 0 12px 0 11px;
      border: 1px solid var(--line-strong);
      border-radius: var(--radius);
      background: var(--surface);
      box-shadow: var(--shadow);
      text-align: left;
      cursor: pointer;
      user-select: none;
    }
    .box:hover {
      border-color: var(--tone);
    }
    .box.bad,
    .box.attention,
    .box.active {
      border-color: var(--tone);
    }
    .box.bad {
      background: var(--bad-soft);
    }
    .box.attention {
      background: var(--attention-soft);
    }
    .box.bad .glyph,
    .box.attention .glyph {
      background: var(--surface);
    }
    .box.faint .title {
      color: var(--muted);
    }
    .box.group {
      border-style: dashed;
      box-shadow:
        3px 3px 0 -1px var(--surface),
        3px 3px 0 0 var(--line-strong);
    }
    .box.dim {
      border-color: var(--line);
      background: var(--canvas);
      box-shadow: none;
    }
    .box.dim .title,
    .box.dim .more,
    .box.dim .more b {
      color: var(--muted);
      font-weight: 400;
    }
    .box.dim .glyph {
      opacity: 0.45;
    }
    .box.selected {
      box-shadow: 0 0 0 2px var(--accent);
      border-color: var(--accent);
    }
    .box.upstream,
    .box.downstream,
    .box.found {
      box-shadow: 0 0 0 1.5px var(--accent);
    }
    .box:focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: 3px;
    }
    .lines {
      display: flex;
      flex-direction: column;
      flex: 1;
      min-width: 0;
      line-height: 1.3;
    }
    .title {
      display: flex;
      font-weight: 580;
      min-width: 0;
    }
    .more {
      position: relative;
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
      font-size: 11.5px;
      color: var(--muted);
    }
    .more b {
      font-weight: 550;
      color: var(--tone);
    }
    .running .glyph {
      animation: pulse 1.8s ease-in-out infinite;
    }
    @keyframes pulse {
      50% {
        box-shadow: 0 0 0 4px color-mix(in srgb, var(--tone) 22%, transparent);
      }
    }
    .far .more {
      visibility: hidden;
    }
    .map {
      position: absolute;
      right: 14px;
      bottom: 14px;
      padding: 6px;
      box-sizing: content-box;
      border: 1px solid var(--line);
      border-radius: var(--radius);
      background: var(--surface);
      box-shadow: var(--shadow-high);
      cursor: pointer;
    }
    .map rect {
      fill: var(--tone);
      opacity: 0.75;
    }
    .map rect.faint {
      opacity: 0.35;
    }
    .map .window {
      fill: var(--accent);
      fill-opacity: 0.1;
      stroke: var(--accent);
      stroke-width: 1.5;
      opacity: 1;
    }
    .empty {
      position: absolute;
      inset: 0;
      display: grid;
      place-content: center;
      margin: 0;
      color: var(--muted);
    }
    @media (max-width: 900px) {
      stackchain-drawer {
        position: absolute;
        inset: 0 0 0 auto;
        width: min(380px, 100%);
        z-index: 2;
        box-shadow: var(--shadow-high);
      }
      .set-name {
        display: none;
      }
    }
  `;
}

declare global {
  interface HTMLElementTagNameMap {
    "stackchain-graph": StackchainGraph;
  }
}
