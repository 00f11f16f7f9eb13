package eos.bench;

import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Plain consume: every key and value read as a string, offsets committed every 100 ms, everything else as the defaults
 * have it. Prints how many records and characters it read once {@code --records} have come.
 */
public final class Consume {
  private static final long COMMIT_NANOS = 100_000_000L;

  public static void main(String[] arguments) {
    Options options = new Options(arguments);
    int records = options.number("records");
    Properties config = new Properties();
    config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("bootstrap"));
    config.put(ConsumerConfig.GROUP_ID_CONFIG, options.text("group"));
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);

    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      Thread consuming = Thread.currentThread();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> {
        consumer.wakeup();
        try {
          consuming.join();
        } catch (InterruptedException ended) {
          Thread.currentThread().interrupt();
        }
      }));
      consumer.subscribe(List.of(options.text("topic")));
      long read = 0;
      long characters = 0;
      long committedAt = System.nanoTime();
      while (true) {
        ConsumerRecords<String, String> batch = consumer.poll(Duration.ofMillis(100));
        for (ConsumerRecord<String, String> entry : batch) {
          characters += entry.key().length() + entry.value().length();
          read++;
        }
        if (System.nanoTime() - committedAt >= COMMIT_NANOS) {
          consumer.commitAsync();
          committedAt = System.nanoTime();
        }
        if (read >= records && !batch.isEmpty()) {
          System.out.printf("{\"records\":%d,\"characters\":%d}%n", read, characters);
        }
      }
    } catch (WakeupException ending) {
      // The shutdown hook waits for the consumer to leave the group.
    }
  }
}
