import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  decodeVersions,
  encodeVersions,
  endOfReadable,
  latestVersion,
  putVersion,
  type Version,
  versionAsOf,
} from "./versioned-value.ts";

const EMPTY = Buffer.alloc(0);

/** A versioned store of one key as its definition says, which forgets nothing. */
class Model {
  readonly #historyRetentionMs: number;
  readonly #versions = new Map<number, Buffer | null>();
  streamTime = -1;

  constructor(historyRetentionMs: number) {
    this.#historyRetentionMs = historyRetentionMs;
  }

  get oldestReadable(): number {
    return this.streamTime - this.#historyRetentionMs;
  }

  /** When the version put stops being valid. */
  put(value: Buffer | null, timestamp: number): number | "not put" | undefined {
    if (timestamp < this.oldestReadable) return "not put";
    this.streamTime = Math.max(this.streamTime, timestamp);
    this.#versions.set(timestamp, value);
    return this.#after(timestamp);
  }

  get(asOf: number): Version | undefined {
    const timestamp = Math.max(...[...this.#versions.keys()].filter((each) => each <= asOf));
    const value = this.#versions.get(timestamp);
    const validTo = this.#after(timestamp);
    if (!value || (asOf < this.oldestReadable && validTo !== undefined)) return undefined;
    return validTo === undefined ? { value, timestamp } : { value, timestamp, validTo };
  }

  /** Ones that can still be asked for. */
  get readable(): number {
    const timestamps = [...this.#versions.keys()].sort((one, other) => one - other);
    while ((timestamps[1] ?? Infinity) <= this.oldestReadable) timestamps.shift();
    if (timestamps.length > 0 && timestamps[0]! <= this.oldestReadable && this.#versions.get(timestamps[0]!) === null) {
      timestamps.shift();
    }
    return timestamps.length;
  }

  #after(timestamp: number): number | undefined {
    const after = [...this.#versions.keys()].filter((each) => each > timestamp);
    return after.length === 0 ? undefined : Math.min(...after);
  }
}

const values = fc.option(
  fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  { freq: 3 },
);

describe("a versioned value", () => {
  it("answers as one that forgets nothing, for whatever puts", () => {
    const puts = fc.array(fc.record({ value: values, timestamp: fc.nat(60) }), { maxLength: 40 });
    fc.assert(
      fc.property(puts, fc.nat(30), fc.nat(5), (all, historyRetentionMs, before) => {
        const model = new Model(historyRetentionMs);
        let stored: Buffer = EMPTY;
        for (const { value, timestamp } of all) {
          // Stored values lie somewhere in a buffer.
          const buffer = Buffer.concat([Buffer.alloc(before, 0xee), stored, Buffer.alloc(3, 0xee)]);
          const [start, end] = [before, before + stored.length];
          const put = putVersion(buffer, start, end, value, timestamp, model.streamTime, historyRetentionMs);
          expect(put === undefined ? "not put" : put.validTo).toBe(model.put(value, timestamp));
          if (put !== undefined) stored = put.versions;

          expect(latestVersion(stored, 0, stored.length)).toEqual(model.get(Infinity));
          for (let asOf = -1; asOf <= 61; asOf++) {
            expect(versionAsOf(stored, 0, stored.length, asOf, model.oldestReadable)).toEqual(model.get(asOf));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("keeps what can still be asked for, and nothing else", () => {
    const puts = fc.array(fc.record({ value: values, timestamp: fc.nat(60) }), { maxLength: 20 });
    fc.assert(
      fc.property(puts, fc.nat(30), (all, historyRetentionMs) => {
        const model = new Model(historyRetentionMs);
        let stored: Buffer = EMPTY;
        for (const { value, timestamp } of all) {
          const put = putVersion(stored, 0, stored.length, value, timestamp, model.streamTime, historyRetentionMs);
          model.put(value, timestamp);
          stored = put?.versions ?? stored;
          expect(decodeVersions(stored, 0, stored.length)).toHaveLength(model.readable);
        }
      }),
    );
  });

  it("answers the same before what is too old has been dropped", () => {
    const sorted = fc
      .uniqueArray(fc.record({ timestamp: fc.nat(60), value: values }), { selector: ({ timestamp }) => timestamp })
      .map((versions) => versions.sort((one, other) => other.timestamp - one.timestamp));
    fc.assert(
      fc.property(sorted, fc.nat(60), fc.integer({ min: -1, max: 61 }), (versions, oldestReadable, asOf) => {
        const all = encodeVersions(versions);
        const dropped = all.subarray(0, endOfReadable(all, 0, all.length, oldestReadable));
        const answer = versionAsOf(all, 0, all.length, asOf, oldestReadable);
        expect(versionAsOf(dropped, 0, dropped.length, asOf, oldestReadable)).toEqual(answer);
        expect(latestVersion(dropped, 0, dropped.length)).toEqual(latestVersion(all, 0, all.length));
      }),
    );
  });

  it("is decoded as it was encoded, deletions too, each valid up to the next", () => {
    const versions = [
      { value: Buffer.from("new"), timestamp: 30 },
      { value: null, timestamp: 20, validTo: 30 },
      { value: EMPTY, timestamp: -10, validTo: 20 },
    ];
    const encoded = encodeVersions(versions);
    expect(decodeVersions(encoded, 0, encoded.length)).toEqual(versions);
  });

  it("is empty once the only thing known is a deletion that no read can tell from nothing", () => {
    const put = putVersion(EMPTY, 0, 0, null, 10, 20, 10);
    expect(put).toEqual({ versions: EMPTY });
  });
});
