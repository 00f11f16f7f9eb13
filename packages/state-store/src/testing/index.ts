export type { ContractRunner, StoreUnderTest } from "./contract.ts";
export { testKeyValueStore } from "./key-value-contract.ts";
export type { KeyValueContract } from "./key-value-contract.ts";
export { testVersionedKeyValueStore } from "./versioned-contract.ts";
export type { VersionedKeyValueContract, VersionedStoreUnderTest } from "./versioned-contract.ts";
