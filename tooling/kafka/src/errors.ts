import type { EosError, Severity } from "@eos/core";

/** What can go wrong while a broker is looked for or started, or a Kafka tool is run. */
export type BrokerErrorCode =
  | "EOS_BROKER_UNAVAILABLE"
  | "EOS_JAVA_MISSING"
  | "EOS_MAVEN_MISSING"
  | "EOS_PORT_IN_USE"
  | "EOS_BROKER_START_FAILED"
  | "EOS_KAFKA_TOOL_FAILED";

// What `EosError.is` looks for. The class itself cannot be extended here: vitest loads the global setup outside of its
// projects, where `@eos/core` resolves to a build that need not be there.
const ERROR_MARKER = Symbol.for("@eos/error");

/** A failure of the broker launcher or of a Kafka tool; `hint` says what to do about it. `EosError.is` holds for it. */
export class BrokerError extends Error implements EosError {
  static {
    Object.defineProperty(this.prototype, ERROR_MARKER, { value: true });
  }

  override readonly name = "BrokerError";
  readonly code: BrokerErrorCode;
  readonly severity: Severity = "fatal";
  readonly hint: string;

  constructor(message: string, options: { code: BrokerErrorCode; hint: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint;
  }
}
