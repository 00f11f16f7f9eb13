package eos.bench;

import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Fills a topic and prints the number and digest of the records that a correct copy of them holds. */
public final class Load {
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
        byte[] key = LoadRecords.key(i);
        String value = json ? LoadRecords.jsonValue(i, 0) : LoadRecords.stringValue(i);
        String copy = json ? LoadRecords.jsonValue(i, 1) : value.toUpperCase();
        expected.add(key, LoadRecords.bytes(copy));
        producer.send(new ProducerRecord<>(topic, key, LoadRecords.bytes(value)), (metadata, error) -> {
          if (error != null) failure[0] = error;
        });
      }
      producer.flush();
    }
    if (failure[0] != null) throw failure[0];
    System.out.println(expected.json());
  }
}
