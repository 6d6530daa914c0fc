// node browser/tour.mjs ADDRESS: a browser that others lead. Each line of the input is a command, each
// line of the output the answer: what the page complained of since the one before.
//
//   {"open": "?chain=a"}           shows this part of the page
//   {"visit": "http://..."}        shows another page, whose complaints do not count
//   {"sees": "Failed"}             waits until a heading or another text says it
//   {"press": [["button", "Filter"]]}  clicks what has these roles and names, one after the other
//   {"shot": "a.png", "width": 390, "height": 844, "scheme": "dark", "part": "main"}
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";
import { shrink } from "./png.mjs";
import { launch } from "./support.mjs";

const [address] = process.argv.slice(2);
const base = new URL(address).origin;
const browser = await launch(chromium);
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
const page = await context.newPage();
page.setDefaultTimeout(60_000);
let problems = [];
const isOurs = () => page.url().startsWith(base);
page.on("pageerror", (error) => isOurs() && problems.push(error.message));
page.on("console", (message) => message.type() === "error" && isOurs() && problems.push(`${message.text()} ${message.location().url}`));
await page.goto(address);
await page.locator("stackchain-app").waitFor();

async function obey({ open, visit, sees, press = [], shot, part, width = 1440, height = 900, scheme = "light" }) {
  if (open !== undefined) {
    await page.goto(`${base}/${open}`);
  }
  if (visit !== undefined) {
    await page.goto(visit);
  }
  if (sees !== undefined) {
    await page.getByText(sees).filter({ visible: true }).first().waitFor();
  }
  for (const [role, name] of press) {
    await page.getByRole(role, { name }).first().click();
  }
  if (press.length > 0) {
    // Nothing is highlighted because the pointer is over it, or was used on it.
    await page.mouse.move(0, 0);
    await page.evaluate(() => document.activeElement.blur());
  }
  if (shot !== undefined) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    if (isOurs()) {
      await page.getByText("Live", { exact: true }).waitFor({ state: "attached" });
    }
    // After the frame in which the new size is drawn.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 300))));
    const place = part === undefined ? page : page.locator(part);
    await writeFile(shot, shrink(await place.screenshot()));
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
