/** The element in a page of others: put there, kept up to date, and taken away without a trace. */

import "../graph/stackchain-graph.js";
import { object, text } from "../graph/model.js";

export interface Mounted {
  /** Shows a StackChain object, as the API server has it. */
  update(chain: unknown): void;
  remove(): void;
}

/** What was selected last: hosts take the element away when another tab is opened. */
let last = { chain: "", id: "" };

export function mount(container: HTMLElement): Mounted {
  const graph = document.createElement("stackchain-graph");
  graph.style.height = "clamp(360px, 70vh, 720px)";
  let shown = "";
  graph.addEventListener("stack-select", (event) => {
    last = { chain: shown, id: (event as CustomEvent<{ id: string }>).detail.id };
  });
  // The host's page scrolls, so the wheel is the graph's only with the key that zooms.
  graph.addEventListener("wheel", leaveScrolling, { capture: true });
  container.append(graph);
  return {
    update(chain) {
      const name = identity(chain);
      if (name !== shown) {
        shown = name;
        graph.selected = last.chain === name ? last.id : "";
      }
      graph.chain = chain;
    },
    remove() {
      graph.remove();
    },
  };
}

function leaveScrolling(event: WheelEvent): void {
  if (!event.ctrlKey && !event.metaKey) {
    event.stopPropagation();
  }
}

function identity(chain: unknown): string {
  const metadata = object(object(chain)["metadata"]);
  return text(metadata["uid"]) || `${text(metadata["namespace"])}/${text(metadata["name"])}`;
}
