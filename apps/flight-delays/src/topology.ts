import type { Airport, AirportTable } from "./airports.ts";
import type { Flight } from "./flight.ts";

/**
 * How late a flight arrived. From 15 minutes on the US Department of Transportation counts it as delayed; `unknown`
 * when the flight does not say.
 */
export type DelayClass = "early" | "on-time" | "delayed" | "very-delayed" | "severely-delayed" | "unknown";

/** A flight with everything that was known of it, its delay class, and its airports. */
export type EnrichedFlight = Flight & {
  readonly delayClass: DelayClass;
  /** `null`: it names none, or one that the table does not know. */
  readonly originAirport: Airport | null;
  readonly destinationAirport: Airport | null;
};

const DELAYED_FROM_MINUTES = 15;
const VERY_DELAYED_FROM_MINUTES = 60;
const SEVERELY_DELAYED_FROM_MINUTES = 180;

/** Joins a flight with the airport table. Pure: the same flight always gives the same text as JSON. */
export function enrichFlight(flight: Flight, airports: AirportTable): EnrichedFlight {
  return {
    ...flight,
    delayClass: delayClass(flight.delay),
    originAirport: findAirport(airports, flight.origin),
    destinationAirport: findAirport(airports, flight.destination),
  };
}

/** @param delay - in minutes */
export function delayClass(delay: number | null | undefined): DelayClass {
  if (delay === null || delay === undefined) return "unknown";
  if (delay < 0) return "early";
  if (delay < DELAYED_FROM_MINUTES) return "on-time";
  if (delay < VERY_DELAYED_FROM_MINUTES) return "delayed";
  return delay < SEVERELY_DELAYED_FROM_MINUTES ? "very-delayed" : "severely-delayed";
}

function findAirport(airports: AirportTable, code: string | null | undefined): Airport | null {
  return code === null || code === undefined ? null : (airports.get(code) ?? null);
}
