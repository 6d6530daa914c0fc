/**
 * Light or dark as the host has it. A host has one theme for its whole page, which may differ from
 * the system's, so the rule of the shared style sheet is set for all elements at once.
 */

import { tokens } from "../shared/styles.js";

/** `system` where the host says nothing. */
export type Scheme = "light" | "dark" | "system";

const MEDIA: Readonly<Record<Scheme, string>> = {
  light: "not all",
  dark: "all",
  system: "(prefers-color-scheme: dark)",
};

export function follow(scheme: Scheme): void {
  for (const rule of tokens.styleSheet?.cssRules ?? []) {
    if (rule instanceof CSSMediaRule) {
      rule.media.mediaText = MEDIA[scheme];
    }
  }
}
