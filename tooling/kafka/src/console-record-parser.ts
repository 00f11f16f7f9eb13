import { randomBytes } from "node:crypto";
import { createHeaders, type Headers, type HeaderValue } from "@eos/core";

/** A record that a read-committed Java consumer was given. */
export interface CommittedRecord {
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970; -1 when the record has none. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
}

const COLON = ":".charCodeAt(0);
const NO_HEADERS = Buffer.from("NO_HEADERS");

/**
 * Reads the output of Kafka's `DefaultMessageFormatter` back into records. Keys, values and headers are printed as
 * raw bytes, so every separator carries random digits that no payload can contain by chance.
 * One thing is lost in the printing: a header's name ends at its first colon.
 */
export class ConsoleRecordParser {
  readonly #field: Buffer;
  readonly #header: Buffer;
  readonly #record: Buffer;
  readonly #null: Buffer;
  #pending: Buffer = Buffer.alloc(0);

  constructor() {
    const digits = randomBytes(4).toString("hex");
    this.#field = Buffer.from(`\u001f${digits}f`);
    this.#header = Buffer.from(`\u001f${digits}h`);
    this.#record = Buffer.from(`\u001f${digits}\n`);
    this.#null = Buffer.from(`\u001f${digits}0`);
  }

  /** What the console consumer has to be given as `--formatter-property`. */
  get formatterProperties(): readonly string[] {
    return [
      ...["timestamp", "partition", "offset", "headers", "key", "value"].map((part) => `print.${part}=true`),
      `key.separator=${this.#field.toString()}`,
      `headers.separator=${this.#header.toString()}`,
      `line.separator=${this.#record.toString()}`,
      `null.literal=${this.#null.toString()}`,
    ];
  }

  /** The records that are complete with this piece of the output. */
  push(chunk: Buffer): CommittedRecord[] {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const records: CommittedRecord[] = [];
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(this.#record, start);
      if (end < 0) break;
      records.push(this.#parse(bytes.subarray(start, end)));
      start = end + this.#record.length;
    }
    this.#pending = bytes.subarray(start);
    return records;
  }

  #parse(line: Buffer): CommittedRecord {
    const [timestamp, partition, offset, headers, key, value, ...rest] = split(line, this.#field);
    if (value === undefined || rest.length > 0) {
      throw new Error(`the console consumer printed an unexpected line: ${line.toString("utf8").slice(0, 200)}`);
    }
    return {
      partition: numberAfterColon(partition),
      offset: numberAfterColon(offset),
      timestamp: timestamp?.includes(COLON) ? numberAfterColon(timestamp) : -1,
      key: this.#orNull(key as Buffer),
      value: this.#orNull(value),
      headers: this.#headers(headers as Buffer),
    };
  }

  #headers(printed: Buffer): Headers {
    const values: { [name: string]: HeaderValue[] } = Object.create(null);
    if (printed.equals(NO_HEADERS)) return createHeaders();
    for (const header of split(printed, this.#header)) {
      const colon = header.indexOf(COLON);
      const name = header.toString("utf8", 0, colon);
      (values[name] ??= []).push(this.#orNull(header.subarray(colon + 1)));
    }
    return createHeaders(values);
  }

  #orNull(bytes: Buffer): Buffer | null {
    return bytes.equals(this.#null) ? null : bytes;
  }
}

function split(bytes: Buffer, separator: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(separator, start);
    if (end < 0) break;
    parts.push(bytes.subarray(start, end));
    start = end + separator.length;
  }
  parts.push(bytes.subarray(start));
  return parts;
}

function numberAfterColon(field: Buffer | undefined): number {
  return field === undefined ? Number.NaN : Number(field.toString("latin1", field.indexOf(COLON) + 1));
}
