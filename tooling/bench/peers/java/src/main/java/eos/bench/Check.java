package eos.bench;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads a topic read-committed from its beginning to its last stable offset and prints number and digest of the records;
 * with {@code --contents latest} of the last record of each key, which is what a store of them holds.
 */
public final class Check {
  public static void main(String[] arguments) {
    Options options = new Options(arguments);
    Digest digest = new Digest();
    if (options.text("contents", "records").equals("latest")) {
      Map<ByteBuffer, Long> latest = new HashMap<>();
      read(options, entry -> {
        ByteBuffer key = ByteBuffer.wrap(entry.key());
        if (entry.value() == null) latest.remove(key);
        else latest.put(key, digest.hash(entry.key(), entry.value()));
      });
      latest.values().forEach(digest::addHash);
    } else {
      read(options, entry -> digest.add(entry.key(), entry.value()));
    }
    System.out.println(digest.json());
  }

  private static void read(Options options, Consumer<ConsumerRecord<byte[], byte[]>> each) {
    Properties config = new Properties();
    config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("bootstrap"));
    config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);

    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = consumer.partitionsFor(options.text("topic")).stream()
          .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
          .toList();
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      // position() also passes the markers and aborted records behind the last record delivered.
      while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
        for (ConsumerRecord<byte[], byte[]> entry : consumer.poll(Duration.ofMillis(100))) each.accept(entry);
      }
    }
  }
}
