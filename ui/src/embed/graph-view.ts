/** A component of the host's React around the element. */

import { object, text } from "../graph/model.js";
import { type Mounted, mount } from "./mounting.js";
import type { React } from "./react.js";

export const GROUP = "stackchain.dev";
export const KIND = "StackChain";

export type GraphView = (properties: { readonly chain: unknown }) => unknown;

export function graphView(react: React): GraphView {
  return ({ chain }) => {
    const container = react.useRef<HTMLElement>(null);
    const mounted = react.useRef<Mounted>(null);
    react.useEffect(() => {
      const graph = container.current && mount(container.current);
      mounted.current = graph;
      return () => {
        mounted.current = null;
        graph?.remove();
      };
    }, []);
    react.useEffect(() => mounted.current?.update(chain), [chain]);
    return react.createElement("div", { ref: container });
  };
}

/** Whether an object is a StackChain, in any version. */
export function isChain(resource: unknown): boolean {
  const { apiVersion, kind } = object(resource);
  return kind === KIND && text(apiVersion).startsWith(`${GROUP}/`);
}
