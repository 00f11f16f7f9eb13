package eos.bench;

/** Fills a topic with records of a key each, and prints their number and digest: what a store of them holds. */
public final class LoadUpserts {
  public static void main(String[] arguments) throws Exception {
    Options options = new Options(arguments);
    int records = options.number("records");
    Digest expected = new Digest();
    try (TopicFiller topic = new TopicFiller(options)) {
      for (int i = 0; i < records; i++) {
        byte[] key = LoadRecords.uniqueKey(i);
        byte[] value = LoadRecords.bytes(LoadRecords.upsertValue(i));
        expected.add(key, value);
        topic.write(key, value);
      }
    }
    System.out.println(expected.json());
  }
}
