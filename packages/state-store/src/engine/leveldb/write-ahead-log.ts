import { DamagedFileError } from "./damaged-file-error.ts";
import { readLog } from "./log-format.ts";

/** sequence(8) ∥ count(4) */
const BATCH_HEADER_BYTES = 12;

/**
 * Checks that the writes in the logs follow one another without a gap. LevelDB numbers every write, also those that
 * carry no commit number of ours, and passes over damaged ones without a word. Writes lost at the very end are no gap:
 * the store is what it was before them.
 */
export class SequenceCheck {
  #next: number | undefined;
  readonly #last: number;

  /** @param lastSequence as the MANIFEST says: the logs begin with the one behind it, or an earlier one */
  constructor(lastSequence: number) {
    this.#last = lastSequence;
  }

  /** @param log the next one in the order of their numbers @throws DamagedFileError */
  add(log: Buffer): void {
    const { records, damage } = readLog(log);
    if (damage === "hole") throw new DamagedFileError("writes in the middle of it are damaged");
    for (const record of records) {
      if (record.length < BATCH_HEADER_BYTES) throw new DamagedFileError("a write in it is too short");
      const sequence = Number(record.readBigUInt64LE(0));
      const follows = this.#next === undefined ? sequence <= this.#last + 1 : sequence === this.#next;
      if (!follows) {
        throw new DamagedFileError(`writes ${this.#next ?? this.#last + 1} to ${sequence - 1} before it are missing`);
      }
      this.#next = sequence + record.readUInt32LE(8);
    }
  }
}
