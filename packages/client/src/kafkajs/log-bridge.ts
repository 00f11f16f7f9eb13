import type { Logger } from "@eos/core";
import type { logCreator } from "kafkajs";

/**
 * The fields of kafkajs' log entries that go on. A list of what is let through, because its debug entries carry decoded
 * SASL answers, request payloads and whatever a broker sent.
 */
const FIELDS: readonly string[] = ["broker", "clientId", "correlationId", "size", "error", "ssl", "sasl"];

const WARN_LEVEL = 2;

/**
 * kafkajs' log into ours. Its errors become debug entries: each is raised to the caller as an error too, who knows
 * whether it matters.
 */
export function createLogBridge(logger: Logger): logCreator {
  return () =>
    ({ namespace, level, log }) => {
      const fields: { [name: string]: unknown } = { component: `kafkajs.${namespace}` };
      for (const name of FIELDS) {
        const value: unknown = log[name];
        if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") fields[name] = value;
      }
      if (level === WARN_LEVEL) logger.warn(fields, log.message);
      else logger.debug(fields, log.message);
    };
}
