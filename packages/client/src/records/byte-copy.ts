/** Up to this a loop copies faster than a native call. */
const LOOP_BYTES = 16;

/** Copies `source[start, end)` to `target` and returns the position behind it. */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Buffer, position: number): number {
  if (end - start <= LOOP_BYTES) {
    for (let i = start; i < end; i++) target[position++] = source[i]!;
    return position;
  }
  // Not `subarray`: making a plain view is cheaper than making a Buffer.
  target.set(new Uint8Array(source.buffer, source.byteOffset + start, end - start), position);
  return position + end - start;
}
