import type { Flight } from "./flight.ts";

/** What is kept of a route: whole numbers alone, so that nothing depends on how often they were written and read. */
export interface RouteTotals {
  readonly flights: number;
  /** Sum of their delays, in minutes. */
  readonly totalDelay: number;
  /** Of the latest of them, in minutes. */
  readonly worstDelay: number;
}

/** What is told of a route after each of its flights. */
export interface RouteRow extends RouteTotals {
  /** `JFK-LAX` */
  readonly route: string;
  /** In minutes, `totalDelay / flights`. */
  readonly meanDelay: number;
}

/** A flight that counts: it says from where to where, and how late it was. */
export interface RouteDelay {
  readonly route: string;
  /** In minutes. */
  readonly delay: number;
}

/** `null` for a flight that does not say all of it. */
export function routeDelayOf({ origin, destination, delay }: Flight): RouteDelay | null {
  if (!origin || !destination || delay === undefined || delay === null) return null;
  return { route: `${origin}-${destination}`, delay };
}

/**
 * The totals with one more flight. Pure: a flight that is counted again after an abort gives the same totals.
 *
 * @param totals - `null`: it is the first one
 * @throws RangeError when the sum can no longer be told exactly
 */
export function addFlight(totals: RouteTotals | null, delay: number): RouteTotals {
  if (totals === null) return { flights: 1, totalDelay: delay, worstDelay: delay };
  const totalDelay = totals.totalDelay + delay;
  if (!Number.isSafeInteger(totalDelay)) throw new RangeError("the sum of delays has left the safe integers");
  return { flights: totals.flights + 1, totalDelay, worstDelay: Math.max(totals.worstDelay, delay) };
}

export function rowOf(route: string, { flights, totalDelay, worstDelay }: RouteTotals): RouteRow {
  return { route, flights, totalDelay, meanDelay: totalDelay / flights, worstDelay };
}
