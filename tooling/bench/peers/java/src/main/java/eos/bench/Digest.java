package eos.bench;

/**
 * A sum of one 64-bit hash per record (FNV-1a over key, a separator and value). Order does not matter, so partitions may
 * be read in any order; a lost, doubled or changed record changes the sum.
 */
final class Digest {
  private long sum;
  private long records;

  void add(byte[] key, byte[] value) {
    long hash = 0xcbf29ce484222325L;
    for (byte b : key) hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
    hash = (hash ^ 0x1ff) * 0x100000001b3L;
    for (byte b : value) hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
    // FNV's low bits are weak in a sum: mix before adding.
    hash ^= hash >>> 32;
    hash *= 0x9e3779b97f4a7c15L;
    sum += hash ^ (hash >>> 29);
    records++;
  }

  long records() {
    return records;
  }

  String json() {
    return "{\"records\":" + records + ",\"digest\":\"" + Long.toHexString(sum) + "\"}";
  }
}
