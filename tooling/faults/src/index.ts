export type { FaultAction, FaultRule, InjectedFault } from "./fault.ts";
export { FaultInjector } from "./fault-injector.ts";
export type { SocketRequest } from "./fault-injector.ts";
export type { ApiName, Frame } from "./frame.ts";
export { isTransactionHeld } from "./held-transaction.ts";
export { describeReport, KillCampaign, type KillReport } from "./kill-campaign.ts";
export { Random } from "./random.ts";
export { WorkerProcess } from "./worker-process.ts";
