import { readFileSync } from "node:fs";

/** What was found wrong, each with up to a few examples. */
export interface HandledReport {
  readonly records: number;
  /** Records that nobody came to the end of. */
  readonly lost: readonly string[];
  /** Records that somebody began before anybody had come to the end of the one before them of the same key. */
  readonly outOfOrder: readonly string[];
  /** Ends beyond the first of each record. */
  readonly handledAgain: number;
}

interface Handled {
  firstBegin: bigint;
  firstEnd: bigint | null;
  ends: number;
}

/**
 * Reads what all workers wrote down (`begin|end <key> <number> <ns>`), and compares it with what there was to handle:
 * numbers from 0 on, per key.
 */
export function readHandledLogs(files: readonly string[], numbersOf: ReadonlyMap<string, number>): HandledReport {
  const handled = new Map<string, Handled[]>([...numbersOf.keys()].map((key) => [key, []]));
  let handledAgain = 0;
  for (const file of files) {
    for (const line of readFileSync(file, "utf8").split("\n")) {
      const [what, key, number, time] = line.split(" ");
      // A kill may cut the last line short.
      if (key === undefined || number === undefined || time === undefined || time === "") continue;
      const at = BigInt(time);
      const ofKey = handled.get(key);
      if (ofKey === undefined) throw new Error(`${file}: nobody wrote key ${key}`);
      const record = (ofKey[Number(number)] ??= { firstBegin: at, firstEnd: null, ends: 0 });
      if (what === "begin") {
        if (at < record.firstBegin) record.firstBegin = at;
      } else {
        if (record.firstEnd === null || at < record.firstEnd) record.firstEnd = at;
        if (record.ends++ > 0) handledAgain++;
      }
    }
  }
  const lost: string[] = [];
  const outOfOrder: string[] = [];
  let records = 0;
  for (const [key, count] of numbersOf) {
    for (let number = 0; number < count; number++) {
      records++;
      const record = handled.get(key)?.[number];
      const before = number === 0 ? undefined : handled.get(key)?.[number - 1];
      if (record === undefined || record.firstEnd === null) lost.push(`${key}#${number}`);
      else if (before !== undefined && (before.firstEnd === null || before.firstEnd > record.firstBegin)) {
        outOfOrder.push(`${key}#${number}`);
      }
    }
  }
  return { records, lost, outOfOrder, handledAgain };
}
