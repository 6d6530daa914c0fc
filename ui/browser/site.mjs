// Asks the documentation site's own search, as a reader would: questions come as lines, and what is
// found goes out as a line for each, with what was wrong meanwhile.
//
//   node browser/site.mjs FOLDER

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { launch } from "./support.mjs";

const root = `${pathToFileURL(process.argv[2]).href}/`;
const browser = await launch(chromium);
const page = await browser.newPage();
let problems = [];
page.on("pageerror", (error) => problems.push(error.message));
page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
page.on("request", (request) => {
  const url = request.url();
  if (!url.startsWith(root) && !/^(data|blob|about):/.test(url)) {
    problems.push(`the page asks for ${url}`);
  }
});

/** Return what the search finds, best first, as addresses in the site. */
async function find(question) {
  await page.goto(`${root}index.html`);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("combobox", { name: "Search" }).fill(question);
  const found = page.getByRole("option");
  await page.getByRole("status").filter({ hasText: /\bresults?\b/ }).waitFor();
  const addresses = await found.evaluateAll((links) => links.map((link) => link.href));
  return addresses.map((address) => {
    const url = new URL(address);
    return decodeURI(url.origin === "null" || url.protocol === "file:" ? url.href : address)
      .replace(decodeURI(root), "")
      .replace(/\?[^#]*/, "");
  });
}

try {
  for await (const question of createInterface({ input: process.stdin })) {
    let found = [];
    try {
      found = await find(question);
    } catch (error) {
      problems.push(error.message);
    }
    process.stdout.write(`${JSON.stringify({ question, found, problems })}\n`);
    problems = [];
  }
} finally {
  await browser.close();
}
