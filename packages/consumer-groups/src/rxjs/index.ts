export type { LagWatchOptions } from "../lag/lag-monitor.ts";
export type { Envelope } from "../record-stream.ts";
export { lag$, rebalances$, state$ } from "./group-streams.ts";
export type { ObservableGroup } from "./observable-group.ts";
export { toObservable } from "./record-bridge.ts";
export type { BridgeOptions } from "./record-bridge.ts";
