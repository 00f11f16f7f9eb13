export { type KafkaNode } from "./broker-process.ts";
export { type CommittedRecord } from "./console-record-parser.ts";
export { BrokerError, type BrokerErrorCode } from "./errors.ts";
export {
  isKafkaCluster,
  type KafkaCluster,
  type KafkaConnection,
  startKafka,
  type StartKafkaOptions,
} from "./kafka-cluster.ts";
export { type KafkaToolOptions, type KafkaToolRun, runKafkaTool } from "./kafka-tool.ts";
export { readCommitted, type ReadCommittedOptions } from "./read-committed.ts";
export { resolveKafka, startAnyKafka } from "./resolve-kafka.ts";
export { startWatchdog } from "./watchdog.ts";
