package eos.bench;

import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Kafka Streams under exactly-once; what is not set here is as the defaults have it. */
final class StreamsApplication {
  private StreamsApplication() {}

  static KafkaStreams create(Topology topology, Options options) {
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, options.text("group"));
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.text("bootstrap"));
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, options.number("commit-interval-ms", 100));
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, options.number("threads", 1));
    config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    config.put(StreamsConfig.STATE_DIR_CONFIG, options.text("state-dir"));
    config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    // Not more than the others': a killed one is waited for.
    config.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 10_000);

    KafkaStreams streams = new KafkaStreams(topology, config);
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    });
    return streams;
  }

  /** Nobody may take an application that has failed for one that is at work. */
  static void endOnError(KafkaStreams.State state) {
    if (state == KafkaStreams.State.ERROR) Runtime.getRuntime().halt(1);
  }
}
