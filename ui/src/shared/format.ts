/** Times and counts as people read them. Pure. */

import type { Chain, Delta } from "../graph/model.js";
import { isOver } from "../graph/phases.js";

export function seconds(start: string, end: string, now: number): number | null {
  const from = Date.parse(start);
  const until = end ? Date.parse(end) : now;
  return Number.isFinite(from) && Number.isFinite(until)
    ? Math.max(0, Math.floor((until - from) / 1000))
    : null;
}

/** How long something took, as the plugin says it: 41s, 1m05s, 2h07m, 3d04h. */
export function duration(total: number | null): string {
  if (total === null) {
    return "";
  }
  const two = (value: number): string => String(value).padStart(2, "0");
  if (total < 60) {
    return `${total}s`;
  }
  if (total < 3600) {
    return `${Math.floor(total / 60)}m${two(total % 60)}s`;
  }
  if (total < 86400) {
    return `${Math.floor(total / 3600)}h${two(Math.floor((total % 3600) / 60))}m`;
  }
  return `${Math.floor(total / 86400)}d${two(Math.floor((total % 86400) / 3600))}h`;
}

/** The largest unit alone: 41s, 5m, 2h, 3d. */
export function age(time: string, now: number): string {
  const total = seconds(time, "", now);
  if (total === null) {
    return "";
  }
  const units: [number, string][] = [
    [86400, "d"],
    [3600, "h"],
    [60, "m"],
  ];
  const unit = units.find(([size]) => total >= size);
  return unit ? `${Math.floor(total / unit[0])}${unit[1]}` : `${total}s`;
}

export function changes(delta: Delta | null): string {
  if (delta === null) {
    return "";
  }
  const { added, changed, deleted } = delta;
  return added || changed || deleted ? `+${added} ~${changed} -${deleted}` : "no changes";
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

/** Whether each word is somewhere in the texts. */
export function matches(query: string, ...texts: readonly string[]): boolean {
  const all = texts.join("\n").toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

/** Why there are no stacks to show. */
export function whyEmpty({ run, isBeforeStacks }: Pick<Chain, "run" | "isBeforeStacks">): string {
  if (run === null) {
    return "No run has read the stacks of this chain yet.";
  }
  if (!isBeforeStacks) {
    return "The run has no stacks.";
  }
  return isOver(run.phase)
    ? "The run ended before it had read its stacks."
    : "The run has not read its stacks yet.";
}

const TO_THE_SECOND: Intl.DateTimeFormatOptions = {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
};

/** In the reader's own time zone, to the second; with the year where it is not this one. */
export function clockTime(time: string, now = Date.now()): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) {
    return "";
  }
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleString("en-US", { ...TO_THE_SECOND, ...(isThisYear ? {} : { year: "numeric" }) });
}

/** The same with its zone, and as the status and the texts of the server have it. */
export function exactTime(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) {
    return "";
  }
  const local = date.toLocaleString("en-US", { ...TO_THE_SECOND, year: "numeric", timeZoneName: "short" });
  return `${local} (${date.toISOString().replace(".000Z", "Z")})`;
}

/** When something is likely to be over, and how long that is from now. */
export function estimate(time: string, now: number): string {
  const left = Math.floor((Date.parse(time) - now) / 1000);
  if (!Number.isFinite(left)) {
    return "";
  }
  const at = new Date(time).toLocaleTimeString("en-US", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return left > 0 ? `${at}, in ${duration(left)}` : `${at}, overdue`;
}

/** Text in parts: those between backticks are code, and a backtick without another one is text. */
export function codeParts(text: string): { readonly text: string; readonly isCode: boolean }[] {
  return text
    .split(/(`[^`]+`)/)
    .filter((part) => part !== "")
    .map((part) => {
      const isCode = /^`[^`]+`$/.test(part);
      return { text: isCode ? part.slice(1, -1) : part, isCode };
    });
}

/** Text on one line without invisible control and direction characters. */
export function oneLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, " ")
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "")
    .trim();
}
