package eos.bench;

import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes to a topic as fast as it can; the first failure is thrown by the next call. */
final class TopicFiller implements AutoCloseable {
  private final String topic;
  private final KafkaProducer<byte[], byte[]> producer;
  private volatile Exception failure;

  TopicFiller(Options options) {
    topic = options.text("topic");
    Properties config = new Properties();
    config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("bootstrap"));
    config.put(ProducerConfig.LINGER_MS_CONFIG, 20);
    config.put(ProducerConfig.BATCH_SIZE_CONFIG, 64 * 1024);
    config.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 64L * 1024 * 1024);
    producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
  }

  void write(byte[] key, byte[] value) throws Exception {
    if (failure != null) throw failure;
    producer.send(new ProducerRecord<>(topic, key, value), (metadata, error) -> {
      if (error != null) failure = error;
    });
  }

  /** Returns when everything is acknowledged. */
  @Override
  public void close() throws Exception {
    producer.close();
    if (failure != null) throw failure;
  }
}
