export type { ContractRunner, StoreUnderTest } from "./contract.ts";
export { testKeyValueStore } from "./key-value-contract.ts";
export type { KeyValueContract } from "./key-value-contract.ts";
