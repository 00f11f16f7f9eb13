import { checkOptions, oneOf } from "./options.ts";

/** pino's shape: a pino logger can be passed as it is. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LEVELS)[number];

export interface ConsoleLoggerOptions {
  /**
   * The lowest level that is written.
   * @defaultValue 'info'
   */
  readonly level?: LogLevel;
}

function ignore(): void {}

/** Writes nothing. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/**
 * Writes one line per entry to stderr: time, level, message, and the fields as JSON. An `Error` among the fields is
 * written with its code and stack, bytes only with their length.
 *
 * @throws TypeError on an unknown or wrong option.
 */
export function createConsoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  checkOptions("createConsoleLogger", options, { level: oneOf(...LEVELS) });
  const lowest = LEVELS.indexOf(options.level ?? "info");
  const at = (level: LogLevel): Logger[LogLevel] => {
    if (LEVELS.indexOf(level) < lowest) return ignore;
    return (fields, message) => {
      process.stderr.write(formatEntry(level, fields, message));
    };
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function formatEntry(level: LogLevel, fields: object, message: string): string {
  const text = formatFields(fields);
  const head = `${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${message.replaceAll(/[\r\n]+/g, " ")}`;
  return text === "{}" ? `${head}\n` : `${head} ${text}\n`;
}

function formatFields(fields: object): string {
  try {
    return JSON.stringify(fields, printable);
  } catch {
    // A cycle or a throwing getter among the fields must not take the program down with it.
    return '"(fields that cannot be written as JSON)"';
  }
}

/** A replacer. It looks at the holder because a Buffer and a Date have gone through their `toJSON` already. */
function printable(this: { readonly [key: string]: unknown }, key: string, value: unknown): unknown {
  const original = this[key];
  if (original instanceof Uint8Array) return `<${original.length} bytes>`;
  if (original instanceof Error) {
    // Own fields such as `code` are enumerable; name, message, stack and cause are not.
    const { name, message, stack, cause } = original;
    return { name, message, ...Object.fromEntries(Object.entries(original)), stack, cause };
  }
  return typeof value === "bigint" ? value.toString() : value;
}
