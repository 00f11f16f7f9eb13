/**
 * States of everything that is started and closed: Kafka Streams' words and its table (`KafkaStreams.State`).
 *
 * ```
 * CREATED ─▶ REBALANCING ◀─▶ RUNNING
 *    │            │             │
 *    │            ├─────────────┤ close()
 *    ▼            ▼             ▼
 *  PENDING_SHUTDOWN ─▶ NOT_RUNNING        any error that stops it: PENDING_ERROR ─▶ ERROR
 * ```
 */
export type LifecycleState =
  | "CREATED"
  | "REBALANCING"
  | "RUNNING"
  | "PENDING_SHUTDOWN"
  | "NOT_RUNNING"
  | "PENDING_ERROR"
  | "ERROR";

export const LIFECYCLE_TRANSITIONS = {
  CREATED: ["REBALANCING", "PENDING_SHUTDOWN", "PENDING_ERROR"],
  REBALANCING: ["RUNNING", "PENDING_SHUTDOWN", "PENDING_ERROR"],
  RUNNING: ["REBALANCING", "PENDING_SHUTDOWN", "PENDING_ERROR"],
  PENDING_SHUTDOWN: ["NOT_RUNNING"],
  NOT_RUNNING: [],
  PENDING_ERROR: ["ERROR"],
  ERROR: ["PENDING_SHUTDOWN"],
} as const satisfies Record<LifecycleState, readonly LifecycleState[]>;
