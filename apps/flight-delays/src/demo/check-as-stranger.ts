import { type CommittedRecord, readCommitted } from "@tooling/kafka";
import type { AirportTable } from "../airports.ts";
import type { FlightRow } from "../dataset.ts";
import type { CleanUp } from "./clean-up.ts";
import { Comparison, type Difference } from "./comparison.ts";
import { rowOf } from "./flight-loader.ts";
import type { Screen } from "./screen.ts";
import type { OutputPosition } from "./topics-view.ts";

const READ_WITHIN_MS = 120_000;
const SHOWN_EVERY = 100;

/** What reading needs. */
export interface StrangersReading {
  readonly cleanUp: CleanUp;
  readonly signal: AbortSignal;
  readonly bootstrapServers: string;
}

export interface StrangersTask extends StrangersReading {
  readonly screen: Screen;
  readonly topics: { readonly input: string; readonly output: string };
  readonly rows: readonly FlightRow[];
  readonly airports: AirportTable;
  /** What the killed transaction had written. */
  readonly uncommitted: readonly OutputPosition[];
  /** Takes each record of the output, too. */
  readonly onRecord: (record: CommittedRecord) => void;
}

/** What the stranger found. */
export interface Findings {
  readonly records: number;
  readonly differences: readonly Difference[];
}

/**
 * Reads the output by Kafka's own console consumer, which shares no code with what wrote it, and compares it with the
 * file. For a row that is missing, the input is read in the same way to name its offset.
 */
export async function checkAsStranger(task: StrangersTask): Promise<Findings> {
  const { screen, topics, rows, airports, uncommitted, onRecord } = task;
  const comparison = new Comparison(rows, airports, topics.output, uncommitted);
  const bar = screen.bar(rows.length, "records read");
  try {
    await readAsStranger(task, topics.output, (record) => {
      comparison.add(record);
      onRecord(record);
      if (comparison.records % SHOWN_EVERY === 0) bar.update(comparison.records);
    });
    bar.update(comparison.records);
  } finally {
    bar.stop();
  }
  const differences = comparison.differences();
  const lost = new Set(differences.filter(({ kind }) => kind === "lost").map(({ row }) => row));
  const places = lost.size === 0 ? new Map<number, string>() : await placesInInput(lost, task);
  return {
    records: comparison.records,
    differences: differences.map((difference) =>
      difference.kind === "lost"
        ? { ...difference, place: places.get(difference.row) ?? `it is not in ${topics.input} either` }
        : difference,
    ),
  };
}

async function placesInInput(rows: ReadonlySet<number>, task: StrangersTask): Promise<Map<number, string>> {
  const places = new Map<number, string>();
  const { input } = task.topics;
  await readAsStranger(task, input, ({ partition, offset, headers }) => {
    const row = rowOf(headers);
    if (rows.has(row)) places.set(row, `${input}-${partition}@${offset}`);
  });
  return places;
}

/**
 * Reads a topic to its end, those of one partition in their order.
 * @throws AbortError when the reading was ended from outside, so that nobody takes a part for the whole
 */
export async function readAsStranger(
  { cleanUp, signal, bootstrapServers }: StrangersReading,
  topic: string,
  take: (record: CommittedRecord) => void,
): Promise<void> {
  const reading = await cleanUp.own(
    () => readCommitted({ bootstrapServers, topic, timeoutMs: READ_WITHIN_MS }),
    async (records) => {
      await records.return();
    },
  );
  for await (const record of reading) take(record);
  signal.throwIfAborted();
}
