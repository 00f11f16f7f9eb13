import type { StandardSchemaIssue, StandardSchemaV1 } from "@eos/core";

/** Of an airport, what an alert tells. */
export interface AlertAirport {
  readonly city: string;
  /** Two letters. */
  readonly state: string;
}

/** An enriched flight, as far as this program reads it. Fields that are not listed may be there. */
export interface EnrichedFlight {
  /** Scheduled departure, local time at the origin: `2001/01/13 14:56`. */
  readonly date?: string | null;
  /** How late it arrived, in minutes; negative when it was early. */
  readonly delay?: number | null;
  /** `early`, `on-time`, `delayed`, `very-delayed`, `severely-delayed` or `unknown`. */
  readonly delayClass: string;
  /** IATA code of an airport. */
  readonly origin?: string | null;
  readonly destination?: string | null;
  /** `null`: the flight names none, or one that is not known. */
  readonly originAirport?: AlertAirport | null;
  readonly destinationAirport?: AlertAirport | null;
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const airport: Check = (value) => isObject(value) && text(value["city"]) && text(value["state"]);
const orNothing =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);

const FIELDS: readonly (readonly [keyof EnrichedFlight, string, Check])[] = [
  ["date", "a string", orNothing(text)],
  ["delay", "a number", orNothing((value) => typeof value === "number")],
  ["delayClass", "a string", text],
  ["origin", "a string", orNothing(text)],
  ["destination", "a string", orNothing(text)],
  ["originAirport", "an object with city and state", orNothing(airport)],
  ["destinationAirport", "an object with city and state", orNothing(airport)],
];

/** Accepts what is an {@link EnrichedFlight}, as it is. */
export const enrichedFlightSchema: StandardSchemaV1<unknown, EnrichedFlight> = {
  "~standard": {
    version: 1,
    vendor: "delay-alerts",
    validate(value) {
      if (!isObject(value)) return { issues: [{ message: "must be an object" }] };
      let issues: StandardSchemaIssue[] | undefined;
      for (const [field, expected, check] of FIELDS) {
        if (!check(value[field])) (issues ??= []).push({ message: `must be ${expected}`, path: [field] });
      }
      return issues === undefined ? { value: value as unknown as EnrichedFlight } : { issues };
    },
  },
};

function isObject(value: unknown): value is { readonly [field: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
