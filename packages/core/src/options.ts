import { closestName } from "./closest-name.ts";

/** What an option may be. `expects` completes the sentence "must be …". */
export interface OptionRule {
  readonly expects: string;
  readonly accepts: (value: unknown) => boolean;
  /** An option without this may be absent or `undefined`. */
  readonly required?: true;
}

export type OptionTable = { readonly [option: string]: OptionRule };

/**
 * Checks an options object against its table.
 *
 * @param owner - the function whose options they are, for the message: `createX`
 * @param given - the options as the user passed them; `undefined` counts as `{}`
 * @throws TypeError on the first option that is unknown, wrong or missing; it names the option, what was expected
 * and what came.
 */
export function checkOptions(owner: string, given: unknown, table: OptionTable): void {
  const options: unknown = given === undefined ? {} : given;
  if (!isObject(options)) throw new TypeError(`${owner}: options must be an object, got ${describe(options)}`);
  for (const option of Object.keys(options)) {
    if (!Object.hasOwn(table, option)) throw new TypeError(unknownOption(owner, option, Object.keys(table)));
  }
  for (const [option, rule] of Object.entries(table)) {
    const value = options[option];
    if (value === undefined) {
      if (rule.required) throw new TypeError(`${owner}: option "${option}" is required; it must be ${rule.expects}`);
    } else if (!rule.accepts(value)) {
      throw new TypeError(`${owner}: option "${option}" must be ${rule.expects}, got ${describe(value)}`);
    }
  }
}

/** The same rule, for an option that must be there. */
export function required(rule: OptionRule): OptionRule {
  return { ...rule, required: true };
}

export const nonEmptyString: OptionRule = {
  expects: "a non-empty string",
  accepts: (value) => typeof value === "string" && value !== "",
};

export const positiveInteger: OptionRule = {
  expects: "a positive integer",
  accepts: (value) => Number.isSafeInteger(value) && (value as number) > 0,
};

export const nonNegativeInteger: OptionRule = {
  expects: "an integer of 0 or more",
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};

export const boolean: OptionRule = {
  expects: "true or false",
  accepts: (value) => typeof value === "boolean",
};

export const fn: OptionRule = {
  expects: "a function",
  accepts: (value) => typeof value === "function",
};

export const object: OptionRule = { expects: "an object", accepts: isObject };

export const nonEmptyStringList: OptionRule = {
  expects: "a non-empty array of non-empty strings",
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(nonEmptyString.accepts),
};

export const brokersList: OptionRule = {
  expects: 'a non-empty array of "host:port"',
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isHostAndPort),
};

/** One of these values and no other. */
export function oneOf(...values: readonly (string | number | boolean)[]): OptionRule {
  return {
    expects: `one of ${values.map((value) => describe(value)).join(", ")}`,
    accepts: (value) => (values as readonly unknown[]).includes(value),
  };
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isHostAndPort(value: unknown): boolean {
  const port = typeof value === "string" ? /^[^\s]+:(\d{1,5})$/.exec(value)?.[1] : undefined;
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}

function unknownOption(owner: string, option: string, known: readonly string[]): string {
  const meant = closestName(option, known);
  const advice = meant === undefined ? `known options: ${known.join(", ") || "none"}` : `did you mean "${meant}"?`;
  return `${owner}: unknown option "${option}"; ${advice}`;
}

const MAX_QUOTED = 60;

function describe(value: unknown): string {
  if (typeof value === "string") {
    return value.length <= MAX_QUOTED ? JSON.stringify(value) : `a string of ${value.length} characters`;
  }
  if (Array.isArray(value)) return describeArray(value);
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function describeArray(value: readonly unknown[]): string {
  if (value.length === 0) return "an empty array";
  if (value.length > 3 || value.some(Array.isArray)) return `an array of ${value.length}`;
  return `[${value.map((item) => describe(item)).join(", ")}]`;
}
