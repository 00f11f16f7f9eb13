/**
 * What members tell each other in the user data of the consumer protocol: which processes a generation consists of. Each
 * member sends its own id with its subscription, the leader sends all of them with the assignments (Kafka Streams does
 * the same with its `processId`). Whoever takes a partition over so learns whether its predecessor still counts.
 *
 * ```
 * subscription: eos1:{"processId":"…"}      assignment: eos1:{"processIds":["…", …]}
 * ```
 */
const PREFIX = "eos1:";

export function encodeProcessId(processId: string): Buffer {
  return Buffer.from(PREFIX + JSON.stringify({ processId }));
}

/** `null` for user data of another client, or none. */
export function decodeProcessId(userData: Buffer | null): string | null {
  const processId = decodeField(userData, "processId");
  return typeof processId === "string" ? processId : null;
}

export function encodeProcessIds(processIds: readonly string[]): Buffer {
  return Buffer.from(PREFIX + JSON.stringify({ processIds }));
}

/** `null` when the leader sent none: then nothing is known of the others. */
export function decodeProcessIds(userData: Buffer | null): ReadonlySet<string> | null {
  const processIds = decodeField(userData, "processIds");
  if (!Array.isArray(processIds)) return null;
  return new Set(processIds.filter((processId) => typeof processId === "string"));
}

function decodeField(userData: Buffer | null, field: string): unknown {
  const text = userData?.toString() ?? "";
  if (!text.startsWith(PREFIX)) return undefined;
  try {
    return (JSON.parse(text.slice(PREFIX.length)) as { readonly [name: string]: unknown } | null)?.[field];
  } catch {
    return undefined;
  }
}
