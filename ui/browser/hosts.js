// Plain stand-ins for Headlamp and Argo CD, around a real React: what they offer to the packages,
// and no more. `showIn...` shows an object as the host's details would, `leave` opens another page.
import * as React from "react";
import { createRoot } from "react-dom/client";

const h = React.createElement;
const Theme = React.createContext("light");
const themed = document.getElementById("themed");
const registered = { sections: [], actions: [], tabs: [] };
let root = null;

window.React = React;
window.registered = registered;
window.extensionsAPI = {
  registerResourceExtension: (component, group, kind, title, options) =>
    registered.tabs.push({ component, group, kind, title, options }),
};
window.pluginLib = {
  React,
  MuiMaterial: {
    Button: ({ children, onClick }) => h("button", { onClick }, children),
    DialogContent: ({ children }) => h("div", null, children),
    useTheme: () => ({ palette: { mode: React.useContext(Theme) } }),
  },
  CommonComponents: {
    Dialog: ({ open, onClose, title, children }) =>
      open && h("div", { role: "dialog", "aria-label": title }, h("button", { onClick: onClose }, "Close"), children),
    SectionBox: ({ title, children }) => h("section", null, h("h2", null, title), children),
  },
  registerDetailsViewSection: (section) => registered.sections.push(section),
  registerDetailsViewHeaderAction: (action) => registered.actions.push(action),
};

window.showInHeadlamp = (jsonData, theme = "light") => {
  // Each change is a new object of a class of Headlamp's.
  const resource = { jsonData, kind: jsonData.kind, metadata: jsonData.metadata };
  const parts = [
    ...registered.actions.map((Action, place) => h(Action, { key: `a${place}`, item: resource })),
    ...registered.sections.map((Section, place) => h(Section, { key: `s${place}`, resource })),
  ];
  render(h(Theme.Provider, { value: theme }, parts));
};

window.showInArgoCD = (resource, theme = "light") => {
  themed.className = `theme-${theme}`;
  const tabs = registered.tabs.filter(
    ({ group, kind }) => resource.kind === kind && resource.apiVersion.split("/")[0] === group,
  );
  render(
    tabs.map(({ component: Tab, title }, place) =>
      h("section", { key: place }, h("h2", null, title), h(Tab, { resource, tree: {}, application: {} })),
    ),
  );
};

window.leave = () => root.render(null);

function render(content) {
  root ??= createRoot(document.getElementById("app"));
  root.render(h(React.StrictMode, null, content));
}
