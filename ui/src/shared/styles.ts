/** Colors, type and the parts that all elements share. */

import { css } from "lit";

export const tokens = css`
  :host {
    --canvas: #f6f7f9;
    --surface: #ffffff;
    --hover: #eef1f5;
    --line: #e2e6ec;
    --line-strong: #c8ced8;
    --text: #12161d;
    --muted: #586171;
    --accent: #2457d6;
    --accent-soft: #e8effd;
    --good: #187440;
    --good-soft: #e6f5ec;
    --bad: #b91f2b;
    --bad-soft: #fdebec;
    --active: #1a5fc0;
    --active-soft: #e6f0fd;
    --attention: #855500;
    --attention-soft: #fdf2d8;
    --faint: #586171;
    --faint-soft: #eff1f4;
    --edge: #b8c0cc;
    --shadow: 0 1px 2px rgb(16 24 40 / 6%);
    --shadow-high: 0 8px 28px rgb(16 24 40 / 16%);
    --radius: 8px;
    --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    color-scheme: light;
    color: var(--text);
    font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Inter, Roboto, "Noto Sans", sans-serif;
    font-variant-numeric: tabular-nums;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --canvas: #0b0e12;
      --surface: #151920;
      --hover: #1f2530;
      --line: #262d38;
      --line-strong: #3b4452;
      --text: #e7eaf0;
      --muted: #9ba5b4;
      --accent: #7ba7ff;
      --accent-soft: #17233d;
      --good: #55c98c;
      --good-soft: #11261b;
      --bad: #ff8585;
      --bad-soft: #34171b;
      --active: #76adff;
      --active-soft: #14243e;
      --attention: #e6b450;
      --attention-soft: #2f2511;
      --faint: #9ba5b4;
      --faint-soft: #1d222b;
      --edge: #444e5d;
      --shadow: 0 1px 2px rgb(0 0 0 / 40%);
      --shadow-high: 0 10px 32px rgb(0 0 0 / 55%);
      color-scheme: dark;
    }
  }
  * {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
`;

export const parts = css`
  button,
  input {
    font: inherit;
    color: inherit;
  }
  a {
    color: var(--accent);
    text-decoration: none;
  }
  a:hover {
    text-decoration: underline;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
  .button {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    height: 30px;
    padding: 0 10px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--surface);
    cursor: pointer;
    white-space: nowrap;
  }
  .button:hover {
    background: var(--hover);
    text-decoration: none;
  }
  .button[aria-pressed="true"] {
    border-color: var(--accent);
    background: var(--accent-soft);
    color: var(--accent);
  }
  .button.icon {
    width: 30px;
    padding: 0;
    justify-content: center;
  }
  .button.plain {
    border-color: transparent;
    background: none;
  }
  .field {
    height: 30px;
    padding: 0 10px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--surface);
    min-width: 0;
  }
  .field::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  .good {
    --tone: var(--good);
    --tone-soft: var(--good-soft);
  }
  .bad {
    --tone: var(--bad);
    --tone-soft: var(--bad-soft);
  }
  .active {
    --tone: var(--active);
    --tone-soft: var(--active-soft);
  }
  .attention {
    --tone: var(--attention);
    --tone-soft: var(--attention-soft);
  }
  .faint {
    --tone: var(--faint);
    --tone-soft: var(--faint-soft);
  }
  .phase {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    color: var(--tone);
    font-weight: 550;
    white-space: nowrap;
  }
  .glyph {
    flex: none;
    width: 20px;
    height: 20px;
    padding: 2px;
    border-radius: 50%;
    background: var(--tone-soft);
    color: var(--tone);
  }
  .glyph path {
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.7;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .id {
    display: inline-flex;
    min-width: 0;
    max-width: 100%;
    unicode-bidi: isolate;
    white-space: pre;
  }
  .id .head {
    overflow: hidden;
    text-overflow: ellipsis;
    min-width: 1ch;
  }
  .id .tail {
    flex: none;
  }
  /* It is there to be heard; what is seen is what is copied. */
  .id .unseen {
    user-select: none;
  }
  .muted {
    color: var(--muted);
  }
  code {
    font-family: var(--mono);
    font-size: 0.94em;
    overflow-wrap: anywhere;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;
