// node browser/tour.mjs ADDRESS: a browser that others lead. Each line of the input is a command, each
// line of the output the answer: what the page complained of since the one before.
//
//   {"open": "?chain=a"}           shows this part of the page
//   {"sees": "Failed"}             waits until a heading or another text says it
//   {"shot": "a.png", "width": 390, "height": 844, "scheme": "dark"}
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";
import { launch } from "./support.mjs";

const [address] = process.argv.slice(2);
const browser = await launch(chromium);
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
const page = await context.newPage();
page.setDefaultTimeout(60_000);
let problems = [];
page.on("pageerror", (error) => problems.push(error.message));
page.on("console", (message) => message.type() === "error" && problems.push(`${message.text()} ${message.location().url}`));
await page.goto(address);
await page.locator("stackchain-app").waitFor();
const base = new URL(address).origin;

async function obey({ open, sees, shot, width = 1440, height = 900, scheme = "light" }) {
  if (open !== undefined) {
    await page.goto(`${base}/${open}`);
  }
  if (sees !== undefined) {
    await page.getByText(sees).filter({ visible: true }).first().waitFor();
  }
  if (shot !== undefined) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await page.getByText("Live", { exact: true }).waitFor({ state: "attached" });
    // After the frame in which the new size is drawn.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 300))));
    await page.screenshot({ path: shot });
    await page.setViewportSize({ width: 1440, height: 900 });
  }
}

async function shownText() {
  const inside = page.locator("stackchain-app").evaluate((app) => {
    const textOf = (root) => [...root.children].map((one) => (one.shadowRoot ? textOf(one.shadowRoot) : (one.innerText ?? ""))).join("\n");
    return textOf(app.shadowRoot);
  });
  return inside.catch((error) => error.message);
}

console.log(JSON.stringify({ problems }));
for await (const line of createInterface({ input: process.stdin })) {
  problems = [];
  try {
    await obey(JSON.parse(line));
  } catch (error) {
    problems.push(String(error.message), await shownText());
  }
  console.log(JSON.stringify({ problems }));
}
await browser.close();
