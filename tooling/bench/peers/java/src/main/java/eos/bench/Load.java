package eos.bench;

import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Fills a topic with records of about 105 bytes on the wire (keys of 2 to 4 bytes, values of 90 bytes) and prints the
 * number and digest of the records that a correct copy of them holds.
 */
public final class Load {
  private static final int VALUE_BYTES = 90;
  private static final int KEYS = 1000;
  private static final String FILLER = "the quick brown fox jumps over the lazy dog and runs into the deep green wood until night falls ";

  public static void main(String[] arguments) throws Exception {
    Options options = new Options(arguments);
    String topic = options.text("topic");
    int records = options.number("records");
    boolean json = options.text("serde", "string").equals("json");

    Properties config = new Properties();
    config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("bootstrap"));
    config.put(ProducerConfig.LINGER_MS_CONFIG, 20);
    config.put(ProducerConfig.BATCH_SIZE_CONFIG, 64 * 1024);
    config.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 64L * 1024 * 1024);

    Digest expected = new Digest();
    Exception[] failure = new Exception[1];
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < records && failure[0] == null; i++) {
        byte[] key = bytes("k" + i % KEYS);
        String value = json ? jsonValue(i, 0) : stringValue(i);
        expected.add(key, bytes(json ? jsonValue(i, 1) : value.toUpperCase()));
        producer.send(new ProducerRecord<>(topic, key, bytes(value)), (metadata, error) -> {
          if (error != null) failure[0] = error;
        });
      }
      producer.flush();
    }
    if (failure[0] != null) throw failure[0];
    System.out.println(expected.json());
  }

  private static String stringValue(int i) {
    return padded("record-" + i + "-", VALUE_BYTES);
  }

  /** An order of VALUE_BYTES; raising its amount leaves the name as it is, so a raised one may be a byte longer. */
  private static String jsonValue(int i, int raise) {
    String head = "{\"id\":" + i + ",\"amount\":" + amount(i) + ",\"name\":\"";
    String name = padded(head, VALUE_BYTES - 2).substring(head.length());
    return "{\"id\":" + i + ",\"amount\":" + (amount(i) + raise) + ",\"name\":\"" + name + "\"}";
  }

  /** Quarters only, never whole: exact in binary and written the same by every JSON writer, before and after adding 1. */
  private static double amount(int i) {
    return i % 500 + 0.25 * (1 + i % 3);
  }

  private static String padded(String head, int length) {
    return head + FILLER.substring(0, Math.max(0, length - head.length()));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
