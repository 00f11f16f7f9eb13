package eos.bench;

import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes records to a topic at a steady rate, numbered on from {@code --from}, until it is told to end. */
public final class Feed {
  private static volatile boolean isEnding;

  public static void main(String[] arguments) throws Exception {
    Options options = new Options(arguments);
    String topic = options.text("topic");
    int rate = options.number("rate");
    Properties config = new Properties();
    config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("bootstrap"));
    config.put(ProducerConfig.LINGER_MS_CONFIG, 5);
    Thread feeding = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      isEnding = true;
      try {
        feeding.join();
      } catch (InterruptedException ended) {
        Thread.currentThread().interrupt();
      }
    }));

    Exception[] failure = new Exception[1];
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      long start = System.nanoTime();
      int from = options.number("from", 0);
      for (int sent = 0; !isEnding && failure[0] == null; sent++) {
        long due = start + sent * 1_000_000_000L / rate;
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) LockSupport.parkNanos(left);
        int i = from + sent;
        byte[] value = LoadRecords.bytes(LoadRecords.stringValue(i));
        producer.send(new ProducerRecord<>(topic, LoadRecords.key(i), value), (metadata, error) -> {
          if (error != null) failure[0] = error;
        });
      }
    }
    if (failure[0] != null) throw failure[0];
  }
}
