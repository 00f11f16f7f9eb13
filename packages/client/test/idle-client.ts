import { createHook } from "node:async_hooks";
import { Cluster } from "../src/network/cluster.ts";
import { resolveClientOptions } from "../src/options.ts";
import { apiVersions } from "../src/protocol/api-versions.ts";
import { fetch } from "../src/protocol/fetch.ts";

// Run by network.test.ts: counts the timers that fire in a process that does nothing but hold an open client, then what is left after closing it.
const IDLE_MS = 2_000;

const cluster = new Cluster(
  resolveClientOptions("createClient", { brokers: (process.env["BROKERS"] ?? "").split(",") }),
);
await cluster.connect();
const ping = apiVersions({ name: "test", version: "0" });
await cluster.send(cluster.controllerId, ping);
const empty = fetch({ maxWaitMs: 1, minBytes: 1, maxBytes: 1, isolation: "read_committed", topics: [] });
await cluster.send(cluster.controllerId, empty, "fetch");

const timers = new Set<number>();
let wakeUps = 0;
const hook = createHook({
  init: (id, type) => {
    if (type === "Timeout" || type === "Immediate") timers.add(id);
  },
  before: (id) => {
    if (timers.has(id)) wakeUps++;
  },
});
hook.enable();
await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
hook.disable();

await cluster.close();
// A destroyed socket lets go of its handle in the next turn of the event loop.
for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
const resources = process.getActiveResourcesInfo().filter((type) => type === "Timeout" || type.includes("TCP"));
process.stdout.write(JSON.stringify({ wakeUps, seconds: IDLE_MS / 1000, resources }));
