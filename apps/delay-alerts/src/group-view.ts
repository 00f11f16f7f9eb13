import type { LagState } from "@eos/consumer-groups";
import type { LifecycleState } from "@eos/core";

/** What is shown of the group at one moment. */
export interface GroupView {
  readonly groupId: string;
  readonly input: string;
  readonly output: string;
  readonly processId: number;
  readonly state: LifecycleState;
  readonly members: number;
  /** Flights this process is done with. */
  readonly flights: number;
  readonly flightsPerSecond: number | null;
  /** Alerts this process has sent. */
  readonly alerts: number;
  readonly skipped: number;
  /** Attempts that failed; each was tried again, or its flight skipped. */
  readonly failed: number;
  /** `null` before it has been measured. */
  readonly lag: LagView | null;
  /** Why the lag cannot be measured at present. */
  readonly lagProblem: string | null;
}

/** The lag of the whole group, whichever process its members are in. */
export interface LagView {
  /** How long ago it was measured. */
  readonly ageMs: number;
  readonly state: LagState;
  readonly records: number;
  readonly seconds: number | null;
  readonly partitions: readonly PartitionView[];
}

export interface PartitionView {
  readonly partition: number;
  /** The member in this process that has it, counted from 1; `null`: none, so another process may. */
  readonly member: number | null;
  readonly state: LagState;
  readonly records: number;
  readonly seconds: number | null;
  /** Committed offsets per second. */
  readonly perSecond: number | null;
}
