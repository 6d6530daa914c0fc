// node browser/shots.mjs ADDRESS FOLDER [NAME...]: pictures of the page, to look at.
import { chromium } from "playwright-core";
import { SHOTS, SIZES, launch } from "./support.mjs";

const [address, folder, ...names] = process.argv.slice(2);
const browser = await launch(chromium);
const context = await browser.newContext();
const first = await context.newPage();
first.on("console", (message) => console.log("console:", message.text()));
await first.goto(address);
await first.waitForSelector("stackchain-app");
const base = new URL(address).origin;
for (const [name, path] of Object.entries(SHOTS)) {
  if (names.length > 0 && !names.some((one) => name.startsWith(one))) continue;
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const colorScheme of ["light", "dark"]) {
      if (process.env.ONLY && !process.env.ONLY.split(",").includes(`${size}-${colorScheme}`)) continue;
      const page = await context.newPage();
      page.on("pageerror", (error) => console.log(name, "error:", error.message));
      page.on("console", (message) => message.type() === "error" && console.log(name, message.text()));
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.goto(`${base}/${path}`);
      await page.waitForTimeout(900);
      await page.screenshot({ path: `${folder}/${name}-${size}-${colorScheme}.png` });
      await page.close();
    }
  }
}
await browser.close();
