import type { AlertAirport, EnrichedFlight } from "./enriched-flight.ts";

/** Tells of one flight that arrived very late. */
export interface Alert {
  /** `SAN-SJC 2001/01/13 14:56`; `?` for what the flight does not say. Two flights can have the same name. */
  readonly flight: string;
  /** `San Diego, CA → San Jose, CA` */
  readonly route: string;
  /** In minutes. */
  readonly delay: number;
  readonly delayClass: string;
  /** The flight's event time, in ISO 8601; `null` when its record has no timestamp. */
  readonly detectedAt: string | null;
}

export const DEFAULT_THRESHOLD_MINUTES = 60;

const UNKNOWN = "?";

/**
 * The alert for a flight; `null` for one that was not as late as the threshold, or does not say. Pure: a flight that is
 * handled twice gives the same alert, byte for byte.
 *
 * @param timestamp - of the flight's record, in milliseconds since the epoch; -1 for none
 */
export function alertFor(flight: EnrichedFlight, timestamp: number, thresholdMinutes: number): Alert | null {
  const { delay, delayClass, date, origin, destination, originAirport, destinationAirport } = flight;
  if (delay === undefined || delay === null || delay < thresholdMinutes) return null;
  return {
    flight: `${origin ?? UNKNOWN}-${destination ?? UNKNOWN} ${date ?? UNKNOWN}`,
    route: `${place(originAirport, origin)} → ${place(destinationAirport, destination)}`,
    delay,
    delayClass,
    detectedAt: timestamp < 0 ? null : new Date(timestamp).toISOString(),
  };
}

function place(airport: AlertAirport | null | undefined, code: string | null | undefined): string {
  return airport ? `${airport.city}, ${airport.state}` : (code ?? UNKNOWN);
}
