import { describe, expect, it } from "vitest";
import { writeLog, writeRecord } from "./log-fixture.ts";
import { SequenceCheck } from "./write-ahead-log.ts";

/** Ten writes of three operations each, the first with sequence 101. */
const writes = Array.from({ length: 10 }, (_, i) => writeRecord(101 + i * 3, 3));

describe("the writes in the logs", () => {
  const check = (lastSequence: number, ...logs: readonly (readonly Buffer[])[]): void => {
    const sequences = new SequenceCheck(lastSequence);
    for (const log of logs) sequences.add(writeLog(log));
  };

  it("follow one another, within a log and from one to the next", () => {
    expect(() => {
      check(100, writes.slice(0, 4), [], writes.slice(4));
    }).not.toThrow();
  });

  it("may begin before the last one that the MANIFEST knows of", () => {
    expect(() => {
      check(115, writes);
    }).not.toThrow();
  });

  it("may lack the last ones: the store is older then", () => {
    for (let kept = 0; kept < writes.length; kept++) expect(() => check(100, writes.slice(0, kept))).not.toThrow();
  });

  it("lack none before others, wherever the logs end", () => {
    for (let missing = 0; missing < writes.length - 1; missing++) {
      for (let end = 0; end < writes.length; end++) {
        const first = writes.slice(0, end).filter((_, i) => i !== missing);
        const second = writes.slice(end).filter((_, i) => i + end !== missing);
        expect(() => {
          check(100, first, second);
        }).toThrow(/^writes \d+ to \d+ before it are missing$/);
      }
    }
  });

  it("lack none at the end of a log that another follows", () => {
    expect(() => {
      check(100, writes.slice(0, 4), writes.slice(5));
    }).toThrow("writes 113 to 115 before it are missing");
  });

  it("are not damaged before others, even where the MANIFEST knows of later ones", () => {
    const log = writeLog([...writes.slice(0, 3), writeRecord(110, 3, 40_000), ...writes.slice(4)]);
    log[20]! ^= 1;
    expect(() => {
      new SequenceCheck(1_000).add(log);
    }).toThrow("writes in the middle of it are damaged");
  });
});
