import { type CommittedOffset, formatSource, type History, type InputPartition, parseSource } from "./history.ts";

/**
 * What can be wrong with a history, after Jepsen's words (`jepsen.tests.kafka`):
 * - `lost`: an input without output although a later one of its partition has one (`lost-write`)
 * - `duplicate`: one input, several outputs
 * - `out-of-order`: outputs of one input partition in another order than their inputs (`nonmonotonic`)
 * - `phantom`: an output whose input was never (committedly) written, or that names none (`G1a`, aborted read)
 * - `committed-beyond-output`: the group's offset is past an input that has no output, with none after it: lost as well
 * - `output-beyond-committed`: an output whose input lies at or after the group's offset: output and offset were not atomic
 * - `unseen`: an input that has neither output nor a committed offset past it: the run had not come to its end
 */
export type AnomalyKind =
  | "lost"
  | "duplicate"
  | "out-of-order"
  | "phantom"
  | "committed-beyond-output"
  | "output-beyond-committed"
  | "unseen";

/** One kind of anomaly in one input partition. */
export interface Anomaly {
  readonly kind: AnomalyKind;
  /** `<topic>-<partition>` of the input. */
  readonly inputPartition: string;
  /** The input offsets concerned, ascending. */
  readonly offsets: readonly number[];
  /** Where the outputs concerned lie, as `<topic>-<partition>@<offset>`. */
  readonly outputs: readonly string[];
}

/** What became of one input partition. */
interface Trace {
  /** Positions of the outputs by input offset. */
  readonly outputsOf: Map<number, string[]>;
  /** Inputs whose first output came behind that of a later input, in the same output partition. */
  readonly late: number[];
  /** The highest input offset so far, by output partition: only within one is there an order. */
  readonly highest: Map<string, number>;
}

/** Compares what came out with what went in. Nothing found means: each input exactly once, in order, offsets included. */
export function checkHistory(history: History): Anomaly[] {
  const traces = traceOutputs(history);
  const anomalies: Anomaly[] = [];
  for (const input of history.inputs) {
    const name = nameOf(input);
    const trace = traces.get(name) ?? emptyTrace();
    anomalies.push(...checkPartition(name, input, trace, committedOffset(history.committed, input)));
    traces.delete(name);
  }
  for (const [name, trace] of traces) anomalies.push(anomaly("phantom", name, [...trace.outputsOf.keys()], trace));
  return anomalies.filter(({ offsets }) => offsets.length > 0);
}

/** One line per anomaly, with its first offsets. */
export function describeAnomalies(anomalies: readonly Anomaly[]): string {
  return anomalies
    .map(({ kind, inputPartition, offsets, outputs }) => {
      const at = outputs.length === 0 ? "" : ` (outputs ${firstOf(outputs)})`;
      return `${kind}: ${offsets.length} of ${inputPartition}: ${firstOf(offsets)}${at}`;
    })
    .join("\n");
}

/** Input records that the anomalies of the given kinds name. */
export function countAnomalies(anomalies: readonly Anomaly[], ...kinds: readonly AnomalyKind[]): number {
  return anomalies.filter(({ kind }) => kinds.includes(kind)).reduce((sum, { offsets }) => sum + offsets.length, 0);
}

function traceOutputs({ outputs }: History): Map<string, Trace> {
  const traces = new Map<string, Trace>();
  for (const output of outputs) {
    const source = parseSource(output.source);
    const name = nameOf(source);
    let trace = traces.get(name);
    if (trace === undefined) traces.set(name, (trace = emptyTrace()));
    const position = formatSource(output);
    const earlier = trace.outputsOf.get(source.offset);
    if (earlier !== undefined) {
      earlier.push(position);
      continue;
    }
    trace.outputsOf.set(source.offset, [position]);
    const outputPartition = nameOf(output);
    if (source.offset < (trace.highest.get(outputPartition) ?? -1)) trace.late.push(source.offset);
    else trace.highest.set(outputPartition, source.offset);
  }
  return traces;
}

function checkPartition(name: string, input: InputPartition, trace: Trace, committed: number): Anomaly[] {
  const { outputsOf } = trace;
  const written = new Set(input.offsets);
  const seen = [...outputsOf.keys()];
  const highestSeen = seen.reduce((highest, offset) => (offset > highest ? offset : highest), -1);
  const missing = input.offsets.filter((offset) => !outputsOf.has(offset));
  return [
    anomaly(
      "lost",
      name,
      missing.filter((offset) => offset < highestSeen),
      trace,
    ),
    anomaly(
      "committed-beyond-output",
      name,
      missing.filter((offset) => offset > highestSeen && offset < committed),
      trace,
    ),
    anomaly(
      "unseen",
      name,
      missing.filter((offset) => offset > highestSeen && offset >= committed),
      trace,
    ),
    anomaly(
      "duplicate",
      name,
      seen.filter((offset) => (outputsOf.get(offset) as string[]).length > 1),
      trace,
    ),
    anomaly("out-of-order", name, trace.late, trace),
    anomaly(
      "phantom",
      name,
      seen.filter((offset) => !written.has(offset)),
      trace,
    ),
    anomaly(
      "output-beyond-committed",
      name,
      seen.filter((offset) => written.has(offset) && offset >= committed),
      trace,
    ),
  ];
}

function anomaly(kind: AnomalyKind, inputPartition: string, offsets: readonly number[], trace: Trace): Anomaly {
  const ascending = offsets.toSorted((a, b) => a - b);
  return {
    kind,
    inputPartition,
    offsets: ascending,
    outputs: ascending.flatMap((offset) => trace.outputsOf.get(offset) ?? []),
  };
}

function emptyTrace(): Trace {
  return { outputsOf: new Map(), late: [], highest: new Map() };
}

function committedOffset(committed: readonly CommittedOffset[], { topic, partition }: InputPartition): number {
  return committed.find((offset) => offset.topic === topic && offset.partition === partition)?.offset ?? 0;
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}-${partition}`;
}

const SHOWN = 10;

function firstOf(list: readonly (string | number)[]): string {
  return list.slice(0, SHOWN).join(", ") + (list.length > SHOWN ? ", …" : "");
}
