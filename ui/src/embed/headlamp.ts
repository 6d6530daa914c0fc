/**
 * A plugin of Headlamp: the graph in the details of a StackChain.
 *
 * Headlamp runs the file with `pluginLib` in the window, and renders what is registered for every
 * object. Without its pull request 5046, Headlamp shows no sections of plugins for custom resources,
 * but it shows actions, so there is one as well.
 */

import { object } from "../graph/model.js";
import { graphView, isChain } from "./graph-view.js";
import type { React } from "./react.js";
import { follow } from "./scheme.js";

type Component<Properties> = (properties: Properties) => unknown;

interface PluginLib {
  readonly React: React;
  readonly MuiMaterial: {
    readonly Button: unknown;
    readonly DialogContent: unknown;
    useTheme(): { readonly palette: { readonly mode: string } };
  };
  readonly CommonComponents: { readonly Dialog: unknown; readonly SectionBox: unknown };
  registerDetailsViewSection(section: Component<{ readonly resource?: unknown }>): void;
  registerDetailsViewHeaderAction(action: Component<{ readonly item?: unknown }>): void;
}

const host = (window as unknown as { readonly pluginLib: PluginLib }).pluginLib;
const { React: react, MuiMaterial: mui, CommonComponents: common } = host;
const GraphView = graphView(react);

function ThemedGraph({ chain }: { readonly chain: unknown }): unknown {
  const { mode } = mui.useTheme().palette;
  react.useEffect(() => follow(mode === "dark" ? "dark" : "light"), [mode]);
  return react.createElement(GraphView, { chain });
}

function GraphAction({ chain }: { readonly chain: unknown }): unknown {
  const [isOpen, setOpen] = react.useState(false);
  const close = (): void => setOpen(false);
  const name = object(object(chain)["metadata"])["name"];
  return react.createElement(
    "span",
    null,
    react.createElement(mui.Button, { size: "small", onClick: () => setOpen(true) }, "Graph"),
    react.createElement(
      common.Dialog,
      { open: isOpen, onClose: close, title: name, maxWidth: "xl", withFullScreen: true },
      react.createElement(
        mui.DialogContent,
        null,
        isOpen ? react.createElement(ThemedGraph, { chain }) : null,
      ),
    ),
  );
}

host.registerDetailsViewSection(({ resource }) => {
  const chain = object(resource)["jsonData"];
  return isChain(chain)
    ? react.createElement(
        common.SectionBox,
        { title: "Graph" },
        react.createElement(ThemedGraph, { chain }),
      )
    : null;
});

host.registerDetailsViewHeaderAction(({ item }) => {
  const chain = object(item)["jsonData"];
  return isChain(chain) ? react.createElement(GraphAction, { chain }) : null;
});
