import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../controller/ui/bundle",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // A data: URL is what the page's policy refuses.
    assetsInlineLimit: 0,
  },
});
