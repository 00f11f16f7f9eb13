import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AnomalyKind, checkHistory, countAnomalies, describeAnomalies } from "./check-history.ts";
import {
  contiguousOffsets,
  formatSource,
  type History,
  type OutputRecord,
  parseSource,
  type SourcePosition,
} from "./history.ts";

interface Partition {
  readonly offsets: readonly number[];
  /** How many of them were processed. */
  readonly processed: number;
  /** Where each goes. */
  readonly targets: readonly number[];
}

/** A run as it should be: every processed input has one output, in order, and the group's offset is behind the last. */
const partition = fc.uniqueArray(fc.nat(500), { minLength: 1, maxLength: 40 }).chain((offsets) =>
  fc.record<Partition>({
    offsets: fc.constant(offsets.toSorted((a, b) => a - b)),
    processed: fc.nat(offsets.length),
    targets: fc.array(fc.nat(2), { minLength: offsets.length, maxLength: offsets.length }),
  }),
);
const run = fc.array(partition, { minLength: 1, maxLength: 4 });

function historyOf(partitions: readonly Partition[]): History {
  const outputs: OutputRecord[] = [];
  const ends = [0, 0, 0];
  for (const [index, { offsets, processed, targets }] of partitions.entries()) {
    for (const [at, offset] of offsets.slice(0, processed).entries()) {
      const target = targets[at] as number;
      const source = formatSource({ topic: "in-1", partition: index, offset });
      outputs.push({ topic: "out", partition: target, offset: (ends[target] as number)++, source });
    }
  }
  return {
    inputs: partitions.map(({ offsets }, index) => ({ topic: "in-1", partition: index, offsets })),
    outputs,
    committed: partitions.map(({ offsets, processed }, index) => ({
      topic: "in-1",
      partition: index,
      offset: processed === 0 ? 0 : (offsets[processed - 1] as number) + 1,
    })),
  };
}

const complete = run.map((partitions) => partitions.map((p) => ({ ...p, processed: p.offsets.length })));
const completeWithPick = fc.tuple(complete, fc.nat());

function pick(
  history: History,
  seed: number,
): { readonly output: OutputRecord; readonly at: number; readonly source: SourcePosition } {
  const at = seed % history.outputs.length;
  const output = history.outputs[at] as OutputRecord;
  return { output, at, source: parseSource(output.source) };
}

function kindsOf(history: History): AnomalyKind[] {
  return checkHistory(history).map(({ kind }) => kind);
}

describe("checkHistory", () => {
  it("finds nothing in a run that is as it should be", () => {
    fc.assert(
      fc.property(complete, (partitions) => {
        expect(checkHistory(historyOf(partitions))).toEqual([]);
      }),
    );
  });

  it("finds nothing but what was not processed yet in a run that was stopped early", () => {
    fc.assert(
      fc.property(run, (partitions) => {
        const anomalies = checkHistory(historyOf(partitions));
        const open = partitions.reduce((sum, { offsets, processed }) => sum + offsets.length - processed, 0);
        expect(countAnomalies(anomalies, "unseen")).toBe(open);
        expect(anomalies.every(({ kind }) => kind === "unseen")).toBe(true);
      }),
    );
  });

  it("finds an output that was taken out, as lost or as committed beyond output, and names it", () => {
    fc.assert(
      fc.property(completeWithPick, ([partitions, seed]) => {
        const history = historyOf(partitions);
        const { at, source } = pick(history, seed);
        const anomalies = checkHistory({ ...history, outputs: history.outputs.filter((_, index) => index !== at) });
        const isLast = source.offset === partitions[source.partition]?.offsets.at(-1);
        expect(anomalies).toEqual([
          {
            kind: isLast ? "committed-beyond-output" : "lost",
            inputPartition: `in-1-${source.partition}`,
            offsets: [source.offset],
            outputs: [],
          },
        ]);
      }),
    );
  });

  it("finds an output that is there twice, wherever the second one is", () => {
    fc.assert(
      fc.property(completeWithPick, fc.nat(2), ([partitions, seed], target) => {
        const history = historyOf(partitions);
        const { output, source } = pick(history, seed);
        const again = { ...output, partition: target, offset: 10_000 };
        expect(checkHistory({ ...history, outputs: [...history.outputs, again] })).toEqual([
          {
            kind: "duplicate",
            inputPartition: `in-1-${source.partition}`,
            offsets: [source.offset],
            outputs: [formatSource(output), formatSource(again)],
          },
        ]);
      }),
    );
  });

  it("finds two outputs of one input partition that changed places in an output partition", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(500), { minLength: 2, maxLength: 40 }), fc.nat(), (given, seed) => {
        const offsets = given.toSorted((a, b) => a - b);
        const history = historyOf([{ offsets, processed: offsets.length, targets: offsets.map(() => 0) }]);
        const at = seed % (offsets.length - 1);
        const outputs = [...history.outputs];
        const [first, second] = outputs.slice(at, at + 2) as [OutputRecord, OutputRecord];
        outputs.splice(at, 2, { ...first, source: second.source }, { ...second, source: first.source });
        const anomalies = checkHistory({ ...history, outputs });
        expect(anomalies.map(({ kind, offsets: named }) => [kind, named])).toEqual([["out-of-order", [offsets[at]]]]);
      }),
    );
  });

  it("asks for no order between output partitions", () => {
    const history: History = {
      inputs: [{ topic: "in", partition: 0, offsets: [0, 1] }],
      outputs: [
        { topic: "out", partition: 1, offset: 0, source: "in-0@1" },
        { topic: "out", partition: 0, offset: 0, source: "in-0@0" },
      ],
      committed: [{ topic: "in", partition: 0, offset: 2 }],
    };
    expect(checkHistory(history)).toEqual([]);
  });

  it("finds an output whose input was never written, and one of an unknown partition", () => {
    fc.assert(
      fc.property(complete, fc.integer({ min: 501, max: 900 }), (partitions, offset) => {
        const history = historyOf(partitions);
        const invented = { topic: "out", partition: 0, offset: 10_000, source: `in-1-0@${offset}` };
        expect(kindsOf({ ...history, outputs: [...history.outputs, invented] })).toContain("phantom");
        const foreign = { ...invented, source: "elsewhere-0@0" };
        expect(kindsOf({ ...history, outputs: [...history.outputs, foreign] })).toEqual(["phantom"]);
      }),
    );
  });

  it("finds outputs whose offsets were not committed with them", () => {
    fc.assert(
      fc.property(completeWithPick, ([partitions, seed]) => {
        const history = historyOf(partitions);
        const { source } = pick(history, seed);
        const committed = history.committed.map((c) =>
          c.partition === source.partition ? { ...c, offset: source.offset } : c,
        );
        const { offsets } = partitions[source.partition] as Partition;
        const anomalies = checkHistory({ ...history, committed });
        expect(anomalies.map(({ kind, offsets: named }) => [kind, named])).toEqual([
          ["output-beyond-committed", offsets.filter((offset) => offset >= source.offset)],
        ]);
      }),
    );
  });

  it("finds offsets that were committed without their outputs", () => {
    fc.assert(
      fc.property(run, (partitions) => {
        const history = historyOf(partitions);
        const committed = history.committed.map((c) => ({ ...c, offset: 501 }));
        const open = partitions.reduce((sum, { offsets, processed }) => sum + offsets.length - processed, 0);
        const anomalies = checkHistory({ ...history, committed });
        expect(countAnomalies(anomalies, "committed-beyond-output")).toBe(open);
        expect(countAnomalies(anomalies, "unseen")).toBe(0);
      }),
    );
  });
});

describe("describeAnomalies", () => {
  it("names the partition, the first offsets and where the outputs are", () => {
    const outputs = [0, 1].map((offset) => ({ topic: "out", partition: 3, offset, source: "in-0@7" }));
    const inputs = [{ topic: "in", partition: 0, offsets: contiguousOffsets(8) }];
    const text = describeAnomalies(
      checkHistory({ inputs, outputs, committed: [{ topic: "in", partition: 0, offset: 8 }] }),
    );
    expect(text).toBe(
      ["lost: 7 of in-0: 0, 1, 2, 3, 4, 5, 6", "duplicate: 1 of in-0: 7 (outputs out-3@0, out-3@1)"].join("\n"),
    );
  });
});

describe("parseSource", () => {
  it("reads back what formatSource writes, also for topics with dashes and digits", () => {
    const topic = fc.stringMatching(/^[a-zA-Z0-9._-]{1,30}$/);
    fc.assert(
      fc.property(topic, fc.nat(), fc.maxSafeNat(), (name, index, offset) => {
        const position = { topic: name, partition: index, offset };
        expect(parseSource(formatSource(position))).toEqual(position);
      }),
    );
  });

  it("refuses anything else", () => {
    for (const text of ["", "in-0", "in@5", "in-x@5", "in-0@"]) expect(() => parseSource(text)).toThrow(RangeError);
  });
});
