package eos.bench;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Produces at a steady rate to the input and reads the output read-committed; a record's number is its key, so the time
 * from send to arrival is taken on one clock. Records of the warm-up count towards completeness, not towards percentiles.
 * Prints "measuring" when the warm-up is over and the percentiles at the end.
 */
public final class Latency {
  private static final String VALUE = "the quick brown fox jumps over the lazy dog and runs into the deep green wood until nightfall";
  private static final long GRACE_NANOS = 30_000_000_000L;

  private final long[] sentAt;
  private final long[] arrivedAt;
  private final AtomicBoolean failed = new AtomicBoolean();

  private Latency(int records) {
    sentAt = new long[records];
    arrivedAt = new long[records];
  }

  public static void main(String[] arguments) throws Exception {
    Options options = new Options(arguments);
    int rate = options.number("rate");
    int warmup = rate * options.number("warmup-seconds");
    int records = warmup + rate * options.number("seconds");
    new Latency(records).run(options, rate, warmup);
  }

  private void run(Options options, int rate, int warmup) throws Exception {
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(options)) {
      List<TopicPartition> partitions = consumer.partitionsFor(options.text("output")).stream()
          .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
          .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      partitions.forEach(consumer::position);
      Thread producing = new Thread(() -> produce(options, rate, warmup));
      producing.start();
      consume(consumer);
      producing.join();
    }
    print(warmup);
  }

  private void produce(Options options, int rate, int warmup) {
    byte[] value = VALUE.getBytes(StandardCharsets.UTF_8);
    long intervalNanos = 1_000_000_000L / rate;
    try (KafkaProducer<byte[], byte[]> producer = producer(options)) {
      long start = System.nanoTime();
      for (int i = 0; i < sentAt.length && !failed.get(); i++) {
        if (i == warmup) System.out.println("measuring");
        long due = start + i * intervalNanos;
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) LockSupport.parkNanos(left);
        byte[] key = Integer.toString(i).getBytes(StandardCharsets.UTF_8);
        sentAt[i] = System.nanoTime();
        producer.send(new ProducerRecord<>(options.text("input"), key, value), (metadata, error) -> {
          if (error != null) failed.set(true);
        });
      }
    }
  }

  private void consume(KafkaConsumer<byte[], byte[]> consumer) {
    int arrived = 0;
    long lastArrival = System.nanoTime();
    while (arrived < arrivedAt.length && !failed.get() && System.nanoTime() - lastArrival < GRACE_NANOS) {
      for (ConsumerRecord<byte[], byte[]> entry : consumer.poll(Duration.ofMillis(100))) {
        int number = Integer.parseInt(new String(entry.key(), StandardCharsets.UTF_8));
        long now = System.nanoTime();
        if (arrivedAt[number] != 0) throw new IllegalStateException("record " + number + " arrived twice");
        arrivedAt[number] = now;
        lastArrival = now;
        arrived++;
      }
    }
    if (arrived < arrivedAt.length) {
      failed.set(true);
      throw new IllegalStateException(arrived + " of " + arrivedAt.length + " records arrived");
    }
  }

  private void print(int warmup) {
    double[] latencies = new double[arrivedAt.length - warmup];
    for (int i = 0; i < latencies.length; i++) latencies[i] = (arrivedAt[warmup + i] - sentAt[warmup + i]) / 1e6;
    Arrays.sort(latencies);
    System.out.printf(
        "{\"records\":%d,\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"max\":%.2f}%n",
        latencies.length, at(latencies, 0.5), at(latencies, 0.9), at(latencies, 0.99), at(latencies, 1));
  }

  private static double at(double[] sorted, double quantile) {
    return sorted[(int) Math.min(sorted.length - 1L, Math.round(quantile * sorted.length))];
  }

  private static KafkaConsumer<byte[], byte[]> consumer(Options options) {
    Properties config = new Properties();
    config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("bootstrap"));
    config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static KafkaProducer<byte[], byte[]> producer(Options options) {
    Properties config = new Properties();
    config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("bootstrap"));
    config.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
  }
}
