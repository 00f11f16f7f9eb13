import { readInt64, writeInt64 } from "../bytes/arena.ts";

/**
 * All that a versioned store knows of one key, as one stored value, newest first:
 * ```
 * { timestamp(8) ∥ length of the value(4), −1: deleted ∥ value } …
 * ```
 * A version is valid until the next newer one begins, so its end is not stored. The rules are those of Kafka Streams'
 * VersionedKeyValueStore (KIP-889); only what they can still be asked for is kept.
 */
const HEAD_BYTES = 12;
const DELETED = -1;

/** A value, or `null` for a deletion, and the time it holds from and up to. */
export interface Version {
  readonly value: Buffer | null;
  readonly timestamp: number;
  /** Exclusive; absent for the newest. */
  readonly validTo?: number;
}

/** What a put makes of a key's versions. */
export interface PutVersion {
  /** Empty when nothing is left that can be asked for. */
  readonly versions: Buffer;
  /** When the version put stops being valid; absent when it is the newest. */
  readonly validTo?: number;
}

/** Encodes versions, newest first; their `validTo` is not looked at. */
export function encodeVersions(versions: readonly Version[]): Buffer {
  return Buffer.concat(versions.map(({ value, timestamp }) => encodeVersion(value, timestamp)));
}

/** All of them, newest first, deletions too. The values are views. */
export function decodeVersions(source: Buffer, start: number, end: number): Version[] {
  const versions: Version[] = [];
  let newer = -1;
  for (let at = start; at < end; newer = at, at = endOfVersion(source, at))
    versions.push(decodeVersion(source, at, newer));
  return versions;
}

/** The newest version, unless it is a deletion. Its value is a view. */
export function latestVersion(source: Buffer, start: number, end: number): Version | undefined {
  return start < end && !isDeleted(source, start) ? decodeVersion(source, start, -1) : undefined;
}

/**
 * The version that was valid at `asOf`, unless that is a deletion. Its value is a view.
 *
 * @param oldestReadable - stream time − history retention: before it, only the newest version is found
 */
export function versionAsOf(
  source: Buffer,
  start: number,
  end: number,
  asOf: number,
  oldestReadable: number,
): Version | undefined {
  let newer = -1;
  for (let at = start; at < end; newer = at, at = endOfVersion(source, at)) {
    if (readInt64(source, at) > asOf) {
      // Older ones may lie here still, until the next put. What is answered must not depend on that.
      if (asOf < oldestReadable) return undefined;
      continue;
    }
    return isDeleted(source, at) ? undefined : decodeVersion(source, at, newer);
  }
  return undefined;
}

/**
 * Puts a version among those of its key, in place of one with the same timestamp, and drops those that can no longer
 * be asked for. `undefined`: it is older than the history that is kept, and is not put.
 *
 * @param value - `null`: a deletion
 * @param streamTime - highest timestamp put into the store before; −1 for none
 */
export function putVersion(
  source: Buffer,
  start: number,
  end: number,
  value: Uint8Array | null,
  timestamp: number,
  streamTime: number,
  historyRetentionMs: number,
): PutVersion | undefined {
  if (timestamp < streamTime - historyRetentionMs) return undefined;
  let newer = -1;
  let at = start;
  for (; at < end && readInt64(source, at) > timestamp; at = endOfVersion(source, at)) newer = at;
  const isReplaced = at < end && readInt64(source, at) === timestamp;
  const older = isReplaced ? endOfVersion(source, at) : at;
  const all = Buffer.concat([source.subarray(start, at), encodeVersion(value, timestamp), source.subarray(older, end)]);
  const oldestReadable = Math.max(streamTime, timestamp) - historyRetentionMs;
  const versions = all.subarray(0, endOfReadable(all, 0, all.length, oldestReadable));
  return newer < 0 ? { versions } : { versions, validTo: readInt64(source, newer) };
}

/**
 * Where the versions end that a read can still find. That the rest is gone changes no answer: a read as of
 * `oldestReadable` or later never gets to it, and neither does a put, which would be too late.
 */
export function endOfReadable(source: Buffer, start: number, end: number, oldestReadable: number): number {
  for (let at = start; at < end; at = endOfVersion(source, at)) {
    if (readInt64(source, at) > oldestReadable) continue;
    // The oldest one of all answers as none would when it is a deletion.
    return isDeleted(source, at) ? at : endOfVersion(source, at);
  }
  return end;
}

function encodeVersion(value: Uint8Array | null, timestamp: number): Buffer {
  const version = Buffer.allocUnsafe(HEAD_BYTES + (value?.length ?? 0));
  writeInt64(version, timestamp, 0);
  version.writeInt32BE(value?.length ?? DELETED, 8);
  if (value !== null) version.set(value, HEAD_BYTES);
  return version;
}

function decodeVersion(source: Buffer, at: number, newer: number): Version {
  const value = isDeleted(source, at) ? null : source.subarray(at + HEAD_BYTES, endOfVersion(source, at));
  const timestamp = readInt64(source, at);
  return newer < 0 ? { value, timestamp } : { value, timestamp, validTo: readInt64(source, newer) };
}

function isDeleted(source: Buffer, at: number): boolean {
  return source.readInt32BE(at + 8) === DELETED;
}

function endOfVersion(source: Buffer, at: number): number {
  return at + HEAD_BYTES + Math.max(source.readInt32BE(at + 8), 0);
}
