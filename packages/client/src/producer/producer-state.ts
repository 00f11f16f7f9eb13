/**
 * States of a transactional producer, after Java's `TransactionManager.State`; legality is this table.
 *
 * ```
 * uninitialized ─▶ initializing ─▶ ready ◀──────────────┐
 *                       ▲            │ first record     │ EndTxn answered
 *                       │            ▼                  │
 *                       │      in-transaction ─▶ committing
 *                       │            │   any failed send │
 *                       │            ▼                  ▼
 *                       │      abortable-error ─▶ aborting ─▶ ready (TV2: new epoch) | initializing (TV1)
 *                       │
 *                    fenced  ── only its owner may re-initialise, with proof that the group still counts it in
 * any ─▶ fatal-error ─▶ closed
 * ```
 *
 * While one transaction is `committing` the next is being filled; nothing of it leaves before EndTxn is answered.
 */
export type ProducerState = keyof typeof PRODUCER_TRANSITIONS;

export const PRODUCER_TRANSITIONS = {
  uninitialized: ["initializing", "closed"],
  initializing: ["ready", "uninitialized", "fenced", "fatal-error", "closed"],
  ready: [
    "in-transaction",
    "committing",
    "aborting",
    "abortable-error",
    "initializing",
    "fenced",
    "fatal-error",
    "closed",
  ],
  "in-transaction": ["committing", "initializing", "abortable-error", "aborting", "fenced", "fatal-error", "closed"],
  committing: ["ready", "in-transaction", "abortable-error", "fenced", "fatal-error", "closed"],
  "abortable-error": ["aborting", "initializing", "fenced", "fatal-error", "closed"],
  aborting: ["ready", "initializing", "abortable-error", "fenced", "fatal-error", "closed"],
  fenced: ["initializing", "closed"],
  "fatal-error": ["closed"],
  closed: [],
} as const satisfies Record<string, readonly string[]>;
