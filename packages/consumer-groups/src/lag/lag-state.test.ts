import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluateLag, LAG_STATES, type LagSample, type LagState, worstLagState } from "./lag-state.ts";

/** One sample every 100 s from 100 s on, each with a commit of its own: offset, lag. */
function commits(...pairs: readonly (readonly [offset: number, lag: number])[]): LagSample[] {
  return pairs.map(([offset, lag], i) => ({ committedMs: (i + 1) * 100_000, offset, endOffset: offset + lag }));
}

/** As {@link commits}, but after `commitsSeen` samples nothing is committed any more. */
function silentAfter(commitsSeen: number, samples: readonly LagSample[]): LagSample[] {
  const last = samples[commitsSeen - 1] as LagSample;
  return samples.map((sample, i) =>
    i < commitsSeen ? sample : { committedMs: last.committedMs, offset: last.offset, endOffset: sample.endOffset },
  );
}

const falling = commits([1_000, 200], [2_000, 150], [3_000, 170], [4_000, 100], [5_000, 90]);
const rising = commits([1_000, 50], [2_000, 100], [3_000, 150], [4_000, 200], [5_000, 250]);
const level = commits([1_000, 50], [2_000, 50], [3_000, 50], [4_000, 50], [5_000, 50]);
const risingFromZero = commits([1_000, 0], [2_000, 50], [3_000, 100], [4_000, 150], [5_000, 200]);
const standing = commits([1_000, 100], [1_000, 150], [1_000, 200], [1_000, 250], [1_000, 300]);
const standingFromZero = commits([1_000, 0], [1_000, 50], [1_000, 100], [1_000, 150], [1_000, 200]);
const caughtUp = commits([1_000, 50], [2_000, 100], [3_000, 150], [4_000, 200], [5_000, 0]);
const rewound = commits([1_000, 100], [2_000, 150], [3_000, 200], [2_000, 1_250], [2_500, 300]);
const recovered = commits([1_000, 100], [2_000, 150], [3_000, 200], [2_000, 1_250], [4_000, 300]);
const rewoundTwice = commits([3_000, 100], [2_000, 1_100], [4_000, 300], [1_000, 3_300], [1_500, 2_900]);
const rewoundFromZero = commits([1_000, 0], [2_000, 0], [3_000, 0], [10, 2_990], [500, 2_500]);
const lateRecord = [
  ...commits([1_000, 0], [2_000, 0], [3_000, 0]),
  { committedMs: 300_000, offset: 3_000, endOffset: 3_000 },
  { committedMs: 300_000, offset: 3_000, endOffset: 3_001 },
];

describe("evaluateLag", () => {
  test.each<[what: string, samples: readonly LagSample[], nowMs: number, state: LagState]>([
    ["no sample says nothing", [], 600_000, "OK"],
    ["one sample says nothing", commits([1_000, 50]), 600_000, "OK"],
    ["a lag that falls once is a consumer that keeps up", falling, 550_000, "OK"],
    ["a lag that never falls is a slow consumer", rising, 550_000, "WARN"],
    ["nor one that stays the same", level, 550_000, "WARN"],
    ["a lag of 0 in the window excuses one that rises", risingFromZero, 550_000, "OK"],
    ["no lag now is OK whatever was before", caughtUp, 550_000, "OK"],
    ["no lag now is OK however long ago the commit", caughtUp, 9_000_000, "OK"],
    ["an offset beyond the end is no lag", commits([20, 5], [20, 5], [20, -10]), 350_000, "OK"],
    ["commits that do not move the offset are a stall", standing, 550_000, "STALL"],
    ["a lag of 0 in the window excuses it", standingFromZero, 550_000, "OK"],
    ["silence as long as the commits lasted is not yet a stop", rising, 900_000, "WARN"],
    ["longer silence is a stop", rising, 900_001, "STOP"],
    ["also when the lag had been falling", falling, 900_001, "STOP"],
    ["also when it had been 0 earlier", risingFromZero, 900_001, "STOP"],
    ["also when the offset had stood already", standing, 900_001, "STOP"],
    ["also after a rewind", rewound, 900_001, "STOP"],
    ["nothing committed in the whole window is a stop", silentAfter(1, standing), 550_000, "STOP"],
    ["a record that arrives after a long quiet is no stop", lateRecord, 9_000_000, "OK"],
    ["an offset that went back is a rewind", rewound, 550_000, "REWIND"],
    ["not once it is where it was", recovered, 550_000, "OK"],
    ["a second step back counts, though the first was made good", rewoundTwice, 550_000, "REWIND"],
    ["a lag of 0 in the window does not excuse it", rewoundFromZero, 550_000, "REWIND"],
  ])("%s", (_, samples, nowMs, state) => {
    expect(evaluateLag(samples, nowMs)).toBe(state);
  });

  test("A window that is not whole yet shows a rewind only.", () => {
    for (const samples of [rising, standing, silentAfter(1, standing)]) {
      expect(evaluateLag(samples, 9_000_000, 5)).not.toBe("OK");
      expect(evaluateLag(samples, 9_000_000, 6)).toBe("OK");
    }
    expect(evaluateLag(rewound, 9_000_000, 6)).toBe("REWIND");
  });

  const histories = fc
    .array(fc.record({ sinceMs: fc.nat(50), offset: fc.nat(30), lag: fc.nat(20) }), { minLength: 1, maxLength: 12 })
    .map((steps) => {
      let committedMs = 0;
      return steps.map(({ sinceMs, offset, lag }): LagSample => {
        committedMs += sinceMs;
        return { committedMs, offset, endOffset: offset + lag };
      });
    });

  test("The state is OK whenever there is no lag now.", () => {
    fc.assert(
      fc.property(histories, fc.nat(10_000), (samples, nowMs) => {
        const last = samples.at(-1) as LagSample;
        const settled = [...samples, { ...last, endOffset: last.offset }];
        expect(evaluateLag(settled, last.committedMs + nowMs)).toBe("OK");
      }),
    );
  });

  test("The state is neither WARN nor STALL when there was no lag at any time in the window.", () => {
    fc.assert(
      fc.property(histories, fc.nat(), fc.nat(10_000), (samples, where, sinceMs) => {
        const at = where % samples.length;
        const excused = samples.map((of, i) => (i === at ? { ...of, endOffset: of.offset } : of));
        const nowMs = (samples.at(-1) as LagSample).committedMs + sinceMs;
        expect(["OK", "STOP", "REWIND"]).toContain(evaluateLag(excused, nowMs));
      }),
    );
  });

  test("A consumer that commits to the end each time is OK, whenever it is asked.", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 2, maxLength: 12 }), fc.nat(100_000), (arrivals, nowMs) => {
        let offset = 0;
        const samples = arrivals.map((records, i): LagSample => {
          offset += records;
          return { committedMs: i, offset, endOffset: offset };
        });
        expect(evaluateLag(samples, nowMs)).toBe("OK");
      }),
    );
  });

  test("REWIND is said only of an offset that was higher before.", () => {
    fc.assert(
      fc.property(histories, fc.nat(10_000), (samples, sinceMs) => {
        const last = samples.at(-1) as LagSample;
        fc.pre(samples.every(({ offset }) => offset <= last.offset));
        expect(evaluateLag(samples, last.committedMs + sinceMs)).not.toBe("REWIND");
      }),
    );
  });
});

test("The worst state is that of Burrow's order, and OK of none.", () => {
  expect(worstLagState([])).toBe("OK");
  expect(LAG_STATES.map((state) => worstLagState(["OK", state, "WARN"]))).toEqual([
    "WARN",
    "WARN",
    "STOP",
    "STALL",
    "REWIND",
  ]);
});
