/**
 * A UI extension of Argo CD: the tab "Chain" of a StackChain in an application.
 *
 * Argo CD serves all extensions as one classic script, each inside a `try` block.
 */

import { GROUP, KIND, graphView } from "./graph-view.js";
import type { React } from "./react.js";
import { type Scheme, follow } from "./scheme.js";

interface Host {
  readonly React: React;
  readonly extensionsAPI: {
    registerResourceExtension(
      component: (properties: { readonly resource?: unknown }) => unknown,
      group: string,
      kind: string,
      title: string,
      options: { readonly icon: string },
    ): void;
  };
}

const host = window as unknown as Host;
const { React: react } = host;
const GraphView = graphView(react);

host.extensionsAPI.registerResourceExtension(
  ({ resource }) => {
    react.useEffect(watchTheme, []);
    return react.createElement(GraphView, { chain: resource });
  },
  GROUP,
  KIND,
  "Chain",
  { icon: "fa fa-project-diagram" },
);

/** Argo CD has its theme as the class of an element around everything. */
function watchTheme(): () => void {
  const themed = document.querySelector(".theme-dark, .theme-light");
  const say = (): void => follow(schemeOf(themed));
  const observer = new MutationObserver(say);
  if (themed !== null) {
    observer.observe(themed, { attributeFilter: ["class"] });
  }
  say();
  return () => observer.disconnect();
}

function schemeOf(themed: Element | null): Scheme {
  if (themed === null) {
    return "system";
  }
  return themed.classList.contains("theme-dark") ? "dark" : "light";
}
