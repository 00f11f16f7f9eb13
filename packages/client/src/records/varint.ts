/** Bytes that a zigzag varint of a 32-bit integer takes. */
export function sizeOfVarint(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x20_0000) return 3;
  return zigzag < 0x1000_0000 ? 4 : 5;
}

/** Writes a 32-bit integer and returns the position behind it. */
export function writeVarint(buffer: Uint8Array, position: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  while (zigzag > 0x7f) {
    buffer[position++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  buffer[position++] = zigzag;
  return position;
}

// A zigzagged 54-bit integer is no longer exact in a double. So the first byte takes the sign and six bits of the
// magnitude, the others seven bits each, and the doubled value is never formed.

/** Bytes that a zigzag varlong of a safe integer takes. */
export function sizeOfVarlong(value: number): number {
  let rest = Math.floor(magnitude(value) / 64);
  let size = 1;
  for (; rest > 0; size++) rest = Math.floor(rest / 128);
  return size;
}

/** Writes a safe integer and returns the position behind it. */
export function writeVarlong(buffer: Uint8Array, position: number, value: number): number {
  const whole = magnitude(value);
  let rest = Math.floor(whole / 64);
  buffer[position++] = ((whole % 64) << 1) | (value < 0 ? 1 : 0) | (rest > 0 ? 0x80 : 0);
  while (rest > 0) {
    const next = Math.floor(rest / 128);
    buffer[position++] = (rest % 128) | (next > 0 ? 0x80 : 0);
    rest = next;
  }
  return position;
}

function magnitude(value: number): number {
  return value < 0 ? -value - 1 : value;
}
