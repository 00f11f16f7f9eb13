import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { endOfSegment, segmentIdOf } from "./segments.ts";
import type { SegmentedRange } from "./segmented-range.ts";
import {
  readSessionEnd,
  readSessionStart,
  SESSION_SUFFIX_BYTES,
  SessionRange,
  writeSessionSuffix,
} from "./session-key.ts";
import { readTimestamp, TIMESTAMP_BYTES, writeValueAndTimestamp } from "./value-and-timestamp.ts";
import {
  decodeVersions,
  endOfReadable,
  latestVersion,
  putVersion,
  type Version,
  versionAsOf,
} from "./versioned-value.ts";
import { readSeqnum, readWindowStart, WINDOW_SUFFIX_BYTES, WindowRange, writeWindowSuffix } from "./window-key.ts";

function goldens(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../test/goldens/${name}.json`, import.meta.url), "utf8"));
}

interface KeyGolden {
  readonly key: string;
  readonly start: number;
  readonly bytes: string;
  readonly windowed: string;
  readonly lower: string;
  readonly lowerFixed: string;
  readonly upper: string;
  readonly upperFixed: string;
}

const keys = goldens("keys") as {
  readonly window: readonly (KeyGolden & { readonly seqnum: number })[];
  readonly session: readonly (KeyGolden & { readonly end: number })[];
  readonly valueAndTimestamp: readonly { readonly value: string; readonly timestamp: number; readonly bytes: string }[];
};

function lowerBound(range: SegmentedRange): string {
  const target = Buffer.alloc(range.maxBoundBytes);
  return target.toString("hex", 0, range.writeLowerBound(target, 0));
}

function upperBound(range: SegmentedRange, end: number): string {
  const target = Buffer.alloc(range.maxBoundBytes);
  return target.toString("hex", 0, range.writeUpperBound(target, 0, end));
}

function windowKey(key: Buffer, start: number, seqnum: number): Buffer {
  const bytes = Buffer.concat([key, Buffer.alloc(WINDOW_SUFFIX_BYTES)]);
  writeWindowSuffix(bytes, key.length, start, seqnum);
  return bytes;
}

function sessionKey(key: Buffer, start: number, end: number): Buffer {
  const bytes = Buffer.concat([key, Buffer.alloc(SESSION_SUFFIX_BYTES)]);
  writeSessionSuffix(bytes, key.length, start, end);
  return bytes;
}

describe("keys of Kafka Streams", () => {
  it("of a window are ours", () => {
    for (const golden of keys.window) {
      const key = Buffer.from(golden.key, "hex");
      expect(windowKey(key, golden.start, golden.seqnum).toString("hex")).toBe(golden.bytes);
      expect(golden.windowed).toBe(golden.bytes.slice(0, -8));

      const bytes = Buffer.from(golden.bytes, "hex");
      expect(readWindowStart(bytes, bytes.length)).toBe(golden.start);
      expect(readSeqnum(bytes, bytes.length)).toBe(golden.seqnum);
    }
  });

  it("of a session are ours", () => {
    for (const golden of keys.session) {
      const key = Buffer.from(golden.key, "hex");
      expect(sessionKey(key, golden.start, golden.end).toString("hex")).toBe(golden.bytes);
      expect(golden.windowed).toBe(golden.bytes);

      const bytes = Buffer.from(golden.bytes, "hex");
      expect(readSessionStart(bytes, bytes.length)).toBe(golden.start);
      expect(readSessionEnd(bytes, bytes.length)).toBe(golden.end);
    }
  });
});

describe("bounds of Kafka Streams", () => {
  it("for windows are ours, but where they miss a key", () => {
    for (const golden of keys.window) {
      const key = Buffer.from(golden.key, "hex");
      const oneKey = new WindowRange(key, key, golden.start, golden.start);
      expect(lowerBound(oneKey)).toBe(golden.lowerFixed);
      expect(upperBound(oneKey, golden.start)).toBe(golden.upperFixed);
      expect(lowerBound(new WindowRange(key, null, golden.start, golden.start))).toBe(golden.lower);

      // Hex sorts as the bytes do. Every beginning of the key, with this start, must lie below the bound.
      const upper = upperBound(new WindowRange(null, key, golden.start, golden.start), golden.start);
      const misses = golden.key
        .match(/../g)
        ?.some((_, bytes) => golden.upperFixed.slice(golden.key.length) > golden.upper.slice(bytes * 2));
      if (misses) expect(upper > golden.upper).toBe(true);
      else expect(upper).toBe(golden.upper);
    }
  });

  it("for sessions hold ours, which know the segment's end", () => {
    for (const golden of keys.session) {
      const key = Buffer.from(golden.key, "hex");
      const oneKey = new SessionRange(key, key, golden.end, golden.start);
      expect(lowerBound(oneKey)).toBe(golden.lowerFixed);
      expect(upperBound(oneKey, golden.end) >= golden.bytes).toBe(true);
      expect(upperBound(oneKey, golden.end) <= golden.upperFixed).toBe(true);
      expect(lowerBound(new SessionRange(key, null, golden.end, golden.start))).toBe(golden.lower);
      expect(upperBound(new SessionRange(null, key, golden.end, golden.start), golden.end) >= golden.bytes).toBe(true);
    }
  });
});

describe("range reads of Kafka Streams", () => {
  interface Reads {
    readonly writes: readonly (readonly [string, number, number?])[];
    readonly reads: readonly {
      readonly keyFrom: string | null;
      readonly keyTo: string | null;
      readonly times: readonly [number, number];
      readonly found: readonly unknown[];
    }[];
  }
  const rangeReads = goldens("range-reads") as {
    readonly segmentIntervalMs: number;
    readonly window: Reads;
    readonly session: Reads;
  };
  const bytesOf = (hex: string | null): Buffer | null => (hex === null ? null : Buffer.from(hex, "hex"));

  /** Segment by segment, between the bounds, what matches: as a store reads. */
  function read(
    range: SegmentedRange,
    stored: readonly { readonly segmentId: number; readonly bytes: Buffer }[],
  ): Buffer[] {
    const { segmentIntervalMs } = rangeReads;
    const found: Buffer[] = [];
    const last = Math.min(
      segmentIdOf(range.lastTimestamp, segmentIntervalMs),
      Math.max(...stored.map((each) => each.segmentId)),
    );
    const first = Math.max(
      segmentIdOf(range.firstTimestamp, segmentIntervalMs),
      Math.min(...stored.map((each) => each.segmentId)),
    );
    for (let segmentId = first; segmentId <= last; segmentId++) {
      const [lower, upper] = [lowerBound(range), upperBound(range, endOfSegment(segmentId, segmentIntervalMs))];
      const between = stored
        .filter((each) => each.segmentId === segmentId)
        .map((each) => each.bytes)
        .filter((bytes) => bytes.toString("hex") >= lower && (upper === "" || bytes.toString("hex") <= upper))
        .sort((one, other) => one.compare(other));
      found.push(...between.filter((bytes) => range.matches(bytes, 0, bytes.length)));
    }
    return found;
  }

  it("find the windows ours find, in the same order, and miss keys that begin the last one", () => {
    const { writes, reads } = rangeReads.window;
    const stored = writes.map(([key, start]) => ({
      segmentId: segmentIdOf(start, rangeReads.segmentIntervalMs),
      bytes: windowKey(Buffer.from(key, "hex"), start, 0),
    }));
    const missed = new Set<string>();
    for (const { keyFrom, keyTo, times, found } of reads) {
      const range = new WindowRange(bytesOf(keyFrom), bytesOf(keyTo), ...times);
      const ours = read(range, stored).map((bytes) => [
        bytes.toString("hex", 0, bytes.length - WINDOW_SUFFIX_BYTES),
        readWindowStart(bytes, bytes.length),
      ]);
      const theirs = new Set(found.map((each) => JSON.stringify(each)));
      for (const each of ours) if (!theirs.has(JSON.stringify(each))) missed.add(`${each[0]} up to ${keyTo}`);
      expect(ours.filter((each) => theirs.has(JSON.stringify(each)))).toEqual(found);
    }
    expect([...missed]).toEqual(["00 up to 00000001"]);
  });

  it("find the sessions ours find, in the same order", () => {
    const { writes, reads } = rangeReads.session;
    const stored = writes.map(([key, start, end]) => ({
      segmentId: segmentIdOf(end!, rangeReads.segmentIntervalMs),
      bytes: sessionKey(Buffer.from(key, "hex"), start, end!),
    }));
    for (const { keyFrom, keyTo, times, found } of reads) {
      const ours = read(new SessionRange(bytesOf(keyFrom), bytesOf(keyTo), ...times), stored).map((bytes) => [
        bytes.toString("hex", 0, bytes.length - SESSION_SUFFIX_BYTES),
        readSessionStart(bytes, bytes.length),
        readSessionEnd(bytes, bytes.length),
      ]);
      expect(ours).toEqual(found);
    }
  });
});

describe("timestamped values of Kafka Streams", () => {
  it("are ours", () => {
    for (const { value, timestamp, bytes } of keys.valueAndTimestamp) {
      const ours = Buffer.alloc(TIMESTAMP_BYTES + value.length / 2);
      writeValueAndTimestamp(ours, 0, Buffer.from(value, "hex"), timestamp);
      expect(ours.toString("hex")).toBe(bytes);
      expect(readTimestamp(Buffer.from(bytes, "hex"), 0)).toBe(timestamp);
    }
  });
});

describe("changelogs of Kafka Streams", () => {
  const RECORD = 1_700_000_000_000;
  const TIME = 1_699_999_980_000;
  const VALUES = ["v", null, "w", "x"];
  const changelogs = goldens("changelogs") as Record<
    string,
    readonly { key: string; value: string | null; timestamp: number; headers: readonly [string, string][] }[]
  >;
  const key = Buffer.from("k");
  const textOf = (value: string | null): string | null =>
    value === null ? null : Buffer.from(value, "hex").toString();

  it.each([
    ["keyValue", key, RECORD, RECORD],
    ["timestampedKeyValue", key, TIME, RECORD],
    ["timestampedKeyValueWithHeaders", key, TIME, RECORD],
    ["versioned", key, TIME, TIME],
    ["window", windowKey(key, TIME, 0), RECORD, RECORD],
    ["timestampedWindow", windowKey(key, TIME, 0), TIME + 7, RECORD],
    ["timestampedWindowWithHeaders", windowKey(key, TIME, 0), TIME + 7, RECORD],
    ["session", sessionKey(key, TIME - 5, TIME), RECORD, RECORD],
    ["sessionWithHeaders", sessionKey(key, TIME - 5, TIME), RECORD, RECORD],
  ])("hold the value alone, under the store's key, at the value's time: %s", (kind, bytes, timestamp, deletedAt) => {
    const records = changelogs[kind]!;
    expect(records.map((record) => textOf(record.value))).toEqual(VALUES);
    expect(records.map((record) => record.key)).toEqual(VALUES.map(() => bytes.toString("hex")));
    expect(records.map((record) => record.timestamp)).toEqual([timestamp, deletedAt, timestamp, timestamp]);
    const headers = kind.endsWith("WithHeaders") ? [["trace", "01"]] : [];
    expect(records.map((record) => record.headers)).toEqual(VALUES.map(() => headers));
  });

  it("number the values of a window that retains duplicates, from 1", () => {
    const records = changelogs["windowRetainingDuplicates"]!;
    expect(records.map((record) => textOf(record.value))).toEqual(VALUES);
    expect(records.map((record) => record.key)).toEqual(
      VALUES.map((_, index) => windowKey(key, TIME, index + 1).toString("hex")),
    );
  });

  it("hold also what the store has dropped, since it was too late or before the epoch", () => {
    expect(changelogs["windowTooLate"]!.map((record) => textOf(record.value))).toEqual(["v", "w"]);
    expect(changelogs["versionedTooLate"]!.map((record) => textOf(record.value))).toEqual(["v", "w"]);
    expect(changelogs["windowBeforeTheEpoch"]!.map((record) => record.key)).toEqual([
      windowKey(key, -1, 0).toString("hex"),
    ]);
  });
});

describe("the versioned store of Kafka Streams", () => {
  const { historyRetentionMs, calls, histories } = goldens("versioned-store") as {
    readonly historyRetentionMs: number;
    readonly calls: readonly {
      readonly call: "put" | "delete" | "get" | "getAsOf";
      readonly key: string;
      readonly value: string | null;
      readonly timestamp: number;
      readonly returned: unknown;
    }[];
    readonly histories: Readonly<Record<string, unknown>>;
  };

  it("answers each call as ours does, and has the same history at the end", () => {
    const store = new Map<string, Buffer>();
    let streamTime = -1;
    const record = (version: Version | undefined): unknown =>
      version === undefined ? null : [version.value!.toString("hex"), version.timestamp];

    for (const [index, { call, key, value, timestamp, returned }] of calls.entries()) {
      const stored = store.get(key) ?? Buffer.alloc(0);
      const asOf = versionAsOf(stored, 0, stored.length, timestamp, streamTime - historyRetentionMs);
      let ours: unknown;
      if (call === "get") ours = record(latestVersion(stored, 0, stored.length));
      else if (call === "getAsOf") ours = record(asOf);
      else {
        const bytes = value === null ? null : Buffer.from(value, "hex");
        const put = putVersion(stored, 0, stored.length, bytes, timestamp, streamTime, historyRetentionMs);
        if (put !== undefined) {
          streamTime = Math.max(streamTime, timestamp);
          store.set(key, put.versions);
        }
        if (call === "delete") ours = put === undefined ? null : record(asOf);
        else ours = put === undefined ? "not put" : (put.validTo ?? -1);
      }
      expect(ours, `call ${index}: ${call} ${key} ${timestamp}`).toEqual(returned);
    }

    for (const [key, history] of Object.entries(histories)) {
      const stored = store.get(key)!;
      const end = endOfReadable(stored, 0, stored.length, streamTime - historyRetentionMs);
      const ours = decodeVersions(stored, 0, end).filter((version) => version.value !== null);
      expect(ours.map((version) => [...(record(version) as unknown[]), version.validTo ?? null])).toEqual(history);
    }
  });
});
