export type { FaultAction, FaultRule, InjectedFault } from "./fault.ts";
export { FaultInjector } from "./fault-injector.ts";
export type { SocketRequest } from "./fault-injector.ts";
export type { ApiName, Frame } from "./frame.ts";
