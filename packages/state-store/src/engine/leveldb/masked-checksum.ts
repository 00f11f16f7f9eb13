import { crc32c } from "@eos/client";

const MASK_DELTA = 0xa282ead8;

/** CRC-32C of `bytes[start, end)` as LevelDB stores it: rotated and shifted, so that a checksum of checksums stays sound. */
export function maskedChecksum(bytes: Buffer, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
