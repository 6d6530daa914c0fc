/** What is asked of the server, with the key that this browser alone has for this very port. */

import { object, text } from "../graph/model.js";

const STORED = "stackchain-key";
/** The server answers at once, or the API server's answer comes within this time. */
const PATIENCE_MILLISECONDS = 30_000;
/** How long a tab waits for the others. */
const TURN_MILLISECONDS = 10_000;
const IN_ADDRESS = /^#key=([\w-]+)$/;
const LOGIN_ENDED = "Your login has ended. Load the page again to log in.";

let known = "";

/** Takes the key out of the address, where the server has put it once; a fragment is sent nowhere. */
export function takeKey(): void {
  const found = IN_ADDRESS.exec(location.hash)?.[1];
  try {
    if (found) {
      localStorage.setItem(STORED, found);
    }
    known = found ?? localStorage.getItem(STORED) ?? "";
  } catch {
    // A browser that stores nothing: it lasts as long as this tab shows the page.
    known = found ?? "";
  }
  if (found) {
    history.replaceState(null, "", `${location.pathname}${location.search}`);
  }
}

/** The address of a stream, which takes no headers. */
export function streamAddress(values: Readonly<Record<string, string>>): string {
  return `api/stream?${new URLSearchParams(known ? { ...values, key: known } : values).toString()}`;
}

export interface Answer {
  /** 0: there was none. */
  readonly status: number;
  readonly isGood: boolean;
  readonly body: Readonly<Record<string, unknown>>;
  /** Why it is not good, for people. */
  readonly error: string;
}

export async function read(path: string, values: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return answered(fetch(`api/${path}?${new URLSearchParams(values).toString()}`, { headers: headers(), redirect: "manual", signal: patience() }));
}

/**
 * Asks whether the session is alive, one tab after another: with many identity providers a login can
 * be renewed once, so the proxy would log everyone out whose tabs have it renewed at the same time.
 */
export async function readSession(): Promise<Answer> {
  const ask = (): Promise<Answer> => read("session");
  // Browsers have no locks for an address without TLS.
  return isSecureContext
    ? navigator.locks.request(STORED, { signal: AbortSignal.timeout(TURN_MILLISECONDS) }, ask).catch(ask)
    : ask();
}

export async function send(path: string, document: unknown): Promise<Answer> {
  return answered(
    fetch(`api/${path}`, {
      method: "POST",
      redirect: "manual",
      signal: patience(),
      headers: { ...headers(), "Content-Type": "application/json" },
      body: JSON.stringify(document),
    }),
  );
}

function patience(): AbortSignal {
  return AbortSignal.timeout(PATIENCE_MILLISECONDS);
}

function headers(): Record<string, string> {
  // A proxy that logs people in answers a request for JSON with 401, not with a login page.
  return { Accept: "application/json", ...(known ? { "X-StackChain-Key": known } : {}) };
}

async function answered(sent: Promise<Response>): Promise<Answer> {
  const answer = await sent.catch(() => null);
  const body = object(answer ? await answer.json().catch(() => null) : null);
  const isGood = answer?.ok ?? false;
  // The server never redirects what is asked here; a proxy does, to its login.
  const status = answer?.type === "opaqueredirect" ? 401 : (answer?.status ?? 0);
  const unsaid = status === 401 ? LOGIN_ENDED : "The server of this page gives an unexpected answer.";
  const error = isGood ? "" : text(body["error"]) || unsaid;
  return { status, isGood, body, error };
}
