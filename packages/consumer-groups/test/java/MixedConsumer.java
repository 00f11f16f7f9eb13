// A plain Java consumer that prints each assignment as a line of JSON, and leaves its group on SIGTERM.
//
//   java -cp '<folder with kafka-clients-4.3.1.jar and its dependencies>/*' MixedConsumer.java --bootstrap-server <servers> <group> <assignor class> <topic,topic…>
import java.time.Duration;
import java.util.*;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class MixedConsumer {
  public static void main(String[] args) throws Exception {
    Map<String, Object> config = Map.of(
        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, args[1],
        ConsumerConfig.GROUP_ID_CONFIG, args[2],
        ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, args[3],
        ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 50,
        ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 10_000,
        ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    Thread main = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      consumer.wakeup();
      try {
        main.join();
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
      }
    }));
    consumer.subscribe(List.of(args[4].split(",")), new ConsumerRebalanceListener() {
      @Override
      public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

      @Override
      public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        String list = partitions.stream().map(p -> "{\"topic\":\"" + p.topic() + "\",\"partition\":" + p.partition() + "}").collect(Collectors.joining(","));
        ConsumerGroupMetadata group = consumer.groupMetadata();
        System.out.println("{\"memberId\":\"" + group.memberId() + "\",\"generationId\":" + group.generationId() + ",\"partitions\":[" + list + "]}");
      }
    });
    try {
      while (true) consumer.poll(Duration.ofSeconds(1));
    } catch (WakeupException stopped) {
      consumer.close();
    }
  }
}
