// The built packages for Headlamp and Argo CD in a real Chromium, in a page with a real React and
// stand-ins for what the two offer. `make test-ui` runs it; PYTHON names the project's Python.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";
import { build } from "vite";
import { SIZES, launch } from "./support.mjs";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const KEPT = process.env.SHOTS;
const ORIGIN = "http://host.test";
const built = (path) => readFileSync(new URL(`../packages/${path}`, import.meta.url), "utf8");

const HOSTS = {
  headlamp: {
    script: built("headlamp/main.js"),
    show: "showInHeadlamp",
    title: "Graph",
  },
  argocd: {
    // As argocd-server serves it, among others.
    script: `try {\n${built("argocd/extension-stackchain.js")}\n} catch(e) { console.error('failed to load', e); }\n`,
    show: "showInArgoCD",
    title: "Chain",
  },
};

let browser, hostScript, chains;

before(async () => {
  chains = samples();
  hostScript = await bundled("hosts.js");
  browser = await launch(chromium);
});

after(() => browser?.close());

/** The chains of the page's own tests. */
function samples() {
  const program = `
import json
from tests.ui import samples
chain = samples.platform()
later = samples.platform(dict.fromkeys(samples.PLATFORM, "Succeeded"), version=2, phase="Succeeded")
fresh = {key: value for key, value in chain.items() if key != "status"}
other = samples.platform(name="other")
hostile = samples.hostile()
print(json.dumps(dict(chain=chain, later=later, fresh=fresh, other=other, hostile=hostile)))
`;
  const python = process.env.PYTHON ?? "python3";
  return JSON.parse(execFileSync(python, ["-c", program], { cwd: process.env.PROJECT ?? new URL("../..", import.meta.url) }));
}

/** React as for developers: it complains about what is wrong, and mounts everything twice. */
async function bundled(file) {
  const { output } = await build({
    configFile: false,
    logLevel: "error",
    define: { "process.env.NODE_ENV": '"development"' },
    build: {
      write: false,
      minify: false,
      rolldownOptions: { input: fileURLToPath(new URL(file, import.meta.url)), output: { format: "iife" } },
    },
  });
  return output[0].code;
}

async function open(t, host, { scripts = 1 } = {}) {
  const context = await browser.newContext({ viewport: SIZES[1440], reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  page.on("dialog", (dialog) => page.problems.push(`dialog: ${dialog.message()}`));
  const files = {
    "/": ["text/html", html(scripts)],
    "/host.js": ["text/javascript", hostScript],
    "/package.js": ["text/javascript", host.script],
  };
  await context.route("**/*", (route) => {
    const url = new URL(route.request().url());
    const found = url.origin === ORIGIN && files[url.pathname];
    if (!found) {
      page.problems.push(`fetched: ${url.href}`);
      return route.abort();
    }
    const [contentType, body] = found;
    // The packages need neither styles in the markup, nor eval, nor a server.
    const policy = "default-src 'none'; script-src 'self'; style-src 'self'";
    return route.fulfill({ contentType, body, headers: { "content-security-policy": policy } });
  });
  await page.goto(`${ORIGIN}/`);
  page.show = (chain, theme) => page.evaluate(([name, ...given]) => window[name](...given), [host.show, chain, theme]);
  return page;
}

function html(scripts) {
  const script = '<script src="/package.js"></script>'.repeat(scripts);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Host</title><main id="themed"><h1>Host</h1>
<div id="app"></div></main><script src="/host.js"></script>${script}</html>`;
}

const boxes = (page) => page.locator("stackchain-graph .box");
const box = (page, id) => page.locator(`stackchain-graph .box[data-key="${id}"]`);
const close = (page) => assert.deepEqual(page.problems, []);

test("headlamp: it registers one section and one action, for StackChains alone", async (t) => {
  const page = await open(t, HOSTS.headlamp);
  const counts = await page.evaluate(() => [registered.sections.length, registered.actions.length]);
  assert.deepEqual(counts, [1, 1]);
  for (const other of [
    { ...chains.chain, kind: "Deployment", apiVersion: "apps/v1" },
    { ...chains.chain, apiVersion: "example.com/v1" },
    { ...chains.chain, kind: "Other" },
  ]) {
    await page.show(other);
    assert.equal(await page.locator("#app").innerHTML(), "");
  }
  await page.show({ ...chains.chain, apiVersion: "stackchain.dev/v2" });
  await boxes(page).first().waitFor();
  close(page);
});

test("argocd: it registers one tab, for the group and the kind of a StackChain", async (t) => {
  const page = await open(t, HOSTS.argocd);
  const tabs = await page.evaluate(() =>
    registered.tabs.map(({ component, ...rest }) => ({ ...rest, component: typeof component })),
  );
  assert.deepEqual(tabs, [
    {
      component: "function",
      group: "stackchain.dev",
      kind: "StackChain",
      title: "Chain",
      options: { icon: "fa fa-project-diagram" },
    },
  ]);
  close(page);
});

test("headlamp: the action opens the graph in a dialog, and closing it takes it away", async (t) => {
  const page = await open(t, HOSTS.headlamp);
  await page.show(chains.chain);
  await page.getByRole("button", { name: "Graph", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "platform" });
  await dialog.locator(".box").nth(11).waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.equal(await page.locator("stackchain-graph").count(), 1);
  close(page);
});

for (const [name, host] of Object.entries(HOSTS)) {
  test(`${name}: 12 stacks are drawn, in light and dark as the host has it`, async (t) => {
    const page = await open(t, host);
    await page.show(chains.chain, "light");
    await page.getByRole("heading", { name: host.title, exact: true }).waitFor();
    await boxes(page).nth(11).waitFor();
    assert.equal(await boxes(page).count(), 12);
    await box(page, "monitoring").click();
    for (const theme of ["light", "dark", "light"]) {
      // The system's own scheme is the other one.
      await page.emulateMedia({ colorScheme: theme === "dark" ? "light" : "dark" });
      await page.show(chains.chain, theme);
      const wanted = theme === "dark" ? "rgb(11, 14, 18)" : "rgb(246, 247, 249)";
      await page.waitForFunction(
        (color) => getComputedStyle(document.querySelector("stackchain-graph")).backgroundColor === color,
        wanted,
      );
      const drawer = page.locator("stackchain-drawer");
      const surface = await drawer.evaluate((one) => getComputedStyle(one).backgroundColor);
      assert.equal(surface, theme === "dark" ? "rgb(21, 25, 32)" : "rgb(255, 255, 255)");
      await page.evaluate(AXE);
      const found = await page.evaluate(() =>
        axe.run("stackchain-graph", { resultTypes: ["violations"] }),
      );
      assert.deepEqual(found.violations.map(({ id, nodes }) => [id, nodes[0].failureSummary]), []);
      if (KEPT) {
        mkdirSync(KEPT, { recursive: true });
        await page.screenshot({ path: `${KEPT}/${name}-${theme}.png` });
      }
    }
    close(page);
  });

  test(`${name}: an update changes what is drawn, in the same element, and keeps the selection`, async (t) => {
    const page = await open(t, host);
    await page.show(chains.chain);
    await box(page, "monitoring").click();
    await page.getByRole("region", { name: "monitoring" }).waitFor();
    const before = await page.evaluate(() => {
      window.first = document.querySelector("stackchain-graph");
      return [...first.shadowRoot.querySelectorAll(".box")].map((box) => box.style.transform);
    });
    await page.show(chains.later);
    await box(page, "monitoring").filter({ hasText: "Succeeded" }).waitFor();
    assert.equal(await boxes(page).filter({ hasText: "Succeeded" }).count(), 12);
    await page.getByRole("region", { name: "monitoring" }).waitFor();
    const places = await page.evaluate(() => {
      const graph = document.querySelector("stackchain-graph");
      return graph === first && [...graph.shadowRoot.querySelectorAll(".box")].map((box) => box.style.transform);
    });
    assert.deepEqual(places, before);
    close(page);
  });

  test(`${name}: the selection is there again after another tab, and not in another chain`, async (t) => {
    const page = await open(t, host);
    await page.show(chains.chain);
    await box(page, "monitoring").click();
    await page.getByRole("region", { name: "monitoring" }).waitFor();
    await page.evaluate(() => leave());
    await page.locator("stackchain-graph").waitFor({ state: "detached" });
    await page.show(chains.chain);
    await page.getByRole("region", { name: "monitoring" }).waitFor();
    await page.show(chains.other);
    await page.getByRole("group", { name: /Graph of other: 12 stacks/ }).waitFor();
    await page.getByRole("region", { name: "monitoring" }).waitFor({ state: "detached" });
    close(page);
  });

  test(`${name}: a chain without a status says what is missing, then shows its stacks`, async (t) => {
    const page = await open(t, host);
    await page.show(chains.fresh);
    await page.getByText("No run has read the stacks of this chain yet.").waitFor();
    assert.equal(await boxes(page).count(), 0);
    await page.show(chains.chain);
    await boxes(page).nth(11).waitFor();
    close(page);
  });

  test(`${name}: hostile text stays text, and links lead to the web alone`, async (t) => {
    const page = await open(t, host);
    await page.show(chains.hostile);
    await boxes(page).first().waitFor();
    for (const one of await boxes(page).all()) {
      await one.click();
      const links = await page.locator("stackchain-drawer a").evaluateAll((all) =>
        all.map((link) => [link.protocol, link.target, link.rel]),
      );
      for (const link of links) assert.deepEqual(link, ["https:", "_blank", "noopener noreferrer"]);
      await page.keyboard.press("Escape");
    }
    const made = await page.evaluate(() => {
      const all = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
      return all(document).filter((one) => one.matches("img, script:not([src]), iframe, b > *")).length;
    });
    assert.equal(made, 0);
    await page.show({ ...chains.chain, status: { ...chains.chain.status, stacks: chains.chain.status.stacks.map((stack) => ({ ...stack, runUrl: "javascript:alert(1)" })) } });
    await boxes(page).nth(11).waitFor();
    await box(page, "monitoring").click();
    await page.getByRole("region", { name: "monitoring" }).waitFor();
    assert.equal(await page.locator("stackchain-drawer a").count(), 0);
    close(page);
  });

  test(`${name}: the wheel scrolls the host's page, and zooms with Ctrl`, async (t) => {
    const page = await open(t, host);
    await page.show(chains.chain);
    await boxes(page).nth(11).waitFor();
    await page.evaluate(() => document.body.style.setProperty("padding-bottom", "2000px"));
    const plane = page.locator("stackchain-graph .plane");
    const before = await plane.evaluate((one) => one.style.transform);
    await page.locator("stackchain-graph .canvas").hover();
    await page.mouse.wheel(0, 120);
    await page.waitForFunction(() => scrollY > 0);
    assert.equal(await plane.evaluate((one) => one.style.transform), before);
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -120);
    await page.keyboard.up("Control");
    await page.waitForFunction(
      (was) => document.querySelector("stackchain-graph").shadowRoot.querySelector(".plane").style.transform !== was,
      before,
    );
    close(page);
  });

  test(`${name}: what is left leaves nothing behind`, async (t) => {
    const page = await open(t, host);
    const count = () => page.evaluate(() => document.querySelectorAll("*").length);
    const before = await count();
    await page.evaluate(() => {
      window.timers = new Set();
      const [start, stop] = [setInterval, clearInterval];
      window.setInterval = (...given) => { const id = start(...given); timers.add(id); return id; };
      window.clearInterval = (id) => { timers.delete(id); stop(id); };
    });
    for (let round = 0; round < 3; round += 1) {
      await page.show(chains.chain);
      await boxes(page).nth(11).waitFor();
      await page.evaluate(() => leave());
      await page.locator("stackchain-graph").waitFor({ state: "detached" });
    }
    assert.equal(await count(), before);
    assert.equal(await page.evaluate(() => timers.size), 0);
    close(page);
  });

  test(`${name}: a page that has the elements already, takes the package as well`, async (t) => {
    const page = await open(t, host, { scripts: 2 });
    await page.show(chains.chain);
    await boxes(page).nth(11).waitFor();
    close(page);
  });
}
