package eos.bench;

import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;

/** The exactly-once copy on Kafka Streams: values upper-cased. */
public final class StreamsCopy {
  public static void main(String[] arguments) {
    Options options = new Options(arguments);
    StreamsBuilder builder = new StreamsBuilder();
    KStream<String, String> input = builder.stream(options.text("input"));
    input.mapValues(value -> value.toUpperCase()).to(options.text("output"));

    KafkaStreams streams = StreamsApplication.create(builder.build(), options);
    streams.setStateListener((state, previous) -> StreamsApplication.endOnError(state));
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
