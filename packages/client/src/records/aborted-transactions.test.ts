import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LogFixture } from "./log-fixture.ts";
import type { AbortedTransaction, BatchReading } from "./record-batch-reader.ts";
import { readRecordBatches } from "./record-batch-reader.ts";
import { RecordCursor } from "./record-cursor.ts";

interface Seen {
  readonly offset: number;
  readonly value: string;
}

function read(
  bytes: Buffer,
  options: Pick<BatchReading, "isolation" | "aborted" | "fetchOffset">,
): { records: Seen[]; nextOffset: number | undefined } {
  const reading: BatchReading = { topic: "t", partition: 0, verifyCrc: true, ...options };
  const batches = readRecordBatches(bytes, 0, bytes.length, reading);
  const cursor = new RecordCursor();
  const records: Seen[] = [];
  for (const batch of batches) {
    cursor.open(batch, reading.fetchOffset);
    while (cursor.next()) {
      records.push({
        offset: cursor.offset,
        value: cursor.buffer.toString("utf8", cursor.valueStart, cursor.valueEnd),
      });
    }
  }
  return { records, nextOffset: batches.at(-1)?.nextOffset };
}

type Step =
  | { readonly do: "write"; readonly producer: number; readonly records: number; readonly zeroKey: boolean }
  | { readonly do: "end"; readonly producer: number; readonly type: "commit" | "abort" }
  | { readonly do: "plain"; readonly records: number }
  | { readonly do: "compact"; readonly offsets: number };

const producer = fc.integer({ min: 1, max: 3 });
const records = fc.integer({ min: 1, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), producer, records, zeroKey: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      producer,
      type: fc.constantFrom("commit" as const, "abort" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("plain" as const), records }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("compact" as const), offsets: records }) },
);

interface Written {
  readonly offset: number;
  readonly value: string;
  fate: "plain" | "open" | "commit" | "abort";
}

interface Open {
  readonly firstOffset: number;
  readonly written: Written[];
}

/** Record by record: what happens to a transaction happens to what was written in it. */
function play(steps: readonly Step[]): {
  log: LogFixture;
  written: Written[];
  aborted: (AbortedTransaction & { lastOffset: number })[];
  lastStable: number;
} {
  const log = new LogFixture();
  const written: Written[] = [];
  const aborted: (AbortedTransaction & { lastOffset: number })[] = [];
  const open = new Map<number, Open>();
  for (const each of steps) {
    if (each.do === "compact") {
      log.appendEmptied(each.offsets);
    } else if (each.do === "end") {
      const transaction = open.get(each.producer);
      const lastOffset = log.mark(each.producer, each.type);
      if (transaction === undefined) continue;
      for (const one of transaction.written) one.fate = each.type;
      const { firstOffset } = transaction;
      if (each.type === "abort") aborted.push({ producerId: each.producer, firstOffset, lastOffset });
      open.delete(each.producer);
    } else {
      const isPlain = each.do === "plain";
      // Java's IntegerSerializer writes 0 so, and it looks like the key of an abort marker.
      const key = each.do === "write" && each.zeroKey ? Buffer.alloc(4) : null;
      const rows = Array.from({ length: each.records }, (_, i) => ({ key, value: `v${log.endOffset + i}` }));
      const options = isPlain ? {} : { producerId: each.producer, transactional: true };
      const firstOffset = log.append(rows, options);
      const added = rows.map(({ value }, i): Written => ({
        offset: firstOffset + i,
        value,
        fate: isPlain ? "plain" : "open",
      }));
      written.push(...added);
      if (isPlain) continue;
      const transaction = open.get(each.producer) ?? { firstOffset, written: [] };
      transaction.written.push(...added);
      open.set(each.producer, transaction);
    }
  }
  const lastStable = Math.min(log.endOffset, ...[...open.values()].map(({ firstOffset }) => firstOffset));
  return { log, written, aborted, lastStable };
}

describe("readRecordBatches, read committed", () => {
  it("delivers exactly what was committed, from any offset, whatever transactions interleave", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.nat(60),
        fc.infiniteStream(fc.nat()),
        (steps, from, shuffle) => {
          const { log, written, aborted, lastStable } = play(steps);
          const fetchOffset = Math.min(from, lastStable);
          // As the broker: those that end at or after the fetch offset and begin before the last stable one, by their end.
          const listed = aborted.filter(
            ({ firstOffset, lastOffset }) => lastOffset >= fetchOffset && firstOffset < lastStable,
          );
          const shuffled = listed.map((one) => [shuffle.next().value, one] as const).toSorted(([a], [b]) => a - b);
          const bytes = log.bytesFrom(fetchOffset, lastStable);
          const { records: seen, nextOffset } = read(bytes, {
            isolation: "read_committed",
            fetchOffset,
            aborted: shuffled.map(([, one]) => one),
          });
          const expected = written.filter(
            ({ offset, fate }) => fate !== "abort" && offset >= fetchOffset && offset < lastStable,
          );
          expect(seen).toEqual(expected.map(({ offset, value }) => ({ offset, value })));
          if (fetchOffset < lastStable) expect(nextOffset).toBe(lastStable);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("delivers everything but the markers when it reads uncommitted", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { log, written, aborted } = play(steps);
        const { records: seen } = read(log.bytesFrom(0), { isolation: "read_uncommitted", aborted, fetchOffset: 0 });
        expect(seen).toEqual(written.map(({ offset, value }) => ({ offset, value })));
      }),
    );
  });
});
