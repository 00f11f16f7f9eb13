export { createExactlyOnceProcessor, ExactlyOnceProcessor } from "./exactly-once-processor.ts";
export type { ProcessorHealth } from "./exactly-once-processor.ts";
export { createTransactionalProducer } from "./transactional-producer.ts";
export type {
  OffsetToCommit,
  Transaction,
  TransactionalProducer,
  TransactionalProducerOptions,
} from "./transactional-producer.ts";
export type {
  InputTopic,
  OutputTopic,
  ProcessingErrorAnswer,
  ProcessorOptions,
  Transform,
  TransformResult,
} from "./options.ts";
export type { TransformContext } from "./transform-context.ts";
export type { ProcessorMetricsSnapshot } from "./processor-metrics.ts";
export type { LifecycleState as ProcessorState } from "@eos/core";
export {
  InvalidTransformResultError,
  NoProgressError,
  PartitionCountMismatchError,
  ProcessingError,
  ProcessingTimeoutError,
  StateFailedError,
  TransactionTimeoutTooLargeError,
} from "./errors.ts";
export type { RecordPosition } from "./errors.ts";
