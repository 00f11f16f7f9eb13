package eos.bench;

import java.nio.charset.StandardCharsets;

/**
 * The numbered records that topics are filled with: about 105 bytes on the wire, keys of 2 to 4 bytes, values of 90. A
 * key's records follow each other in steps of KEYS, so a reader knows which one of a key must come next.
 */
final class LoadRecords {
  private static final int VALUE_BYTES = 90;
  private static final int UPSERT_BYTES = 100;
  private static final int KEYS = 1000;
  /** Odd, so that multiplying by it is a bijection of the integers; 2³² divided by the golden ratio, so that it scatters. */
  private static final int SCATTER = 0x9e3779b1;
  private static final String FILLER = "the quick brown fox jumps over the lazy dog and runs into the deep green wood until night falls ";

  private LoadRecords() {}

  static byte[] key(int i) {
    return bytes("k" + i % KEYS);
  }

  /** Another one for each number, in no order: a store that only ever appends would be measured at its easiest. */
  static byte[] uniqueKey(int i) {
    return bytes(String.format("k%08x", i * SCATTER));
  }

  static String upsertValue(int i) {
    return padded("record-" + i + "-", UPSERT_BYTES);
  }

  static String stringValue(int i) {
    return padded("record-" + i + "-", VALUE_BYTES);
  }

  /** An order of VALUE_BYTES; raising its amount leaves the name as it is, so a raised one may be a byte longer. */
  static String jsonValue(int i, int raise) {
    String head = "{\"id\":" + i + ",\"amount\":" + amount(i) + ",\"name\":\"";
    String name = padded(head, VALUE_BYTES - 2).substring(head.length());
    return "{\"id\":" + i + ",\"amount\":" + (amount(i) + raise) + ",\"name\":\"" + name + "\"}";
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Quarters only, never whole: exact in binary and written the same by every JSON writer, before and after adding 1. */
  private static double amount(int i) {
    return i % 500 + 0.25 * (1 + i % 3);
  }

  private static String padded(String head, int length) {
    return head + FILLER.substring(0, Math.max(0, length - head.length()));
  }
}
