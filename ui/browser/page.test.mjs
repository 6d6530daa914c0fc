// The page in a real Chromium. `make test-ui` runs it; PYTHON names the project's Python.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";
import { SHOTS, SIZES, launch } from "./support.mjs";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = 30_000;
// Budgets are for an idle machine; this one may have others to serve.
const SLOWNESS = Number(process.env.SLOWNESS ?? 5);
const KEPT = process.env.SHOTS;

let server, browser, context, base, say;

async function serve() {
  const process_ = spawn(process.env.PYTHON ?? "python3", ["-m", "tests.ui"], {
    cwd: process.env.PROJECT ?? new URL("../..", import.meta.url),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { done, value } = await lines.next();
    assert.ok(!done, "the server has ended");
    return value;
  };
  return { process: process_, address: await next(), next };
}

before(async () => {
  const started = await serve();
  server = started.process;
  base = new URL(started.address).origin;
  // What a test does next must not be earlier than what it says here.
  say = async (line) => {
    server.stdin.write(`${line}\n`);
    assert.equal(await started.next(), "done");
  };
  browser = await launch(chromium);
  context = await browser.newContext({ viewport: SIZES[1440], reducedMotion: "reduce" });
  const first = await context.newPage();
  await first.goto(started.address);
  await first.locator("stackchain-app").waitFor();
  await first.close();
});

after(async () => {
  await browser?.close();
  server?.kill();
});

/** Opens a page that fails the test if anything is logged as an error, refused or thrown. */
async function open(t, path, { size = 1440, colorScheme = "light" } = {}) {
  const page = await context.newPage();
  // Also after a failure: six tabs take all connections that a browser opens to a host.
  t.after(() => page.close());
  page.setDefaultTimeout(PATIENCE);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  page.on("dialog", (dialog) => page.problems.push(`dialog: ${dialog.message()}`));
  await page.setViewportSize(SIZES[size]);
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.goto(`${base}/${path}`);
  await page.getByText("Live", { exact: true }).waitFor({ state: "attached" });
  return page;
}

async function close(page) {
  assert.deepEqual(page.problems, []);
  await page.close();
}

/** What the server answers to what a person does: the browser tests do not repeat its words. */
async function answerTo(page, path, act) {
  const isAnswer = (one) => new URL(one.url()).pathname.endsWith(`/api/${path}`);
  const [answer] = await Promise.all([page.waitForResponse(isAnswer), act()]);
  return answer.json();
}

/** Waits until a part of the page shows a sentence of the server. */
async function shows(part, sentence) {
  assert.ok(sentence);
  await part.getByText(sentence.replaceAll("`", "")).waitFor();
}

async function boxes(page) {
  return page.locator("stackchain-graph .box").evaluateAll((all) =>
    Object.fromEntries(all.map((box) => [box.dataset.key, box.style.transform])),
  );
}

for (const [name, path] of Object.entries(SHOTS)) {
  // Axe looks at each of thousands of elements; what sizes change is seen with a hundred stacks.
  const sizes = name.startsWith("five-hundred") ? ["1440"] : Object.keys(SIZES);
  for (const size of sizes) {
    test(`${name} at ${size}: no error, nothing refused, accessible in light and dark`, async (t) => {
      for (const colorScheme of ["light", "dark"]) {
        const page = await open(t, path, { size: Number(size), colorScheme });
        await page.locator("chain-list .chain, .headline").first().waitFor();
        await page.evaluate(AXE);
        const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        assert.deepEqual(
          found.violations.map(({ id, nodes }) => [id, nodes[0].target.join(" "), nodes[0].failureSummary]),
          [],
        );
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${wide} pixels are beyond the right edge`);
        if (KEPT) {
          mkdirSync(KEPT, { recursive: true });
          await page.screenshot({ path: `${KEPT}/${name}-${size}-${colorScheme}.png` });
        }
        await close(page);
      }
    });
  }
}

test("a run is followed from its start to its end", async (t) => {
  const page = await open(t, "?namespace=platform&chain=live");
  await page.getByRole("heading", { name: "Running" }).waitFor();
  await page.locator(".facts").getByText(/^\d\d:\d\d, in \d+m\d\ds$/).waitFor();
  for (let step = 1; step <= 8; step += 1) {
    await say("run");
    if (step < 8) await page.getByText(`Step ${step}.`, { exact: true }).waitFor();
  }
  await page.getByRole("heading", { name: "Succeeded" }).waitFor();
  await page.locator(".facts").getByText("12/12").waitFor();
  await close(page);
});

test("500 stacks are drawn within the budgets, and an update moves no box", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-500");
  await page.locator("stackchain-graph .box").first().waitFor();
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  await page.getByRole("button", { name: "Fold", exact: true }).click();
  await page.waitForFunction(() => document.querySelector("stackchain-app").shadowRoot.querySelector("stackchain-graph").shadowRoot.querySelectorAll(".box").length === 500);
  const before = await boxes(page);
  const updates = await page.evaluate(async () => {
    const graph = document.querySelector("stackchain-app").shadowRoot.querySelector("stackchain-graph");
    const taken = [];
    for (let round = 0; round < 9; round += 1) {
      const chain = structuredClone(graph.chain);
      for (const stack of chain.status.stacks.slice(round * 20, round * 20 + 15)) stack.phase = "Running";
      const started = performance.now();
      graph.chain = chain;
      await graph.updateComplete;
      graph.getBoundingClientRect();
      taken.push(performance.now() - started);
    }
    return taken.sort((a, b) => a - b);
  });
  await say("large");
  await page.waitForTimeout(1500);
  assert.deepEqual(await boxes(page), before);
  t.diagnostic(`first paint ${Math.round(paint)} ms, update ${updates[4].toFixed(1)} ms`);
  assert.ok(paint <= 1000 * SLOWNESS, `first paint after ${paint} ms`);
  assert.ok(updates[4] <= 50 * SLOWNESS, `an update takes ${updates[4]} ms`);
  await close(page);
});

test("a large chain opens folded, says so, and opens a group on demand", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-100");
  await page.getByText(/Folded to what needs attention: \d+ of 100 stacks shown/).waitFor();
  const before = await boxes(page);
  const group = page.getByRole("button", { name: /finished stacks of level 2/ });
  const key = await group.getAttribute("data-key");
  await group.focus();
  await page.keyboard.press("Enter");
  await eventually(async () => Object.keys(await boxes(page)).length > Object.keys(before).length);
  const after = await boxes(page);
  for (const [other, place] of Object.entries(before)) {
    assert.equal(after[other], other === key ? undefined : place, other);
  }
  await eventually(() =>
    page.evaluate(() => {
      const graph = document.querySelector("stackchain-app").shadowRoot.querySelector("stackchain-graph");
      return graph.shadowRoot.activeElement?.matches(".box:not(.group)");
    }),
  );
  await close(page);
});

test("keyboard only: from the list to a stack and back", async (t) => {
  const page = await open(t, "?");
  await page.locator("chain-list .chain").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("platform awaiting");
  await page.waitForFunction(() => document.querySelector("stackchain-app").shadowRoot.querySelector("chain-list").shadowRoot.querySelectorAll(".chain").length === 1);
  await page.keyboard.press("Tab");
  while (!(await page.evaluate(() => document.activeElement.shadowRoot.activeElement?.shadowRoot?.activeElement?.matches("a.chain")))) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Waits for a person" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("cluster");
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "cluster" }).waitFor();
  assert.match(page.url(), /stack=cluster/);
  await page.keyboard.press("Escape");
  await page.getByRole("region", { name: "cluster" }).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await page.locator("chain-list .chain").first().waitFor();
  await close(page);
});

test("the address holds what is shown, and back goes back", async (t) => {
  const page = await open(t, "?");
  await page.locator("chain-list .chain", { hasText: "fleet-100" }).click();
  await page.getByRole("link", { name: "Table" }).click();
  await page.getByRole("button", { name: /Took/ }).click();
  await page.getByRole("button", { name: /Failed/ }).first().click();
  const url = page.url();
  await page.reload();
  await page.locator("tbody tr").first().waitFor();
  assert.equal(page.url(), url);
  assert.equal(await page.locator("tbody tr").count(), 1);
  assert.match(url, /view=table/);
  assert.match(url, /only=Failed/);
  assert.match(url, /sort=took/);
  await page.goBack();
  await page.locator("stackchain-graph .box").first().waitFor();
  await page.goBack();
  await page.locator("chain-list .chain").first().waitFor();
  await close(page);
});

test("a click lights up what is above and below", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform");
  await page.locator("stackchain-graph").getByRole("button", { name: /^monitoring Failed/ }).click();
  const roles = await page.locator("stackchain-graph .box").evaluateAll((all) =>
    Object.fromEntries(all.map((box) => [box.dataset.key, [...box.classList].find((one) => ["selected", "upstream", "downstream", "dim"].includes(one))])),
  );
  assert.equal(roles.monitoring, "selected");
  assert.deepEqual([roles.cluster, roles.network], ["upstream", "upstream"]);
  assert.deepEqual([roles.alerts, roles.dashboards], ["downstream", "downstream"]);
  assert.equal(roles.dns, "dim");
  await page.getByText("What to do").waitFor();
  await close(page);
});

test("a skipped stack names the one that it was skipped behind, and leads to it", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform&view=table&stack=alerts");
  const drawer = page.locator("stackchain-drawer");
  await drawer.getByText(/Skipped because\s+monitoring\s+failed\./).waitFor();
  await page.getByRole("row", { name: /alerts/ }).getByText("Skipped because monitoring failed.").waitFor();
  await drawer.getByText("Skipped because").getByRole("button", { name: "monitoring" }).click();
  await drawer.getByRole("heading", { name: "monitoring", exact: true }).waitFor();
  assert.match(page.url(), /stack=monitoring/);
  await drawer.getByText(/press Retry, or run/).locator("code").getByText("kubectl stackchain retry platform --stack monitoring").waitFor();
  await close(page);
});

test("a stack that another chain has leads to that chain", async (t) => {
  const page = await open(t, "?namespace=team-b&chain=search&stack=svc-4");
  await page.getByText("In use by chain").getByRole("link", { name: "team-a/billing" }).click();
  await page.locator(".crumb").getByText("billing").waitFor();
  assert.match(page.url(), /namespace=team-a&chain=billing/);
  await close(page);
});

test("ids are copied", async (t) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base });
  const page = await open(t, "?namespace=platform&chain=platform&stack=monitoring");
  for (const [name, id] of [["Copy the id of the stack", "monitoring"], ["Copy the id of the run", "01JMONITORING"]]) {
    await page.getByRole("button", { name }).click();
    await page.getByText(`${id} was copied.`).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), id);
  }
  await close(page);
});

test("code in a sentence is code, and nothing has a backtick", async (t) => {
  for (const path of ["?namespace=team-b&chain=paused", "?namespace=team-a&chain=staged", "?namespace=platform&chain=teardown&stack=dashboards"]) {
    const page = await open(t, path);
    await page.locator(".headline").waitFor();
    const text = await page.locator(".headline, .needs, stackchain-drawer .body").allInnerTexts();
    assert.ok(await page.locator(".headline code, .needs code, stackchain-drawer code").count() > 0);
    assert.doesNotMatch(text.join("\n"), /`/);
    await close(page);
  }
});

test("the graph is saved in each format", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform");
  for (const [name, file] of [["SVG", "platform.svg"], ["Mermaid", "platform.mmd"], ["DOT", "platform.dot"]]) {
    const saving = page.waitForEvent("download");
    await page.getByRole("button", { name, exact: true }).click();
    const saved = await saving;
    assert.equal(saved.suggestedFilename(), file);
    assert.match(readFileSync(await saved.path(), "utf8"), /monitoring/);
  }
  await close(page);
});

test("hostile text is text, and its links lead nowhere", async (t) => {
  const page = await open(t, "?namespace=platform&chain=hostile&stack=%3Cimg");
  await page.locator(".headline").waitFor();
  for (const view of ["graph", "table", "timeline", "runs"]) {
    await page.goto(`${base}/?namespace=platform&chain=hostile&view=${view}`);
    await page.locator(".headline").waitFor();
    const found = await page.evaluate(() => {
      const all = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
      const elements = all(document);
      return {
        images: elements.filter((one) => one.localName === "img").length,
        links: elements.filter((one) => one.localName === "a").map((one) => new URL(one.href).protocol),
      };
    });
    assert.equal(found.images, 0);
    assert.deepEqual(found.links.filter((one) => one !== "http:" && one !== "https:"), []);
  }
  await close(page);
});

test("a phone starts with what needs someone and has no graph", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform", { size: 390 });
  await page.getByRole("heading", { name: /Needs you/ }).waitFor();
  assert.equal(await page.locator("stackchain-graph").count(), 0);
  assert.equal(await page.getByRole("link", { name: "Graph" }).count(), 0);
  await page.locator("tbody tr").first().click();
  await page.getByRole("region", { name: "monitoring" }).waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await close(page);
});

test("an API server that is away is said, and so is its return", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform");
  await say("away");
  await page.getByRole("alert").getByText(/does not answer/).waitFor();
  await page.getByText("Not up to date").waitFor();
  await page.locator("stackchain-graph .box").first().waitFor();
  await say("back");
  await page.getByText("Live", { exact: true }).waitFor();
  await close(page);
});

test("a tab in the background holds no connection, and shows what is so once it is looked at", async (t) => {
  const page = await context.newPage();
  t.after(() => page.close());
  page.setDefaultTimeout(PATIENCE);
  let streams = 0;
  page.on("request", (request) => (streams += request.url().includes("api/stream") ? 1 : 0));
  await page.addInitScript(() => {
    window.isHidden = true;
    Object.defineProperty(Document.prototype, "hidden", { get: () => window.isHidden });
  });
  const show = (isHidden) =>
    page.evaluate((value) => {
      window.isHidden = value;
      document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
  await page.goto(`${base}/?namespace=platform&chain=platform`);
  await page.getByText("Reading the chain").waitFor();
  assert.equal(streams, 0);
  await show(false);
  await page.getByText("Live", { exact: true }).waitFor();
  await say("away");
  await page.getByRole("alert").getByText(/does not answer/).waitFor();
  await show(true);
  await say("back");
  await open(t, "?");
  await show(false);
  await page.getByText("Live", { exact: true }).waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
});

/** Whether a box of the graph is seen whole. */
async function isInView(page, key) {
  const graph = page.locator("stackchain-graph");
  const [canvas, box] = await Promise.all([
    graph.locator(".canvas").boundingBox(),
    graph.locator(`.box[data-key="${key}"]`).boundingBox(),
  ]);
  return (
    box.x >= canvas.x &&
    box.y >= canvas.y &&
    box.x + box.width <= canvas.x + canvas.width &&
    box.y + box.height <= canvas.y + canvas.height
  );
}

async function eventually(isSo) {
  for (const end = Date.now() + PATIENCE; !(await isSo()); ) {
    assert.ok(Date.now() < end, `not so in time: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("the stack that a link names is in view", async (t) => {
  const id = "prod-us-east-1-service-team-214";
  const page = await open(t, `?namespace=platform&chain=fleet-500&stack=${id}`);
  await page.getByRole("region", { name: id }).waitFor();
  await eventually(() => isInView(page, id));
  await close(page);
});

test("the drawer does not hide the box that opened it, and a right click does not close it", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform");
  await page.locator("stackchain-graph .box").first().waitFor();
  const canvas = await page.locator("stackchain-graph .canvas").boundingBox();
  await page.mouse.move(canvas.x + 20, canvas.y + 20);
  await page.mouse.wheel(0, 1);
  await page.locator('stackchain-graph .box[data-key="frontend"]').click();
  await page.getByRole("region", { name: "frontend" }).waitFor();
  await eventually(() => isInView(page, "frontend"));
  await page.mouse.click(canvas.x + 20, canvas.y + 20, { button: "right" });
  assert.equal(await page.getByRole("region", { name: "frontend" }).count(), 1);
  await page.mouse.click(canvas.x + 20, canvas.y + 20);
  await page.getByRole("region", { name: "frontend" }).waitFor({ state: "detached" });
  await close(page);
});

test("a button of a phase leads to the table, and back to the graph", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform");
  await page.locator(".phases").getByRole("button", { name: /Failed/ }).click();
  await page.locator("tbody tr").first().waitFor();
  await page.goBack();
  await page.locator("stackchain-graph .box").first().waitFor();
  await close(page);
});

for (const size of Object.keys(SIZES)) {
  test(`the times above a timeline do not overlap at ${size}`, async (t) => {
    const page = await open(t, "?namespace=platform&chain=platform&view=timeline", { size: Number(size) });
    await page.locator(".tick").first().waitFor();
    const ticks = await page.locator(".tick").evaluateAll((all) =>
      all.map((one) => one.getBoundingClientRect()).map(({ left, right }) => ({ left, right })),
    );
    assert.ok(ticks.length > 1);
    ticks.slice(1).forEach(({ left }, place) => assert.ok(left > ticks[place].right + 2, JSON.stringify(ticks)));
    await close(page);
  });
}

test("a chain of which nothing runs says what to do, and its timeline says so", async (t) => {
  const page = await open(t, "?namespace=team-b&chain=paused&view=timeline");
  await page.locator(".headline").getByText("kubectl stackchain resume paused -n team-b").waitFor();
  await page.getByText("No stack has run.").waitFor();
  await page.goto(`${base}/?namespace=team-a&chain=fresh`);
  await page.locator(".headline").getByText("No operator has seen it yet.").waitFor();
  await close(page);
});

test("events are read once more after a change, since they are written after it", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform");
  let reads = 0;
  page.on("request", (request) => (reads += request.url().includes("api/events") ? 1 : 0));
  await page.getByRole("link", { name: "Events" }).click();
  await eventually(() => reads === 2);
  await close(page);
});

test("keyboard only: from the list to a retry", async (t) => {
  const page = await open(t, "?");
  await page.locator("chain-list .chain").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("teardown");
  await page.waitForFunction(() => document.querySelector("stackchain-app").shadowRoot.querySelector("chain-list").shadowRoot.querySelectorAll(".chain").length === 1);
  const isOn = (text) =>
    page.evaluate((wanted) => {
      let one = document.activeElement;
      while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
      return one?.textContent.trim().startsWith(wanted) || one?.matches(wanted);
    }, text);
  const tabTo = async (text) => {
    for (let step = 0; !(await isOn(text)); step += 1) {
      assert.ok(step < 40, `${text} is not reached`);
      await page.keyboard.press("Tab");
    }
  };
  await tabTo("a.chain");
  await page.keyboard.press("Enter");
  await page.getByRole("group", { name: "Actions" }).waitFor();
  await tabTo("Retry");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: /Retry: teardown/ });
  await dialog.getByText(/Run again \(\d+ stacks\)/).waitFor();
  await dialog.getByRole("list", { name: "Kept unchanged" }).getByText("alerts").first().waitFor({ state: "attached" });
  await page.evaluate(AXE);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  assert.deepEqual(found.violations.map(({ id, nodes }) => [id, nodes[0].failureSummary]), []);
  assert.ok(await dialog.getByRole("button", { name: "Retry" }).isDisabled());
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("group", { name: "Actions" }).waitFor();
  await tabTo("Retry");
  await page.keyboard.press("Enter");
  await dialog.getByLabel(/Type the name of the chain/).waitFor();
  await eventually(() => isOn("input[name=confirmation]"));
  await page.keyboard.type("teardown");
  const asked = await answerTo(page, "ask", () => page.keyboard.press("Enter"));
  await shows(page.getByRole("status"), asked.messages[0]);
  await dialog.waitFor({ state: "detached" });
  await close(page);
});

test("suspend, resume and parallelism are asked for in a dialog, and seen at once", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-100");
  const actions = page.getByRole("group", { name: "Actions" });
  const dialog = page.getByRole("dialog");
  const shown = await answerTo(page, "preview", () => actions.getByRole("button", { name: "Suspend" }).click());
  await shows(dialog, shown.means);
  await dialog.getByText(/suspend fleet-100 --context kind -n platform/).waitFor();
  await dialog.getByRole("button", { name: "Suspend" }).click();
  await actions.getByRole("button", { name: "Resume" }).click();
  await dialog.getByRole("button", { name: "Resume" }).click();
  await actions.getByRole("button", { name: "Suspend" }).waitFor();
  await actions.getByRole("button", { name: /Parallelism: \d+/ }).click();
  const bound = dialog.getByLabel("Stacks that may run at once");
  await bound.fill("501");
  assert.ok(await dialog.getByRole("button", { name: "Parallelism" }).isDisabled());
  await bound.fill("7");
  await bound.press("Enter");
  await actions.getByRole("button", { name: "Parallelism: 7" }).waitFor();
  await close(page);
});

test("a dialog that is opened as soon as another one closes stays open", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform");
  const actions = page.getByRole("group", { name: "Actions" });
  const dialog = page.getByRole("dialog");
  await actions.getByRole("button", { name: "Suspend" }).click();
  await dialog.getByRole("button", { name: "Suspend" }).waitFor();
  const next = await actions.getByRole("button", { name: /^Parallelism/ }).elementHandle();
  // Both before the next frame, with which the browser says that a dialog was closed.
  await dialog.getByRole("button", { name: "Close" }).evaluate((button, opener) => {
    button.click();
    opener.click();
  }, next);
  await dialog.getByLabel("Stacks that may run at once").waitFor();
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  assert.equal(await dialog.getByLabel("Stacks that may run at once").count(), 1);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await close(page);
});

test("an answer that comes after its dialog was closed leaves the next one alone, and is said", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform");
  const actions = page.getByRole("group", { name: "Actions" });
  const dialog = page.getByRole("dialog");
  const answers = [{ json: { messages: ["it is done"] } }, { status: 409, json: { error: "it was refused" } }];
  for (const answer of answers) {
    let release;
    const isReleased = new Promise((resolve) => (release = resolve));
    await page.route("**/api/ask", async (route) => {
      await isReleased;
      await route.fulfill(answer);
    });
    const asks = page.waitForRequest("**/api/ask");
    await actions.getByRole("button", { name: "Suspend" }).click();
    await dialog.getByRole("button", { name: "Suspend" }).click();
    await asks;
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await actions.getByRole("button", { name: /^Parallelism/ }).click();
    await dialog.getByLabel("Stacks that may run at once").waitFor();
    release();
    await page.getByRole("status").getByText(answer.json.error ?? answer.json.messages[0]).waitFor();
    assert.equal(await dialog.getByRole("alert").count(), 0);
    await dialog.getByLabel("Stacks that may run at once").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.unroute("**/api/ask");
  }
  // What the browser says of an answer that is no success.
  page.problems = page.problems.filter((text) => !text.includes("409"));
  await close(page);
});

test("one stack is retried and bypassed from its drawer", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform&stack=monitoring");
  const drawer = page.locator("stackchain-drawer");
  await drawer.getByRole("button", { name: "Bypass" }).click();
  const dialog = page.getByRole("dialog", { name: "Bypass monitoring of platform" });
  await dialog.getByText("Count as done without a run (1 stack)").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await drawer.getByRole("button", { name: "Retry" }).click();
  await page.getByRole("dialog").getByText(/Run again \(\d+ stacks\)/).waitFor();
  await page.keyboard.press("Escape");
  assert.match(page.url(), /stack=monitoring/);
  await close(page);
});

test("who may not change a chain sees no button, and one whose right has gone is told so", async (t) => {
  t.after(() => say("change"));
  await say("view");
  const page = await open(t, "?namespace=platform&chain=platform&stack=monitoring");
  await page.getByText("You may view this chain, but not change it.").waitFor();
  for (const name of ["Suspend", "Retry", "Bypass", "Cancel the run", /^Parallelism/, "Retry monitoring"]) {
    assert.equal(await page.getByRole("button", { name, exact: true }).count(), 0);
  }
  await say("change");
  await page.reload();
  const cancel = page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Cancel the run" });
  const shown = await answerTo(page, "preview", () => cancel.click());
  const dialog = page.getByRole("dialog");
  await shows(dialog, shown.messages[0]);
  await say("view");
  // What the browser says of an answer that is no success.
  const expected = page.waitForEvent("console", (message) => message.text().includes("403"));
  const refused = await answerTo(page, "ask", () => dialog.getByRole("button", { name: "Cancel the run" }).click());
  await shows(dialog.getByRole("alert"), refused.error);
  await expected;
  page.problems = page.problems.filter((text) => !text.includes("403"));
  await close(page);
});

test("stages say what they wait for, and one is approved; the chain says what it changed and runs after", async (t) => {
  const page = await open(t, "?namespace=team-a&chain=staged");
  const stages = page.getByRole("list", { name: "Stages" });
  await stages.getByText("waits for approval for").waitFor();
  await stages.getByText("waits for earlier stages").waitFor();
  assert.deepEqual(await stages.locator("b").allTextContents(), ["canary", "production", "rest"]);
  await page.locator(".facts").getByText("+5 ~1 -0").waitFor();
  const needs = page.getByRole("region", { name: /Needs you/ });
  await needs.getByText("holds up 9 stacks").waitFor();
  await needs.getByRole("button", { name: "Approve production" }).click();
  const dialog = page.getByRole("dialog", { name: "Approve production of staged" });
  await dialog.getByText(/approve staged production --context kind -n team-a/).waitFor();
  const asked = await answerTo(page, "ask", () => dialog.getByRole("button", { name: "Approve" }).click());
  await shows(page.getByRole("status"), asked.messages[0]);
  await page.locator(".facts").getByRole("link", { name: "billing" }).click();
  assert.match(page.url(), /chain=billing/);
  await close(page);
});

test("a chain that is deleted while it is looked at", async (t) => {
  const page = await open(t, "?namespace=team-b&chain=paused");
  await page.locator(".headline").waitFor();
  await say("delete paused");
  await page.getByRole("heading", { name: "There is no chain paused in team-b" }).waitFor();
  await close(page);
});

test("a browser that has not opened the address is refused", async () => {
  const other = await browser.newContext();
  const page = await other.newPage();
  const answer = await page.goto(base);
  assert.equal(answer.status(), 401);
  assert.match(await page.locator("body").innerText(), /kubectl stackchain ui/);
  await other.close();
});

// As a proxy that logs people in answers once the login has ended.
for (const [name, answer] of Object.entries({
  "a redirect": { status: 302, headers: { Location: "https://login.example.com/" } },
  "401 without a reason": { status: 401, json: {} },
})) {
  test(`a login that has ended says what to do: ${name}`, async (t) => {
    const page = await context.newPage();
    t.after(() => page.close());
    page.setDefaultTimeout(PATIENCE);
    const asked = [];
    await page.route("**/api/**", (route) => {
      asked.push(route.request().headers().accept);
      return route.fulfill(answer);
    });
    await page.goto(base);
    await page.getByText("Your login has ended. Load the page again to log in.").waitFor();
    // Such proxies answer with 401 whoever asks for JSON, and lead others to a page.
    assert.equal(asked.at(-1), "application/json");
  });
}

test("tabs ask one after another whether the login has ended, so that one alone renews it", async (t) => {
  const own = await browser.newContext({ storageState: await context.storageState() });
  t.after(() => own.close());
  let now = 0;
  let most = 0;
  await own.route("**/api/stream*", (route) => route.abort());
  await own.route("**/api/session*", async (route) => {
    most = Math.max(most, (now += 1));
    await new Promise((done) => setTimeout(done, 1000));
    now -= 1;
    await route.fulfill({ status: 401, json: {} });
  });
  const tabs = await Promise.all([1, 2, 3].map(() => own.newPage()));
  await Promise.all(tabs.map((tab) => tab.goto(base)));
  await Promise.all(tabs.map((tab) => tab.getByText("Your login has ended").waitFor({ timeout: PATIENCE })));
  assert.equal(most, 1);
});

test("a page of another site can neither read nor frame it", async () => {
  const page = await context.newPage();
  await page.goto(base.replace("127.0.0.1", "localhost"), { waitUntil: "commit" });
  const read = await page.evaluate(
    (url) => fetch(url, { credentials: "include" }).then((answer) => answer.status, (error) => error.name),
    `${base}/api/session`,
  );
  assert.equal(read, "TypeError");
  await page.close();
});

test("5,000 chains are listed and searched", async (t) => {
  const own = await serve();
  const mine = await browser.newContext({ viewport: SIZES[1440] });
  t.after(async () => {
    await mine.close();
    own.process.kill();
  });
  const page = await mine.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(own.address);
  await page.locator("chain-list .chain").first().waitFor();
  own.process.stdin.write("many\n");
  await page.waitForFunction(() => document.querySelector("stackchain-app").shadowRoot.querySelector("chain-list").rows.length > 5000);
  await page.keyboard.press("/");
  const taken = await page.evaluate(async () => {
    const list = document.querySelector("stackchain-app").shadowRoot.querySelector("chain-list");
    const input = list.shadowRoot.querySelector("input[type=search]");
    const started = performance.now();
    input.value = "chain-4321";
    input.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - started;
  });
  await page.locator("chain-list .chain", { hasText: "chain-4321" }).waitFor();
  assert.equal(await page.locator("chain-list .chain").count(), 1);
  t.diagnostic(`a search takes ${taken.toFixed(0)} ms`);
  assert.ok(taken <= 100 * SLOWNESS, `a search takes ${taken} ms`);
});

/** A page of a server of its own, which the test may end or stop. */
async function openOwn(t, path) {
  const own = await serve();
  const mine = await browser.newContext({ viewport: SIZES[1440] });
  t.after(async () => {
    own.process.kill("SIGKILL");
    await mine.close();
  });
  const page = await mine.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.clock.install();
  await page.goto(own.address);
  await page.getByText("Live", { exact: true }).waitFor();
  await page.goto(`${new URL(own.address).origin}/${path}`);
  await page.getByText("Live", { exact: true }).waitFor();
  return { process: own.process, page };
}

test("a server that has ended is said, with what to do, and nothing can be asked for", async (t) => {
  const { process: server_, page } = await openOwn(t, "?namespace=platform&chain=platform");
  await page.getByRole("group", { name: "Actions" }).waitFor();
  server_.kill();
  await page.getByText("Reconnecting").waitFor();
  await page.clock.runFor(7000);
  const said = page.getByRole("alert").getByText(/The server of this page does not answer. What you see is from .*start it again and open its new address/);
  await said.waitFor();
  await page.getByText("Actions are possible again once the server of this page answers.").waitFor();
  assert.equal(await page.getByRole("group", { name: "Actions" }).count(), 0);
});

test("a connection that is open but dead is noticed, and its return", async (t) => {
  const { process: server_, page } = await openOwn(t, "?namespace=platform&chain=platform");
  server_.kill("SIGSTOP");
  await page.clock.runFor(41_000);
  await page.getByText("Reconnecting").waitFor();
  server_.kill("SIGCONT");
  await eventually(async () => {
    await page.clock.runFor(3000);
    return (await page.getByText("Live", { exact: true }).count()) === 1;
  });
});

test("what a search finds in the graph can be clicked, and groups say how many match", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-100&q=team-04");
  await page.locator("stackchain-graph .hits").getByText("10", { exact: true }).waitFor();
  await page.locator("stackchain-graph .box.group.found").first().getByText(/^\d+ of \d+ stacks$/).waitFor();
  await page.locator("stackchain-graph .box.found:not(.group)").first().click();
  await page.locator("stackchain-drawer").waitFor();
  await close(page);
});

test("a search that is typed brings what it finds into view", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-500");
  await page.getByRole("button", { name: "Fold", exact: true }).click();
  await page.keyboard.press("/");
  await page.keyboard.type("team-499");
  await eventually(() => isInView(page, "prod-us-east-1-network-team-499").catch(() => isInView(page, "prod-us-east-1-cluster-team-499")));
  await close(page);
});

test("on a phone, names, phases and buttons of Needs you do not overlap", async (t) => {
  for (const chain of ["fleet-100", "platform"]) {
    const page = await open(t, `?namespace=platform&chain=${chain}`, { size: 390 });
    await page.locator(".needs li").first().waitFor();
    const overlaps = await page.locator(".needs li").evaluateAll((rows) =>
      rows.flatMap((row) => {
        const parts = [...row.querySelectorAll(".who, .phase-word, .said, li > .button")].map((one) => one.getBoundingClientRect());
        return parts.flatMap((a, place) =>
          parts.slice(place + 1).filter((b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1),
        );
      }),
    );
    assert.deepEqual(overlaps, []);
    await close(page);
  }
});

test("a filter that shows nothing any more can be taken away", async (t) => {
  const page = await open(t, "?namespace=team-a&chain=single&view=table&only=Failed");
  await page.locator(".phases").getByRole("button", { name: "0 Failed" }).click();
  await page.locator("tbody tr").first().waitFor();
  await close(page);
});

test("a chip and a row of Needs you act in each view", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform&view=runs");
  await page.locator(".needs").getByRole("button", { name: /^monitoring/ }).click();
  await page.getByRole("region", { name: "monitoring" }).waitFor();
  await page.locator(".phases").getByRole("button", { name: /Failed/ }).click();
  await eventually(async () => (await page.locator("tbody tr").count()) === 1);
  await page.getByRole("link", { name: "Graph" }).click();
  await page.getByRole("button", { name: "Close" }).click();
  await page.locator("stackchain-graph .box.found").waitFor();
  assert.equal(await page.locator("stackchain-graph .box.dim").count(), 11);
  await close(page);
});

test("what was shown and is fine by now can be folded again", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-100");
  const graph = page.locator("stackchain-graph");
  await page.getByRole("button", { name: "Fold again" }).waitFor({ state: "detached" });
  // In one step: the chain is sent anew whenever the connection is.
  const seen = await graph.evaluate(async (element) => {
    const root = element.shadowRoot;
    const boxes = () => root.querySelectorAll(".box").length;
    const before = boxes();
    const chain = structuredClone(element.chain);
    for (const stack of chain.status.stacks) if (stack.phase === "Running") stack.phase = "Succeeded";
    element.chain = chain;
    await element.updateComplete;
    const [kept, note] = [boxes(), root.querySelector(".note").textContent];
    [...root.querySelectorAll("button")].find((one) => one.textContent === "Fold again").click();
    await element.updateComplete;
    return { before, kept, note, after: boxes() };
  });
  assert.equal(seen.kept, seen.before);
  assert.match(seen.note, /of 100 stacks shown, \d+ of them could be folded/);
  assert.ok(seen.after < seen.before);
  await close(page);
});

test("at 1024 pixels the drawer leaves the stack that opened it in view", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform", { size: 1024 });
  await page.locator('stackchain-graph .box[data-key="frontend"]').click();
  await page.getByRole("region", { name: "frontend" }).waitFor();
  await eventually(() => isInView(page, "frontend"));
  const drawer = await page.locator("stackchain-drawer").boundingBox();
  const box = await page.locator('stackchain-graph .box[data-key="frontend"]').boundingBox();
  assert.ok(box.x + box.width <= drawer.x);
  await close(page);
});

test("a stack that is opened by key is read next, and closing it leads back", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-500&view=table");
  const focused = () =>
    page.evaluate(() => {
      let one = document.activeElement;
      while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
      return one?.textContent.trim();
    });
  const row = page.locator("tbody tr .row").nth(3);
  const id = await row.textContent();
  await row.focus();
  await page.keyboard.press("Enter");
  await eventually(async () => id.startsWith(await focused()));
  const isOnClose = () =>
    page.evaluate(() => document.activeElement.shadowRoot.activeElement.shadowRoot?.activeElement?.ariaLabel === "Close");
  for (let step = 0; !(await isOnClose()); step += 1) {
    assert.ok(step < 3, "Close is not reached");
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await page.locator("stackchain-drawer").waitFor({ state: "detached" });
  await eventually(async () => (await focused()) === id.trim());
  await close(page);
});

test("on a phone, going back closes the drawer, and what it covers cannot be reached", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform", { size: 390 });
  await page.locator("tbody tr").first().click();
  await page.getByRole("region", { name: "monitoring" }).waitFor();
  assert.equal(await page.locator(".shown[inert]").count(), 1);
  await page.goBack();
  await page.locator("stackchain-drawer").waitFor({ state: "detached" });
  await page.locator("tbody tr").first().click();
  await page.getByRole("button", { name: "Close" }).click();
  await page.locator("stackchain-drawer").waitFor({ state: "detached" });
  assert.match(page.url(), /chain=platform$/);
  await close(page);
});

test("a link to a stack that is gone says so", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform&stack=nope");
  await page.getByText("There is no stack nope in run 7.").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByText("There is no stack nope").waitFor({ state: "detached" });
  await close(page);
});

test("the graph is as it was after a look at the table, and keys act on it from anywhere", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-100");
  await page.locator("stackchain-graph .box").first().waitFor();
  await page.getByRole("button", { name: "Fold", exact: true }).click();
  await eventually(async () => Object.keys(await boxes(page)).length === 100);
  await page.keyboard.press("+");
  const transform = () => page.locator("stackchain-graph .plane").evaluate((one) => one.style.transform);
  const before = await transform();
  await page.getByRole("link", { name: "Table" }).click();
  await page.locator("tbody tr").first().waitFor();
  await page.getByRole("link", { name: "Graph" }).click();
  await eventually(async () => Object.keys(await boxes(page)).length === 100);
  assert.equal(await transform(), before);
  await page.locator(".headline").click();
  await page.keyboard.press("-");
  await eventually(async () => (await transform()) !== before);
  await close(page);
});

test("the graph gets more room, and Needs you stays closed", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-100");
  const height = async () => (await page.locator("stackchain-graph .canvas").boundingBox()).height;
  await page.locator("stackchain-graph .box").first().waitFor();
  const before = await height();
  await page.getByRole("button", { name: /Needs you/ }).click();
  await page.reload();
  await page.locator("stackchain-graph .box").first().waitFor();
  assert.ok((await height()) > before + 100);
  await page.getByRole("button", { name: /Needs you/ }).click();
  await page.getByRole("button", { name: "More room" }).click();
  await eventually(async () => (await height()) > before + 150);
  await page.keyboard.press("Escape");
  await eventually(async () => (await height()) === before);
  await close(page);
});

test("the page says which cluster it shows, and its title what state the chain is in", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform");
  await page.locator(".context").getByText("kind").waitFor();
  assert.equal(await page.title(), "Failed: platform · StackChain");
  await close(page);
});

test("the list is limited to a namespace by the address, and the chip takes that away", async (t) => {
  const page = await open(t, "?namespace=team-a");
  await page.locator("chain-list .chain .name").first().waitFor();
  const namespaces = () => page.locator("chain-list .chain .name > .muted").evaluateAll((all) => [...new Set(all.map((one) => one.textContent))]);
  assert.deepEqual(await namespaces(), ["team-a"]);
  await page.locator("chain-list").getByRole("link", { name: /billing/ }).click();
  await page.locator(".headline").waitFor();
  await page.locator(".crumb").getByRole("link", { name: "team-a" }).click();
  await page.getByRole("button", { name: "Namespace team-a: show all namespaces" }).click();
  await eventually(async () => (await namespaces()).length > 2);
  assert.doesNotMatch(page.url(), /namespace/);
  await close(page);
});

for (const view of ["table", "timeline"]) {
  test(`the row that a link names is in view in the ${view}`, async (t) => {
    const id = view === "table" ? "prod-us-east-1-service-team-214" : "prod-eu-west-1-network-team-168";
    const page = await open(t, `?namespace=platform&chain=fleet-500&view=${view}&stack=${id}`);
    const row = page.locator(view === "table" ? "tbody tr.picked" : ".lane.picked");
    await row.waitFor();
    await eventually(async () => {
      const [inner, outer] = [await row.boundingBox(), await page.locator(".scroll").boundingBox()];
      return inner.y >= outer.y + 30 && inner.y + inner.height <= outer.y + outer.height + 1;
    });
    await page.locator(".scroll").evaluate((one) => (one.scrollTop = 0));
    await page.waitForTimeout(1500);
    assert.equal(await page.locator(".scroll").evaluate((one) => one.scrollTop), 0, "it is brought into view once");
    await close(page);
  });
}

test("a search is not taken to Events, and a search or filter that finds nothing has a way out", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-100&view=table&q=team-01");
  await page.locator("tbody tr").first().waitFor();
  await page.getByRole("link", { name: "Events" }).click();
  await page.locator(".events li").first().waitFor();
  assert.doesNotMatch(page.url(), /q=/);
  await page.getByLabel("Filter", { exact: true }).fill("nonsense");
  await page.getByText("No event matches.").waitFor();
  await page.getByRole("button", { name: "Show all", exact: true }).click();
  await page.locator(".events li").first().waitFor();
  for (const view of ["table", "timeline"]) {
    await page.goto(`${base}/?namespace=team-a&chain=billing&view=${view}&only=Failed&q=svc`);
    await page.getByText("No stack matches.").waitFor();
    await page.getByRole("button", { name: "Show all", exact: true }).click();
    await page.getByText("svc-5").first().waitFor();
    assert.doesNotMatch(page.url(), /only=|q=/);
  }
  await close(page);
});

test("the timeline starts with the run, has clock times, and marks waits, attempts and the critical path", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform&view=timeline");
  const first = page.locator(".lane", { hasText: "dns" }).locator(".bar");
  await first.waitFor();
  assert.ok((await first.evaluate((one) => parseFloat(one.style.left))) > 0, "the first stack starts after the run");
  assert.match(await page.locator(".tick .clock").first().textContent(), /^\d\d:\d\d/);
  assert.match(await page.locator(".key").textContent(), /started \w{3} \d+, \d\d:\d\d:\d\d/);
  await page.locator(".lane", { hasText: "monitoring" }).locator(".attempt").getByText("attempt 2").waitFor();
  await page.getByRole("button", { name: /database Awaits confirmation, on the critical path, started .*, has not ended, took .*, waited \d+s/ }).waitFor();
  const critical = page.locator(".lane .bar.critical");
  assert.equal(await critical.first().evaluate((one) => getComputedStyle(one).outlineStyle), "solid");
  await page.getByRole("button", { name: "Critical path only" }).click();
  assert.equal(await page.locator(".lane").count(), await critical.count());
  assert.match(page.url(), /path=critical/);
  await page.getByRole("button", { name: "Critical path only" }).click();
  await eventually(async () => (await page.locator(".lane").count()) > (await critical.count()));
  await close(page);
});

test("a run says what differs from the one before, and opens what happened in full", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform&view=runs&run=5");
  const details = page.getByRole("region", { name: "Run 5" });
  await details.getByText("1 of 12 stacks failed: monitoring.").waitFor();
  assert.match(await details.textContent(), /StackFailed.*13s longer, 1 more failed, 2 more skipped.*1 Failed.*2 Skipped.*9 Succeeded/s);
  assert.match(await details.getByRole("link", { name: "Open in Temporal" }).getAttribute("href"), /^https:/);
  await page.getByRole("row", { name: /^Run 6 .*\+6 ~1 -0.*1 fewer failed/ }).click();
  await page.getByRole("region", { name: "Run 6" }).waitFor();
  assert.equal(await details.count(), 0);
  assert.match(page.url(), /run=6/);
  await page.setViewportSize(SIZES[390]);
  await page.locator("tr.more", { hasText: "Schedule" }).getByText("1 of 12 stacks failed: monitoring.").waitFor();
  await page.locator("tr.more").getByText("1 fewer failed").first().waitFor();
  await close(page);
});

test("a dialog says nothing twice, and its command is copied", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform");
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base });
  t.after(() => context.clearPermissions());
  const actions = page.getByRole("group", { name: "Actions" });
  const dialog = page.getByRole("dialog");
  await actions.getByRole("button", { name: "Retry" }).click();
  await dialog.getByText(/Run again \(\d+ stacks\)/).waitFor();
  assert.doesNotMatch(await dialog.textContent(), /Pending again|Will run again/);
  await dialog.getByRole("button", { name: "Copy the command" }).click();
  await dialog.getByText("Copied").first().waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "kubectl stackchain retry platform 7 --context kind -n platform");
  await page.keyboard.press("Escape");
  const run = actions.getByRole("button", { name: "Run all stacks" });
  const shown = await answerTo(page, "preview", () => run.click());
  await shows(dialog, shown.messages[0]);
  await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await page.keyboard.press("Escape");
  await run.click();
  await shows(dialog, shown.messages[0]);
  assert.equal(await dialog.getByRole("button", { name: "Copy the command" }).count(), 0);
  await close(page);
});

test("text of a row is selected without opening it, and an id is copied whole", async (t) => {
  const page = await open(t, "?namespace=platform&chain=fleet-100&view=table&only=Failed");
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base });
  t.after(() => context.clearPermissions());
  const row = page.locator("tbody tr").first();
  const id = (await row.locator(".id").getAttribute("title")).trim();
  for (const [cell, wanted] of [[row.locator(".c-why .cut"), /^The run failed/], [row.locator(".c-stack .row"), new RegExp(`^${id}$`)]]) {
    const box = await cell.boundingBox();
    await page.mouse.move(box.x + 1, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 1, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
    await page.keyboard.press("Control+c");
    assert.match((await page.evaluate(() => navigator.clipboard.readText())).trim(), wanted);
    assert.doesNotMatch(page.url(), /stack=/);
  }
  await row.locator(".c-phase").click();
  assert.match(page.url(), /stack=/);
  await close(page);
});

test("chains are found by the word of their state, and say their times in words", async (t) => {
  const page = await open(t, "?q=running");
  const list = page.locator("chain-list");
  await list.getByRole("link", { name: /canary.*Running.*running for \d+m.*likely to end in \d+m/ }).waitFor();
  await page.goto(`${base}/?q=teardown`);
  await page.setViewportSize(SIZES[390]);
  await list.locator(".destroy").getByText("Destroy").waitFor();
  for (const text of [/^Run 7$/, /^ended \d+[ms] ago$/, /^last succeeded/]) {
    await list.getByText(text).waitFor();
  }
  await close(page);
});

test("with the drawer open, the table keeps room for what says why", async (t) => {
  const page = await open(t, "?namespace=platform&chain=platform&view=table&stack=monitoring");
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.locator("stackchain-drawer").waitFor();
  const width = await page.locator("tbody .c-why").first().evaluate((one) => one.getBoundingClientRect().width);
  assert.ok(width > 250, `${width} pixels`);
  for (const column of ["level", "changes", "started"]) {
    assert.ok(await page.locator(`th.c-${column}`).isHidden(), column);
  }
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("th.c-changes").isVisible());
  await page.setViewportSize(SIZES[390]);
  for (const one of await page.locator("tbody .row").all()) {
    assert.ok((await one.boundingBox()).height >= 24);
  }
  await close(page);
});
