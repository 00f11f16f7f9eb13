package eos.bench;

import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.Stores;

/**
 * Puts every record of the input into a persistent store with a changelog; no record cache. Prints what was restored
 * once it runs, and at its end number and digest of what the store holds.
 */
public final class StreamsUpsert {
  private static final String STORE = "store";

  public static void main(String[] arguments) {
    Options options = new Options(arguments);
    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.String(), Serdes.ByteArray())
            .withCachingDisabled()
            .withLoggingEnabled(Map.of()));
    builder
        .stream(options.text("input"), Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .process(Upsert::new, STORE);

    KafkaStreams streams = StreamsApplication.create(builder.build(), options);
    RestoreReport report = new RestoreReport();
    streams.setGlobalStateRestoreListener(report);
    streams.setStateListener((state, previous) -> {
      StreamsApplication.endOnError(state);
      if (state == KafkaStreams.State.RUNNING) report.print();
    });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      System.out.println(contents(streams).json());
      streams.close();
    }));
    streams.start();
  }

  private static Digest contents(KafkaStreams streams) {
    Digest digest = new Digest();
    var query = StoreQueryParameters.fromNameAndType(STORE, QueryableStoreTypes.<String, byte[]>keyValueStore());
    try (KeyValueIterator<String, byte[]> entries = streams.store(query).all()) {
      while (entries.hasNext()) {
        KeyValue<String, byte[]> entry = entries.next();
        digest.add(LoadRecords.bytes(entry.key), entry.value);
      }
    }
    return digest;
  }

  private static final class Upsert implements Processor<String, byte[], Void, Void> {
    private KeyValueStore<String, byte[]> store;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      store = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, byte[]> entry) {
      store.put(entry.key(), entry.value());
    }
  }
}
