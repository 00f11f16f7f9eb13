/**
 * States of one group member; legality is this table.
 *
 * ```
 * unjoined ─▶ joining ─▶ assigning ─▶ stable
 *    ▲           ▲           │           │  rebalance: onRevoked, then rejoin
 *    │           └───────────┴───────────┤
 *    │                                   │  expelled: onLost, then rejoin
 *    └── leaving ◀── close() ────────────┘      any ─▶ failed
 * ```
 */
export type GroupState = keyof typeof GROUP_TRANSITIONS;

export const GROUP_TRANSITIONS = {
  unjoined: ["joining", "leaving"],
  joining: ["assigning", "joining", "leaving", "failed"],
  assigning: ["stable", "joining", "leaving", "failed"],
  stable: ["joining", "leaving", "failed"],
  leaving: ["left", "failed"],
  left: [],
  failed: ["leaving"],
} as const satisfies Record<string, readonly string[]>;
