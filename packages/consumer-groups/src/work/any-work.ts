import type { PartitionWork } from "./partition-work.ts";

/** Work on a partition, by record or by batch. */
// oxlint-disable-next-line typescript/no-explicit-any -- a member commits positions; what is delivered is not its concern
export type AnyWork = PartitionWork<any>;
