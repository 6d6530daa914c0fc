// What scripts that drive a browser share.

/** The flags keep Chromium from talking to anyone but the page. */
export async function launch(chromium) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export const SIZES = {
  1440: { width: 1440, height: 900 },
  1024: { width: 1024, height: 768 },
  390: { width: 390, height: 844 },
};

const chain = (namespace, name, more = "") => `?namespace=${namespace}&chain=${name}${more}`;

export const SHOTS = {
  list: "?",
  graph: chain("platform", "platform"),
  drawer: chain("platform", "platform", "&stack=monitoring"),
  table: chain("platform", "platform", "&view=table"),
  timeline: chain("platform", "platform", "&view=timeline"),
  events: chain("platform", "platform", "&view=events"),
  runs: chain("platform", "platform", "&view=runs"),
  run: chain("platform", "platform", "&view=runs&run=5"),
  "one-namespace": "?namespace=team-a",
  single: chain("team-a", "single"),
  hundred: chain("platform", "fleet-100"),
  "five-hundred": chain("platform", "fleet-500"),
  "five-hundred-table": chain("platform", "fleet-500", "&view=table"),
  hostile: chain("platform", "hostile"),
  fresh: chain("team-a", "fresh"),
  staged: chain("team-a", "staged"),
  teardown: chain("platform", "teardown"),
  broken: chain("team-a", "broken"),
};
