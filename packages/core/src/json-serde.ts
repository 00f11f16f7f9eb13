import { isUtf8 } from "node:buffer";
import { SerdeError } from "./errors.ts";
import { isThenable } from "./thenable.ts";
import type { Serde } from "./serde.ts";
import type { StandardSchemaIssue, StandardSchemaV1 } from "./standard-schema.ts";

/**
 * JSON as UTF-8, without spaces, as `JSON.stringify` writes it.
 *
 * Reading refuses invalid UTF-8 and a `__proto__` key at any depth: copied with `Object.assign`, such a key would
 * replace a prototype. The text `null` is read as `null`, as if it were a tombstone.
 *
 * @param schema - checks, and may convert, what is read; writing does not use it. It must be synchronous. Any Standard
 * Schema does: zod 4, valibot, arktype. Without one, `T` is taken on trust.
 */
export function jsonSerde<T>(schema?: StandardSchemaV1<unknown, T>): Serde<T> {
  function readText(topic: string, text: string): T {
    const value = parse(topic, text);
    return schema === undefined ? (value as T) : validate(topic, schema, value);
  }
  return {
    serialize,
    deserialize(topic, bytes) {
      const text = bytes.toString("utf8");
      if (isSuspect(text)) refuseInvalidUtf8(topic, bytes);
      return readText(topic, text);
    },
    deserializeRange(topic, source, start, end) {
      const text = source.toString("utf8", start, end);
      if (isSuspect(text)) refuseInvalidUtf8(topic, source.subarray(start, end));
      return readText(topic, text);
    },
  };
}

function serialize(topic: string, value: unknown): string {
  let text: string | undefined;
  try {
    // The declared return type leaves out undefined, which a function, a symbol or undefined give.
    text = JSON.stringify(value) as string | undefined;
  } catch (cause) {
    throw new SerdeError("the value cannot be written as JSON", { topic, cause });
  }
  if (text === undefined) throw new SerdeError(`a ${typeof value} cannot be written as JSON`, { topic });
  return text;
}

/** Decoding puts U+FFFD where bytes are invalid, so text without one needs no second look at its bytes. */
function isSuspect(text: string): boolean {
  return text.includes("\uFFFD");
}

function refuseInvalidUtf8(topic: string, bytes: Buffer): void {
  if (!isUtf8(bytes)) throw new SerdeError(`${bytes.length} bytes are not valid UTF-8`, { topic });
}

function parse(topic: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not kept as the cause: V8's message quotes the text.
    throw new SerdeError(`${text.length} characters are not valid JSON`, { topic });
  }
  // The key in plain letters, or any of its letters as an escape: they are all ASCII, hence \u00….
  if ((text.includes("__proto__") || text.includes("\\u00")) && hasProtoKey(value)) {
    throw new SerdeError('the JSON has a "__proto__" key', { topic });
  }
  return value;
}

/** Not recursive: JSON.parse takes any depth, the call stack does not. */
function hasProtoKey(root: unknown): boolean {
  const unseen: unknown[] = [root];
  while (unseen.length > 0) {
    const value = unseen.pop();
    if (typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(value, "__proto__")) return true;
    for (const child of Object.values(value)) unseen.push(child);
  }
  return false;
}

function validate<T>(topic: string, schema: StandardSchemaV1<unknown, T>, value: unknown): T {
  let result: ReturnType<(typeof schema)["~standard"]["validate"]>;
  try {
    result = schema["~standard"].validate(value);
  } catch (cause) {
    throw new SerdeError("the schema failed while it checked the value", { topic, cause });
  }
  if (isThenable(result)) {
    // Nobody will await it: its rejection would end the process.
    Promise.resolve(result).catch(() => undefined);
    throw new SerdeError("the schema is asynchronous", {
      topic,
      hint: "Give jsonSerde a schema that checks synchronously.",
    });
  }
  if (result.issues) {
    throw new SerdeError(`the value does not fit the schema at ${formatPaths(result.issues)}`, { topic });
  }
  return result.value;
}

const MAX_PATHS = 5;

/** Paths only: the libraries' messages quote the values they refuse. */
function formatPaths(issues: readonly StandardSchemaIssue[]): string {
  const paths = [...new Set(issues.map(formatPath))];
  const more = paths.length > MAX_PATHS ? ` and ${paths.length - MAX_PATHS} more` : "";
  return paths.slice(0, MAX_PATHS).join(", ") + more;
}

function formatPath(issue: StandardSchemaIssue): string {
  const keys = (issue.path ?? []).map((segment) => String(typeof segment === "object" ? segment.key : segment));
  return keys.length === 0 ? "its root" : keys.join(".");
}
