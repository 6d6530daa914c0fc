/** What the server knows, as it changes: one stream of events, opened again when it ends. */

import type { Change, Detail, Hello, Problem, Row } from "./documents.js";
import { readSession, streamAddress } from "./api.js";
import { keyOf, merge } from "./merging.js";

export type Link = "connecting" | "live" | "lost" | "refused";

const PAUSE_MILLISECONDS = 2000;
/** The server says something every 15 seconds: a connection that is silent for longer is dead. */
const SILENCE_MILLISECONDS = 40_000;
/** The server has no room, and says so: it is not asked more often than that helps. */
const BUSY: ReadonlySet<number> = new Set([429, 503]);
const BUSY_MILLISECONDS = 30_000;

export class Feed {
  readonly rows = new Map<string, Row>();
  detail: Detail | null = null;
  /** Whether the chain that is looked at is not, or no longer, there. */
  isMissing = false;
  problem = "";
  hello: Hello | null = null;
  hasRows = false;
  link: Link = "connecting";
  /** Why nothing is shown, where the link is refused. */
  refusal = "";
  /** How often it has been opened. */
  opened = 0;
  /** When the server last said something, and when it was lost; 0: never, or not lost. */
  heardAt = 0;
  lostAt = 0;
  /** Whether the server has said nothing at all since the connection was lost. */
  isUnanswered = false;

  private source: EventSource | null = null;
  private target = "";
  private timer = 0;
  private silence = 0;

  constructor(private readonly changed: () => void) {}

  /** Looks at all chains, and at one of them in detail. */
  follow(namespace: string, name: string): void {
    const target = streamAddress(name ? { namespace, name } : {});
    if (this.source && target === this.target) {
      return;
    }
    this.target = target;
    this.detail = null;
    this.isMissing = false;
    this.connect();
  }

  /** Continues after `close`, or starts in a tab that was opened in the background. */
  resume(): void {
    if (!this.source && this.link !== "refused") {
      this.connect();
    }
  }

  close(): void {
    window.clearTimeout(this.timer);
    window.clearTimeout(this.silence);
    this.source?.close();
    this.source = null;
  }

  private connect(): void {
    this.close();
    // Not in a tab that was opened in the background: a browser opens six connections to one host.
    if (document.hidden) {
      return;
    }
    const source = new EventSource(this.target);
    this.source = source;
    this.silence = window.setTimeout(() => void this.failed(source), SILENCE_MILLISECONDS);
    const on = <T>(name: string, take: (data: T) => void): void => {
      source.addEventListener(name, (event) => {
        take(JSON.parse((event as MessageEvent<string>).data) as T);
        this.heard(source);
      });
    };
    on<Hello>("hello", (hello) => {
      this.hello = hello;
      this.opened += 1;
      // One that is over by now is not sent.
      this.problem = "";
    });
    on<Row[]>("chains", (rows) => {
      this.rows.clear();
      rows.forEach((row) => this.rows.set(keyOf(row), row));
      this.hasRows = true;
    });
    on<Row>("chain", (row) => this.rows.set(keyOf(row), row));
    on<{ namespace: string; name: string }>("gone", (row) => this.rows.delete(keyOf(row)));
    on<Detail>("detail", (detail) => {
      this.detail = detail;
      this.isMissing = false;
    });
    on<Change>("change", (change) => {
      this.detail = this.detail && merge(this.detail, change);
    });
    on<unknown>("missing", () => (this.isMissing = true));
    source.addEventListener("beat", () => this.heard(source));
    on<Problem>("problem", (problem) => (this.problem = problem.text));
    source.addEventListener("error", () => void this.failed(source));
  }

  private heard(source: EventSource): void {
    this.heardAt = Date.now();
    this.link = "live";
    this.lostAt = 0;
    window.clearTimeout(this.silence);
    this.silence = window.setTimeout(() => void this.failed(source), SILENCE_MILLISECONDS);
    this.changed();
  }

  private async failed(source: EventSource): Promise<void> {
    if (source !== this.source) {
      return;
    }
    this.link = "lost";
    this.lostAt ||= Date.now();
    this.isUnanswered = true;
    this.changed();
    window.clearTimeout(this.silence);
    source.close();
    const answer = await readSession();
    if (source !== this.source) {
      return;
    }
    this.isUnanswered = answer.status === 0;
    if (answer.status === 401 || answer.status === 403) {
      this.link = "refused";
      this.refusal = answer.error;
      this.changed();
      return;
    }
    // Too many look at the page, or the API server does not answer who this is: said meanwhile.
    this.problem = answer.isGood || answer.status === 0 ? this.problem : answer.error;
    this.changed();
    const pause = BUSY.has(answer.status) ? BUSY_MILLISECONDS : PAUSE_MILLISECONDS;
    this.timer = window.setTimeout(() => this.connect(), pause);
  }
}
