import type { StandardSchemaIssue, StandardSchemaV1 } from "@eos/core";

/** A flight, as far as this program reads it. Fields that are not listed may be there. */
export interface Flight {
  /** How late it arrived, in whole minutes; negative when it was early. */
  readonly delay?: number | null;
  /** IATA code of an airport. */
  readonly origin?: string | null;
  readonly destination?: string | null;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";

const FIELDS: readonly (readonly [keyof Flight, string, Check])[] = [
  // Sums of fractions would depend on their order.
  ["delay", "a whole number", Number.isSafeInteger],
  ["origin", "a string", isText],
  ["destination", "a string", isText],
];

/** Accepts what is a {@link Flight}, as it is. */
export const flightSchema: StandardSchemaV1<unknown, Flight> = {
  "~standard": {
    version: 1,
    vendor: "route-totals",
    validate(value) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        return { issues: [{ message: "must be an object" }] };
      }
      const flight = value as { readonly [field: string]: unknown };
      let issues: StandardSchemaIssue[] | undefined;
      for (const [field, expected, check] of FIELDS) {
        const given = flight[field];
        if (given === undefined || given === null || check(given)) continue;
        (issues ??= []).push({ message: `must be ${expected}`, path: [field] });
      }
      return issues === undefined ? { value: value as Flight } : { issues };
    },
  },
};
