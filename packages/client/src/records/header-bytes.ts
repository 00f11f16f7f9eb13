import type { Headers, HeaderValue } from "@eos/core";
import { createHeaders } from "@eos/core";

import { ByteReader } from "../protocol/byte-reader.ts";
import { writeVarint } from "./varint.ts";

/**
 * Encodes record headers into a buffer that grows and is used again for the next record: append the record before
 * the next `encode`. The section is `buffer[0, length)`, its leading count included.
 */
export class HeaderEncoder {
  buffer: Buffer = Buffer.allocUnsafeSlow(1_024);
  length = 0;

  /** @param extra - further headers; a name in both has the values of `extra` only. */
  encode(headers: Headers, extra?: Headers): void {
    this.length = 0;
    let count = countHeaders(headers, extra);
    if (extra !== undefined) count += countHeaders(extra, undefined);
    this.reserve(5);
    this.length = writeVarint(this.buffer, 0, count);
    this.writeAll(headers, extra);
    if (extra !== undefined) this.writeAll(extra, undefined);
  }

  private writeAll(headers: Headers, except: Headers | undefined): void {
    for (const name of Object.keys(headers)) {
      if (except !== undefined && Object.hasOwn(except, name)) continue;
      const value = headers[name] as HeaderValue | readonly HeaderValue[];
      if (isRepeated(value)) for (const item of value) this.write(name, item);
      else this.write(name, value);
    }
  }

  private write(name: string, value: HeaderValue): void {
    const nameBytes = Buffer.byteLength(name);
    const valueBytes = value === null ? 0 : value.length;
    this.reserve(10 + nameBytes + valueBytes);
    let position = writeVarint(this.buffer, this.length, nameBytes);
    position += this.buffer.write(name, position, nameBytes, "utf8");
    position = writeVarint(this.buffer, position, value === null ? -1 : valueBytes);
    if (value !== null) this.buffer.set(value, position);
    this.length = position + valueBytes;
  }

  private reserve(bytes: number): void {
    const wanted = this.length + bytes;
    if (wanted <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, wanted));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

/**
 * Decodes a record's header section, its leading count included. Values are copies: a view would keep the whole fetch
 * response alive. Names are data, `__proto__` and `constructor` too; a name that comes again has all its values, in order.
 */
export function decodeHeaders(buffer: Buffer, start: number, end: number): Headers {
  const headers = createHeaders();
  const reader = new ByteReader(buffer.subarray(0, end), start);
  for (let left = reader.varint(); left > 0; left--) {
    const name = reader.varintString();
    const bytes = reader.varintBytes();
    const value = bytes === null ? null : Buffer.from(bytes);
    const earlier = headers[name];
    if (earlier === undefined) headers[name] = value;
    else if (isRepeated(earlier)) (earlier as HeaderValue[]).push(value);
    else headers[name] = [earlier, value];
  }
  return headers;
}

function countHeaders(headers: Headers, except: Headers | undefined): number {
  let count = 0;
  for (const name of Object.keys(headers)) {
    if (except !== undefined && Object.hasOwn(except, name)) continue;
    const value = headers[name] as HeaderValue | readonly HeaderValue[];
    count += isRepeated(value) ? value.length : 1;
  }
  return count;
}

function isRepeated(value: HeaderValue | readonly HeaderValue[]): value is readonly HeaderValue[] {
  return Array.isArray(value);
}
