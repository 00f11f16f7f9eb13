export type { ContractRunner, StoreUnderTest } from "./contract.ts";
export { testKeyValueStore } from "./key-value-contract.ts";
export type { KeyValueContract, OpenedKeyValueStore } from "./key-value-harness.ts";
export { testVersionedKeyValueStore } from "./versioned-contract.ts";
export type { VersionedKeyValueContract, VersionedStoreUnderTest } from "./versioned-contract.ts";
export { testSessionStore } from "./session-contract.ts";
export type { OpenedSessionStore, SessionContract, SessionStoreUnderTest } from "./session-harness.ts";
export { testWindowStore } from "./window-contract.ts";
export type { OpenedWindowStore, WindowContract, WindowStoreUnderTest } from "./window-harness.ts";
