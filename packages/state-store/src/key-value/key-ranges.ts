import type { KeyRange } from "../engine/store-engine.ts";

/** Both bounds included; `null` is the end of the data. @throws TypeError when they are the wrong way round */
export function inclusiveRange(from: Buffer | null, to: Buffer | null): KeyRange {
  if (from !== null && to !== null && from.compare(to) > 0) {
    throw new TypeError(
      "the range's `from` comes after its `to` in the order of their serialised bytes, in which negative numbers come last",
    );
  }
  return { ...(from === null ? {} : { gte: from }), ...(to === null ? {} : { lte: to }) };
}

/** All keys that begin with a physical key, whose first byte is not 0xff. */
export function prefixRange(prefix: Buffer): KeyRange {
  let last = prefix.length - 1;
  while (prefix[last] === 0xff) last--;
  const behind = Buffer.from(prefix.subarray(0, last + 1));
  behind[last] = behind[last]! + 1;
  return { gte: prefix, lt: behind };
}
