/** The address of the page, which holds all that it shows. Pure. */

export const VIEWS = ["graph", "table", "timeline", "events", "runs"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface Route {
  /** Of the chain; without a chain, the one to which the list is limited. */
  readonly namespace: string;
  /** None: the list of all chains. */
  readonly chain: string;
  readonly view: ViewName;
  readonly query: string;
  /** Phases, or states of chains in the list, to which it is limited. */
  readonly only: readonly string[];
  readonly sort: string;
  readonly stack: string;
  readonly run: string;
  /** Whether the timeline has the critical path alone. */
  readonly isCriticalOnly: boolean;
}

export const LIST: Route = {
  namespace: "",
  chain: "",
  view: "graph",
  query: "",
  only: [],
  sort: "",
  stack: "",
  run: "",
  isCriticalOnly: false,
};

export function readRoute(search: string): Route {
  const values = new URLSearchParams(search);
  const view = values.get("view");
  return {
    namespace: values.get("namespace") ?? "",
    chain: values.get("chain") ?? "",
    view: VIEWS.find((one) => one === view) ?? "graph",
    query: values.get("q") ?? "",
    only: (values.get("only") ?? "").split(",").filter(Boolean),
    sort: values.get("sort") ?? "",
    stack: values.get("stack") ?? "",
    run: values.get("run") ?? "",
    isCriticalOnly: values.get("path") === "critical",
  };
}

export function writeRoute(route: Route): string {
  const values = new URLSearchParams();
  const entries: [string, string, string][] = [
    ["namespace", route.namespace, ""],
    ["chain", route.chain, ""],
    ["view", route.view, "graph"],
    ["q", route.query, ""],
    ["only", route.only.join(","), ""],
    ["sort", route.sort, ""],
    ["stack", route.stack, ""],
    ["run", route.run, ""],
    ["path", route.isCriticalOnly ? "critical" : "", ""],
  ];
  for (const [name, value, usual] of entries) {
    if (value !== usual) {
      values.set(name, value);
    }
  }
  const text = values.toString();
  return text ? `?${text}` : "?";
}

/** The same chain in another view. What is searched for among stacks is not looked for in Events. */
export function inView(route: Route, view: ViewName): Route {
  const isOther = (view === "events") !== (route.view === "events");
  return { ...route, view, query: isOther ? "" : route.query };
}

/** Without what limits what is shown. */
export const UNLIMITED = { query: "", only: [], isCriticalOnly: false } as const satisfies Partial<Route>;

/** `stack` ascending, `-stack` descending, from a click on the same column: off at the third. */
export function nextSort(sort: string, column: string): string {
  return sort === column ? `-${column}` : sort === `-${column}` ? "" : column;
}

/** The link to a chain that is named as `namespace/name`; empty if it is not. */
export function chainLink(named: string): string {
  const [namespace, chain, ...more] = named.split("/");
  return namespace && chain && more.length === 0 ? writeRoute({ ...LIST, namespace, chain }) : "";
}
