import type { CommittedRecord } from "@tooling/kafka";
import type { AirportTable } from "../airports.ts";
import type { FlightRow } from "../dataset.ts";
import { enrichFlight } from "../topology.ts";
import { rowOf } from "./flight-loader.ts";
import type { OutputPosition } from "./topics-view.ts";

/**
 * - `lost`: a row without a record
 * - `duplicated`: a row's second record
 * - `changed`: key, timestamp or value is not what the row gives
 * - `reordered`: it came behind a later record of its input partition, or does not say where it came from
 * - `uncommitted`: written in the transaction that was killed, and visible all the same
 * - `unknown`: of no row
 */
export type DifferenceKind = "lost" | "duplicated" | "changed" | "reordered" | "uncommitted" | "unknown";

/** What is wrong with one record, or with the row that has none. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** Row of the file; −1 for a record that belongs to none. */
  readonly row: number;
  /** The offset in the output and the one in the input; of a lost row nobody has seen an offset. */
  readonly place: string;
}

/**
 * Holds what a reader was given against the rows of the file. What a record must be is computed from its row here, by
 * the topology alone; nothing of the run that made the record takes part.
 */
export class Comparison {
  readonly #rows: readonly FlightRow[];
  readonly #airports: AirportTable;
  readonly #topic: string;
  readonly #uncommitted: readonly OutputPosition[];
  /** How many records each row has. */
  readonly #seen: Uint32Array;
  /** Per input partition, the offset that the last record came from. */
  readonly #lastSource = new Map<string, number>();
  readonly #differences: Difference[] = [];
  #records = 0;

  /** @param uncommitted - the offsets that were written in a transaction which nobody committed */
  constructor(
    rows: readonly FlightRow[],
    airports: AirportTable,
    topic: string,
    uncommitted: readonly OutputPosition[],
  ) {
    this.#rows = rows;
    this.#airports = airports;
    this.#topic = topic;
    this.#uncommitted = uncommitted;
    this.#seen = new Uint32Array(rows.length);
  }

  /** Records read so far. */
  get records(): number {
    return this.#records;
  }

  /** Takes the next record; those of one partition in their order. */
  add(record: CommittedRecord): void {
    this.#records += 1;
    const source = text(record.headers["eos-source"]) ?? "?";
    const place = `${this.#topic}-${record.partition}@${record.offset} from ${source}`;
    const index = rowOf(record.headers);
    const row = this.#rows[index];
    if (row === undefined) {
      this.#differences.push({ kind: "unknown", row: -1, place });
      return;
    }
    const times = (this.#seen[index] as number) + 1;
    this.#seen[index] = times;
    if (times > 1) this.#differences.push({ kind: "duplicated", row: index, place });
    else if (!this.#isInOrder(source)) this.#differences.push({ kind: "reordered", row: index, place });
    if (this.#isUncommitted(record)) this.#differences.push({ kind: "uncommitted", row: index, place });
    if (!this.#isExpected(record, row)) this.#differences.push({ kind: "changed", row: index, place });
  }

  /** All that is wrong, once every record has been added. */
  differences(): Difference[] {
    const lost = [...this.#seen.entries()].flatMap(([row, times]): Difference[] =>
      times === 0 ? [{ kind: "lost", row, place: "" }] : [],
    );
    return [...lost, ...this.#differences];
  }

  #isExpected({ key, timestamp, value }: CommittedRecord, row: FlightRow): boolean {
    return (
      text(key) === row.key &&
      timestamp === row.timestamp &&
      text(value) === JSON.stringify(enrichFlight(row.flight, this.#airports))
    );
  }

  #isUncommitted({ partition, offset }: CommittedRecord): boolean {
    return this.#uncommitted.some(
      (range) => range.partition === partition && range.stable <= offset && offset < range.end,
    );
  }

  #isInOrder(source: string): boolean {
    const [, partition, offset] = /^(.+)@(\d+)$/.exec(source) ?? [];
    if (partition === undefined) return false;
    const previous = this.#lastSource.get(partition) ?? -1;
    this.#lastSource.set(partition, Number(offset));
    return Number(offset) > previous;
  }
}

function text(value: Buffer | null | undefined | readonly (Buffer | null)[]): string | null {
  return Buffer.isBuffer(value) ? value.toString("utf8") : null;
}
