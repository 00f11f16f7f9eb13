import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";

/** The offsets from `from` up to, but without, `to`. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** `r`: lengths of gap, run, gap, run … as unsigned varints. `b`: a bit per offset, the lowest first. */
type Layout = "r" | "b";

const CHECKSUM_BYTES = 4;

/** Both sides keep to it: what a few deflated bytes may grow to. More than that leaves no room in a commit anyway. */
const MAX_PLAIN_BYTES = 16_384;

/** Deflate makes long maps a quarter to a half shorter, short ones longer. */
const MIN_DEFLATED_BYTES = 128;

/**
 * Ranges above an offset as text: the layout (`r` or `b`, with a `z` before it when deflated), a colon, and base64url
 * of the bytes and of their CRC-32.
 *
 * The offset is part of the checksum. MirrorMaker 2 moves a commit to the offset that it has in the other cluster and
 * leaves the metadata as it is: ranges counted from there would pass over records that nobody has seen.
 *
 * @throws RangeError when the ranges are not sorted, overlap, touch, are empty or are not above the offset.
 */
export function encodeRanges(ranges: readonly OffsetRange[], offset: number): string {
  const runBytes = sizeOfRuns(ranges, offset);
  const bitBytes = Math.ceil(((ranges.at(-1)?.to ?? 0) - offset - 1) / 8);
  const layout: Layout = bitBytes < runBytes ? "b" : "r";
  const plain = layout === "b" ? writeBits(ranges, offset, bitBytes) : writeRuns(ranges, offset, runBytes);
  if (plain.length >= MIN_DEFLATED_BYTES && plain.length <= MAX_PLAIN_BYTES) {
    const deflated = deflateRawSync(plain);
    if (deflated.length < plain.length) return seal(`z${layout}`, deflated, offset);
  }
  return seal(layout, plain, offset);
}

/** The ranges, or null when the text is damaged, unknown or belongs to another offset. */
export function decodeRanges(text: string, offset: number): readonly OffsetRange[] | null {
  if (text.length > 2 * MAX_PLAIN_BYTES) return null;
  const colon = text.indexOf(":");
  const name = text.slice(0, colon);
  const bytes = Buffer.from(text.slice(colon + 1), "base64url");
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < 1) return null;
  const body = bytes.subarray(0, end);
  if (bytes.readUInt32BE(end) !== checksum(name, body, offset)) return null;
  switch (name) {
    case "r":
      return readRuns(body, offset);
    case "b":
      return readBits(body, offset);
    case "zr":
    case "zb": {
      const plain = inflate(body);
      if (plain === null) return null;
      return name === "zr" ? readRuns(plain, offset) : readBits(plain, offset);
    }
    default:
      return null;
  }
}

function seal(name: string, body: Buffer, offset: number): string {
  const sum = Buffer.allocUnsafe(CHECKSUM_BYTES);
  sum.writeUInt32BE(checksum(name, body, offset));
  return `${name}:${Buffer.concat([body, sum]).toString("base64url")}`;
}

function checksum(name: string, body: Buffer, offset: number): number {
  return crc32(body, crc32(`${name}:${offset}`));
}

function inflate(body: Buffer): Buffer | null {
  try {
    return inflateRawSync(body, { maxOutputLength: MAX_PLAIN_BYTES });
  } catch {
    return null;
  }
}

function sizeOfRuns(ranges: readonly OffsetRange[], offset: number): number {
  let size = 0;
  let end = offset;
  for (const { from, to } of ranges) {
    if (!(from > end && to > from && Number.isSafeInteger(from) && Number.isSafeInteger(to))) {
      throw new RangeError(`[${from}, ${to}) is no range of offsets behind ${end}`);
    }
    size += varintBytes(from - end) + varintBytes(to - from);
    end = to;
  }
  return size;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

function writeRuns(ranges: readonly OffsetRange[], offset: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  let end = offset;
  for (const { from, to } of ranges) {
    at = writeVarint(bytes, at, from - end);
    at = writeVarint(bytes, at, to - from);
    end = to;
  }
  return bytes;
}

// Arithmetic and no shifts: a length may have up to 53 bits.
function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  bytes[at++] = rest;
  return at;
}

function readRuns(bytes: Buffer, offset: number): readonly OffsetRange[] | null {
  const ranges: OffsetRange[] = [];
  let end = offset;
  let from = -1;
  let length = 0;
  let weight = 1;
  for (const byte of bytes) {
    length += (byte & 0x7f) * weight;
    if (!Number.isSafeInteger(end + length)) return null;
    weight *= 0x80;
    if (byte >= 0x80) continue;
    if (length === 0) return null;
    end += length;
    if (from < 0) {
      from = end;
    } else {
      ranges.push({ from, to: end });
      from = -1;
    }
    length = 0;
    weight = 1;
  }
  return from < 0 && weight === 1 ? ranges : null;
}

/** The first bit is the offset after `offset`, which itself is never completed. */
function writeBits(ranges: readonly OffsetRange[], offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (const { from, to } of ranges) {
    for (let bit = from - offset - 1; bit < to - offset - 1; bit++) (bytes[bit >>> 3] as number) |= 1 << (bit & 7);
  }
  return bytes;
}

function readBits(bytes: Buffer, offset: number): readonly OffsetRange[] | null {
  const first = offset + 1;
  const behind = bytes.length * 8;
  if (!Number.isSafeInteger(first + behind)) return null;
  const ranges: OffsetRange[] = [];
  let from = -1;
  for (let bit = 0; bit <= behind; bit++) {
    const isSet = bit < behind && ((bytes[bit >>> 3] as number) & (1 << (bit & 7))) !== 0;
    if (isSet === from >= 0) continue;
    if (isSet) {
      from = first + bit;
    } else {
      ranges.push({ from, to: first + bit });
      from = -1;
    }
  }
  return ranges;
}
