package eos.goldens;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.test.TestRecord;

/** A task with one store, without a broker: {@link #process} works with the store while a record is being processed. */
final class Task<S extends StateStore> implements AutoCloseable {
  static final String STORE = "store";
  private static final String APPLICATION_ID = "goldens";
  private static final String INPUT = "input";

  private final File stateDir =
      new File(System.getProperty("java.io.tmpdir"), "eos-goldens-state-" + ProcessHandle.current().pid());
  private final TopologyTestDriver driver;
  private BiConsumer<S, Headers> work;

  Task(StoreBuilder<S> store) {
    Topology topology = new Topology();
    topology.addSource("source", new ByteArrayDeserializer(), new ByteArrayDeserializer(), INPUT);
    topology.addProcessor("processor", Work::new, "source");
    topology.addStateStore(store.withCachingDisabled(), "processor");
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION_ID);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "unused:9092");
    config.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.getPath());
    driver = new TopologyTestDriver(topology, config);
  }

  /** @param timestamp of the record being processed, which has the header `trace: 01` */
  void process(long timestamp, BiConsumer<S, Headers> work) {
    this.work = work;
    Headers headers = new RecordHeaders().add("trace", new byte[] {1});
    driver
        .createInputTopic(INPUT, new ByteArraySerializer(), new ByteArraySerializer())
        .pipeInput(new TestRecord<>(null, new byte[0], headers, timestamp));
  }

  List<Object> changelog() {
    List<Object> records = new ArrayList<>();
    driver
        .createOutputTopic(APPLICATION_ID + "-" + STORE + "-changelog", new ByteArrayDeserializer(), new ByteArrayDeserializer())
        .readRecordsToList()
        .forEach(record -> {
          Map<String, Object> golden = new TreeMap<>();
          golden.put("key", Hex.of(record.key()));
          golden.put("value", Hex.of(record.value()));
          golden.put("timestamp", record.timestamp());
          List<Object> headers = new ArrayList<>();
          record.headers().forEach(header -> headers.add(List.of(header.key(), Hex.of(header.value()))));
          golden.put("headers", headers);
          records.add(golden);
        });
    return records;
  }

  @Override
  public void close() {
    driver.close();
    // It has removed what lay in there.
    stateDir.delete();
  }

  private final class Work implements Processor<byte[], byte[], Void, Void> {
    private S store;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      store = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      work.accept(store, record.headers());
    }
  }
}
