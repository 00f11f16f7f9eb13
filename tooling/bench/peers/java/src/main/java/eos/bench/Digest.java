package eos.bench;

import java.util.zip.CRC32;

/**
 * A sum of one CRC-32 per record (key, a byte in between, value), which Node computes natively too. Order does not matter,
 * so partitions may be read in any order; a lost, doubled or changed record changes the sum.
 */
final class Digest {
  private static final int BETWEEN = 0xff;

  private final CRC32 crc = new CRC32();
  private long sum;
  private long records;

  void add(byte[] key, byte[] value) {
    addHash(hash(key, value));
  }

  void addHash(long hash) {
    sum += hash;
    records++;
  }

  long hash(byte[] key, byte[] value) {
    crc.reset();
    crc.update(key);
    crc.update(BETWEEN);
    crc.update(value);
    return crc.getValue();
  }

  String json() {
    return "{\"records\":" + records + ",\"digest\":\"" + Long.toHexString(sum) + "\"}";
  }
}
