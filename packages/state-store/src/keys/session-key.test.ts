import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { endOfSegment, segmentIdOf } from "./segments.ts";
import {
  readSessionEnd,
  readSessionStart,
  SESSION_SUFFIX_BYTES,
  SessionRange,
  writeSessionSuffix,
} from "./session-key.ts";

const SEGMENT_INTERVAL_MS = 1_800_000;

/** Of few different bytes, so that they begin one another, and begin as timestamps do. */
const keys = fc
  .array(fc.constantFrom(0x00, 0x00, 0x01, 0x7f, 0xff), { maxLength: 4 })
  .map((bytes) => Buffer.from(bytes));
const times = fc.oneof(
  fc.constantFrom(
    0,
    1,
    255,
    256,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 48,
    2 ** 48 + 1,
    Number.MAX_SAFE_INTEGER - SEGMENT_INTERVAL_MS,
  ),
  fc.nat(2 ** 52),
);
const sessions = fc
  .record({ key: keys, one: times, other: times })
  .map(({ key, one, other }) => ({ key, start: Math.min(one, other), end: Math.max(one, other) }));

function sessionKey(key: Buffer, start: number, end: number): Buffer {
  const bytes = Buffer.concat([key, Buffer.alloc(SESSION_SUFFIX_BYTES)]);
  expect(writeSessionSuffix(bytes, key.length, start, end)).toBe(bytes.length);
  return bytes;
}

/** Whether a key is between a range's bounds of its segment: written behind other bytes, as they are in a store. */
function isBetweenBounds(range: SessionRange, bytes: Buffer, end: number): boolean {
  const target = Buffer.alloc(9 + range.maxBoundBytes, 0xee);
  const lower = Buffer.from(target.subarray(9, range.writeLowerBound(target, 9)));
  const upperEnd = range.writeUpperBound(
    target,
    9,
    endOfSegment(segmentIdOf(end, SEGMENT_INTERVAL_MS), SEGMENT_INTERVAL_MS),
  );
  expect(target.subarray(0, 9)).toEqual(Buffer.alloc(9, 0xee));
  return lower.compare(bytes) <= 0 && (upperEnd === 9 || target.subarray(9, upperEnd).compare(bytes) >= 0);
}

describe("a session's key", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(sessions, ({ key, start, end }) => {
        const bytes = sessionKey(key, start, end);
        expect(bytes.subarray(0, bytes.length - SESSION_SUFFIX_BYTES)).toEqual(key);
        expect(readSessionStart(bytes, bytes.length)).toBe(start);
        expect(readSessionEnd(bytes, bytes.length)).toBe(end);
      }),
    );
  });

  it("sorts by end and then by start among those of one key", () => {
    fc.assert(
      fc.property(keys, sessions, sessions, (key, one, other) => {
        expect(sessionKey(key, one.start, one.end).compare(sessionKey(key, other.start, other.end))).toBe(
          Math.sign(one.end - other.end || one.start - other.start),
        );
      }),
    );
  });
});

describe("a range of sessions", () => {
  const bounds = fc.oneof(times, fc.constantFrom(-1, Infinity));

  it("of one key has the key's sessions of its times between its bounds, and matches no others there", () => {
    fc.assert(
      fc.property(keys, bounds, bounds, sessions, fc.boolean(), (of, earliestEnd, latestStart, session, isSameKey) => {
        const range = new SessionRange(of, of, earliestEnd, latestStart);
        const key = isSameKey ? of : session.key;
        const bytes = sessionKey(key, session.start, session.end);
        const isMeant = key.equals(of) && session.end >= earliestEnd && session.start <= latestStart;
        expect(isBetweenBounds(range, bytes, session.end) && range.matches(bytes, 0, bytes.length)).toBe(isMeant);
      }),
      { numRuns: 2_000 },
    );
  });

  it("of all keys between two, or beyond one, has their sessions of its times between its bounds, and matches no others", () => {
    const open = fc.option(keys, { freq: 5 });
    fc.assert(
      fc.property(
        open,
        open,
        bounds,
        bounds,
        sessions,
        (keyFrom, keyTo, earliestEnd, latestStart, { key, start, end }) => {
          const range = new SessionRange(keyFrom, keyTo, earliestEnd, latestStart);
          const bytes = sessionKey(key, start, end);
          const isMeant =
            (keyFrom === null || keyFrom.compare(key) <= 0) &&
            (keyTo === null || keyTo.compare(key) >= 0) &&
            end >= earliestEnd &&
            start <= latestStart;
          if (isMeant) expect(isBetweenBounds(range, bytes, end)).toBe(true);
          if (isBetweenBounds(range, bytes, end)) expect(range.matches(bytes, 0, bytes.length)).toBe(isMeant);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("reaches hardly beyond its last key, since its bound ends with the segment", () => {
    const range = new SessionRange(Buffer.from("a"), Buffer.from("hello"), 0, Infinity);
    const end = 1_700_000_000_000;
    expect(isBetweenBounds(range, sessionKey(Buffer.from("help"), end, end), end)).toBe(false);
  });

  it("says which times to search: those of sessions that end early enough, up to any time", () => {
    const range = new SessionRange(null, null, 7, 3);
    expect([range.firstTimestamp, range.lastTimestamp]).toEqual([7, Number.MAX_SAFE_INTEGER]);
  });
});
