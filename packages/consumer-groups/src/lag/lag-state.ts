/**
 * The states of a partition, from best to worst as Burrow orders them.
 *
 * - `OK`: no lag, or it fell, or there was none somewhere in the window.
 * - `WARN`: commits advance, but the lag never fell.
 * - `STOP`: nothing was committed for longer than commits had been seen before: the consumer is gone, or stuck as a whole.
 * - `STALL`: commits go on, but the offset stands: one record holds up its partition.
 * - `REWIND`: the offset went back, and has not yet come to where it was.
 */
export const LAG_STATES = ["OK", "WARN", "STOP", "STALL", "REWIND"] as const;

export type LagState = (typeof LAG_STATES)[number];

/** The worst of these; `OK` of none. */
export function worstLagState(states: readonly LagState[]): LagState {
  return LAG_STATES.findLast((state) => states.includes(state)) ?? "OK";
}

/** What was known of a partition at one moment. */
export interface LagSample {
  /**
   * When the commit was made, as far as can be seen from outside: the broker does not tell, so this is when a sample first
   * showed it. Milliseconds on a clock that never goes back.
   */
  readonly committedMs: number;
  /** The committed offset: that of the next record to read. */
  readonly offset: number;
  /** The last stable offset. */
  readonly endOffset: number;
}

interface Rule {
  readonly state: LagState;
  /** How much of the window must be there: what has *not* happened can be said of a whole window only. */
  readonly needs: "one sample" | "whole window";
  readonly holds: (samples: readonly LagSample[], newest: LagSample, nowMs: number) => boolean;
}

/**
 * The first that holds decides; OK if none does (Burrow's `calculatePartitionStatus`, with an allowed lag of 0). STOP and
 * REWIND come before the rule that a lag of 0 in the window excuses everything: a consumer that had caught up can die, or be
 * thrown back to the start of the log, as any other.
 */
const RULES: readonly Rule[] = [
  { state: "OK", needs: "one sample", holds: (_, newest) => isCaughtUp(newest) },
  { state: "STOP", needs: "whole window", holds: hasStopped },
  { state: "REWIND", needs: "one sample", holds: isRewound },
  { state: "OK", needs: "one sample", holds: (samples) => samples.some(isCaughtUp) },
  { state: "STALL", needs: "whole window", holds: standsStill },
  { state: "WARN", needs: "whole window", holds: neverFell },
];

/**
 * Judges a partition by its recent commits, without a threshold, as LinkedIn's Burrow does.
 *
 * @param samples - oldest first
 * @param nowMs - on the clock of the samples
 * @param wholeWindow - with fewer samples than this (two at the least) the state is OK or REWIND. Burrow's
 * `minimum-complete`: one sample cannot tell a slow consumer from a dead one.
 * @defaultValue as many as there are
 */
export function evaluateLag(
  samples: readonly LagSample[],
  nowMs: number,
  wholeWindow: number = samples.length,
): LagState {
  const newest = samples.at(-1);
  if (newest === undefined) return "OK";
  const isWhole = samples.length >= Math.max(2, wholeWindow);
  const rule = RULES.find(({ needs, holds }) => (isWhole || needs === "one sample") && holds(samples, newest, nowMs));
  return rule?.state ?? "OK";
}

/** The committed offset can lie beyond the end, after the topic was made anew: no lag either. */
function isCaughtUp({ offset, endOffset }: LagSample): boolean {
  return offset >= endOffset;
}

/**
 * The last commit is longer ago than the time between the first and the last. But a partition that seldom gets a record
 * has old commits only, and lags the moment one arrives:
 *   1. Everything is consumed; the last commit is an hour old.
 *   2. A record arrives, and a sample is taken before it is committed.
 * So while the window still shows that there was no lag at this offset, the consumer is given time. (Burrow compares with
 * the ends alone, which it keeps for a shorter time than the commits; an end from before the commit proves nothing.)
 */
function hasStopped(samples: readonly LagSample[], newest: LagSample, nowMs: number): boolean {
  const firstMs = (samples[0] ?? newest).committedMs;
  const isSilent = nowMs - newest.committedMs > newest.committedMs - firstMs;
  return isSilent && !samples.some((sample) => sample.offset === newest.offset && isCaughtUp(sample));
}

/** Burrow looks at the first step back in the window only; here a second one counts as well. */
function isRewound(samples: readonly LagSample[], newest: LagSample): boolean {
  return samples.some(({ offset }) => offset > newest.offset);
}

function standsStill(samples: readonly LagSample[], newest: LagSample): boolean {
  return samples.every(({ offset }) => offset === newest.offset);
}

function neverFell(samples: readonly LagSample[]): boolean {
  let previousLag = 0;
  for (const { offset, endOffset } of samples) {
    if (endOffset - offset < previousLag) return false;
    previousLag = endOffset - offset;
  }
  return true;
}
