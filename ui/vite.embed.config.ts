// The packages for pages of others: `vite build --mode headlamp` or `argocd`, one script each.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { type Plugin, defineConfig } from "vite";

const SCRIPTS: Readonly<Record<string, string>> = {
  headlamp: "main.js",
  argocd: "extension-stackchain.js",
};
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const license = readFileSync(here("public/LICENSE-lit.txt"), "utf8");

export default defineConfig(({ mode }) => ({
  publicDir: false,
  plugins: mode === "headlamp" ? [manifest()] : [],
  // The elements are defined once, even where the host's page has them already.
  resolve: { alias: { "lit/decorators.js": here("src/embed/decorators.ts") } },
  build: {
    outDir: `packages/${mode}`,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: here(`src/embed/${mode}.ts`),
      output: {
        format: "iife",
        entryFileNames: SCRIPTS[mode] ?? "",
        // The script is passed on alone, so the license is in it.
        postBanner: `/*! StackChain, Apache-2.0. With lit:\n\n${license.trimEnd()}\n*/\n`,
      },
    },
  },
}));

/** What Headlamp wants to know of a plugin. */
function manifest(): Plugin {
  return {
    name: "manifest",
    generateBundle() {
      const source = readFileSync(here("src/embed/headlamp.package.json"), "utf8");
      this.emitFile({ type: "asset", fileName: "package.json", source });
    },
  };
}
