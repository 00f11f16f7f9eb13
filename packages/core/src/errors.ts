/**
 * What the runtime does about an error: `retriable` is tried again as it is, `abortable` aborts the transaction and
 * processes its records again, `fatal` closes what raised it.
 */
export type Severity = "retriable" | "abortable" | "fatal";

/** Codes are stable between major versions; messages are not. */
export type ErrorCode = `EOS_${string}`;

export interface EosErrorOptions {
  readonly code: ErrorCode;
  readonly severity: Severity;
  /** What the reader can do about it, in one sentence. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

// Registered globally: two copies of this package in one process must recognise each other's errors.
const ERROR_MARKER = Symbol.for("@eos/error");

/** The base of every error that `@eos` packages raise at run time. Wrong options are plain `TypeError`s instead. */
export class EosError extends Error {
  static {
    Object.defineProperty(this.prototype, ERROR_MARKER, { value: true });
  }

  readonly code: ErrorCode;
  readonly severity: Severity;
  readonly hint: string | undefined;

  constructor(message: string, options: EosErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.severity = options.severity;
    this.hint = options.hint;
    // Not enumerable, as in the built-in errors, so that printing an error does not repeat it.
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true, writable: true });
  }

  /** Whether this is an `EosError`, also one that another copy of this package made, where `instanceof` says no. */
  static is(error: unknown): error is EosError {
    return typeof error === "object" && error !== null && ERROR_MARKER in error;
  }
}

export interface SerdeErrorOptions {
  readonly topic: string;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A key or a value that a serde cannot write or read. The record stays bad however often it is tried, so it is one
 * for the dead-letter topic. The message never quotes the value, which may be a secret.
 */
export class SerdeError extends EosError {
  readonly topic: string;

  constructor(message: string, options: SerdeErrorOptions) {
    super(message, { code: "EOS_SERDE", severity: "abortable", hint: options.hint, cause: options.cause });
    this.topic = options.topic;
  }
}

/** A state machine was asked for a change that its table does not have: a call at the wrong time, or a bug. */
export class InvalidTransitionError extends EosError {
  readonly machine: string;
  readonly from: string;
  readonly to: string;

  constructor(options: { readonly machine: string; readonly from: string; readonly to: string }) {
    super(`${options.machine} cannot go from ${options.from} to ${options.to}`, {
      code: "EOS_INVALID_TRANSITION",
      severity: "fatal",
    });
    this.machine = options.machine;
    this.from = options.from;
    this.to = options.to;
  }
}
