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

async function openSearch() {
  await page.goto(`${root}index.html`);
  await page.getByRole("button", { name: "Search" }).click();
  return page.getByRole("combobox", { name: "Search" });
}

/** See to it that what is typed key by key stays in the field, while answers come in. */
async function type(word) {
  const field = await openSearch();
  await field.pressSequentially(word);
  await page.getByRole("option").first().waitFor();
  const typed = await field.inputValue();
  if (typed !== word) {
    problems.push(`the field has ${JSON.stringify(typed)} after typing ${word}`);
  }
}

/** Return what the search finds, best first, as addresses in the site. */
async function find(question) {
  await openSearch();
  // At once, so that no results of its first letters are shown before.
  await page.keyboard.insertText(question);
  await page.getByRole("option").first().waitFor();
  const addresses = await page
    .getByRole("option")
    .evaluateAll((links) => links.map((link) => link.href));
  return addresses.map((address) => {
    const url = new URL(address);
    // The question, for the page to mark its words.
    url.search = "";
    return url.href.replace(root, "");
  });
}

try {
  await type("retry");
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
