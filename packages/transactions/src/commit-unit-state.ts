/**
 * States of a commit unit; its tasks are run in `running` only.
 *
 * ```
 * suspended ─▶ running ─▶ recovering ─▶ running
 *     ▲           │            │
 *     └───────────┴────────────┘  revoked, lost, or waiting for a new assignment        any ─▶ closed
 * ```
 */
export type CommitUnitState = keyof typeof COMMIT_UNIT_TRANSITIONS;

export const COMMIT_UNIT_TRANSITIONS = {
  suspended: ["running", "recovering", "closed"],
  running: ["recovering", "suspended", "closed"],
  recovering: ["running", "suspended", "closed"],
  closed: [],
} as const satisfies Record<string, readonly string[]>;
