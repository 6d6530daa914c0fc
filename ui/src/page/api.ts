/** What is asked of the server, with the key that this browser alone has for this very port. */

import { object, text } from "../graph/model.js";

const STORED = "stackchain-key";
/** The server answers at once, or the API server's answer comes within this time. */
const PATIENCE_MILLISECONDS = 30_000;
const IN_ADDRESS = /^#key=([\w-]+)$/;

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
  return answered(fetch(`api/${path}?${new URLSearchParams(values).toString()}`, { headers: headers(), signal: patience() }));
}

export async function send(path: string, document: unknown): Promise<Answer> {
  return answered(
    fetch(`api/${path}`, {
      method: "POST",
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
  return known ? { "X-StackChain-Key": known } : {};
}

async function answered(sent: Promise<Response>): Promise<Answer> {
  const answer = await sent.catch(() => null);
  const body = object(answer ? await answer.json().catch(() => null) : null);
  const isGood = answer?.ok ?? false;
  const error = isGood ? "" : text(body["error"]) || "The server of this page does not answer as it should.";
  return { status: answer?.status ?? 0, isGood, body, error };
}
