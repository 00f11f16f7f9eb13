/** What a batch may grow to when it is decompressed. A megabyte of zeros, gzipped, is a kilobyte: without a limit a few bytes fill the heap. */
export const MAX_DECOMPRESSED_BYTES = 256 * 1_048_576;

/** @throws RangeError when `bytes` is more than a batch may grow to. */
export function checkDecompressedSize(bytes: number): void {
  if (bytes > MAX_DECOMPRESSED_BYTES) {
    throw new RangeError(`decompresses to ${bytes} bytes; the limit is ${MAX_DECOMPRESSED_BYTES}`);
  }
}
