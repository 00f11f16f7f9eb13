import { quantile } from "./quantile.ts";

/** A rebalance as its member sees it: between these two it has no partitions. */
export interface Rebalance {
  /** The old partitions are given up: it joins. */
  readonly revokedAtMs: number;
  /** The new ones can be worked on. */
  readonly assignedAtMs: number;
  /** The new one. */
  readonly generationId: number;
}

/** From when a member stopped handing out records to the first one that it handed out again. */
export interface Pause {
  readonly stoppedAtMs: number;
  readonly workingAtMs: number;
  readonly rebalances: readonly Rebalance[];
}

/** All of them in milliseconds. */
export interface PauseFigures {
  readonly pauses: number;
  /** Beyond the wait for the other members, which nobody's client can shorten. */
  readonly beyondJoinP50: number;
  readonly beyondJoinP95: number;
  readonly beyondJoinMax: number;
  /** Beyond everything from having revoked to having been assigned. */
  readonly beyondHooksP95: number;
  readonly pauseP50: number;
  readonly pauseP95: number;
}

/**
 * What the pauses of a group's members were, that lie between two moments. A member waits for the others until the last
 * one of its new generation has given up what it had; all that is before and after that counts as beyond the join: draining
 * and committing, the answers of the coordinator, fetching offsets, and the first record.
 */
export function pauseFigures(pauses: readonly Pause[], fromMs: number, untilMs: number): PauseFigures {
  const lastRevokedAtMs = new Map<number, number>();
  for (const { generationId, revokedAtMs } of pauses.flatMap(({ rebalances }) => rebalances)) {
    lastRevokedAtMs.set(generationId, Math.max(revokedAtMs, lastRevokedAtMs.get(generationId) ?? revokedAtMs));
  }
  const wait = ({ generationId, revokedAtMs }: Rebalance): number =>
    (lastRevokedAtMs.get(generationId) ?? revokedAtMs) - revokedAtMs;
  const between = pauses.filter(({ stoppedAtMs, workingAtMs }) => stoppedAtMs >= fromMs && workingAtMs <= untilMs);
  const beyondJoin = between.map((pause) => durationMs(pause) - total(pause.rebalances.map(wait)));
  const beyondHooks = between.map((pause) => durationMs(pause) - total(pause.rebalances.map(joinedMs)));
  const whole = between.map(durationMs);
  return {
    pauses: between.length,
    beyondJoinP50: quantile(beyondJoin, 0.5),
    beyondJoinP95: quantile(beyondJoin, 0.95),
    beyondJoinMax: quantile(beyondJoin, 1),
    beyondHooksP95: quantile(beyondHooks, 0.95),
    pauseP50: quantile(whole, 0.5),
    pauseP95: quantile(whole, 0.95),
  };
}

function durationMs({ stoppedAtMs, workingAtMs }: Pause): number {
  return workingAtMs - stoppedAtMs;
}

function joinedMs({ revokedAtMs, assignedAtMs }: Rebalance): number {
  return assignedAtMs - revokedAtMs;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
