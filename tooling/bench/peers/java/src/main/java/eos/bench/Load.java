package eos.bench;

/** Fills a topic and prints the number and digest of the records that a correct copy of them holds. */
public final class Load {
  public static void main(String[] arguments) throws Exception {
    Options options = new Options(arguments);
    int records = options.number("records");
    boolean json = options.text("serde", "string").equals("json");

    Digest expected = new Digest();
    try (TopicFiller topic = new TopicFiller(options)) {
      for (int i = 0; i < records; i++) {
        byte[] key = LoadRecords.key(i);
        String value = json ? LoadRecords.jsonValue(i, 0) : LoadRecords.stringValue(i);
        String copy = json ? LoadRecords.jsonValue(i, 1) : value.toUpperCase();
        expected.add(key, LoadRecords.bytes(copy));
        topic.write(key, LoadRecords.bytes(value));
      }
    }
    System.out.println(expected.json());
  }
}
