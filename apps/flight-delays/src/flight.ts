import type { StandardSchemaIssue, StandardSchemaV1 } from "@eos/core";

/**
 * A flight as the topic carries it: a row of the data set, unchanged. Every field may be missing (the large data set
 * has neither dates nor airports); one that is there has this type. Fields that are not listed are kept.
 */
export interface Flight {
  /** Scheduled departure, local time at the origin: `2001/01/13 14:56`. */
  readonly date?: string | null;
  /** Scheduled departure as hours since midnight, local time at the origin, where there is no `date`. */
  readonly time?: number | null;
  /** How late it arrived, in minutes; negative when it was early. */
  readonly delay?: number | null;
  /** In miles. */
  readonly distance?: number | null;
  /** IATA code of an airport. */
  readonly origin?: string | null;
  readonly destination?: string | null;
}

const FIELD_TYPES: readonly (readonly [keyof Flight, "string" | "number"])[] = [
  ["date", "string"],
  ["time", "number"],
  ["delay", "number"],
  ["distance", "number"],
  ["origin", "string"],
  ["destination", "string"],
];

/** Accepts what is a {@link Flight}, as it is. */
export const flightSchema: StandardSchemaV1<unknown, Flight> = {
  "~standard": {
    version: 1,
    vendor: "flight-delays",
    validate(value) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        return { issues: [{ message: "must be an object" }] };
      }
      const flight = value as { readonly [field: string]: unknown };
      let issues: StandardSchemaIssue[] | undefined;
      for (const [field, type] of FIELD_TYPES) {
        const given = flight[field];
        if (given === undefined || given === null || typeof given === type) continue;
        (issues ??= []).push({ message: `must be a ${type}`, path: [field] });
      }
      return issues === undefined ? { value: value as Flight } : { issues };
    },
  },
};
