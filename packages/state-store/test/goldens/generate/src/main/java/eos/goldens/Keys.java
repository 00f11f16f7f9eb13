package eos.goldens;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.SessionWindowedSerializer;
import org.apache.kafka.streams.kstream.TimeWindowedSerializer;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.kstream.internals.TimeWindow;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.internals.SessionKeySchema;
import org.apache.kafka.streams.state.internals.ValueAndTimestampSerde;
import org.apache.kafka.streams.state.internals.WindowKeySchema;

/** Keys, the bounds Kafka Streams searches them in, and timestamped values. */
final class Keys {
  private static final long MAX_SAFE_INTEGER = (1L << 53) - 1;
  private static final List<String> KEYS = List.of("", "00", "6b", "6b6579", "6b657900", "00000001", "ff", "ffff", "7f80");
  private static final List<Long> TIMES =
      List.of(0L, 1L, 255L, 2147483648L, 4294967295L, 4294967296L, 1700000000000L, MAX_SAFE_INTEGER);

  static Map<String, Object> all() {
    return Map.of("window", window(), "session", session(), "valueAndTimestamp", valueAndTimestamp());
  }

  private static List<Object> window() {
    WindowKeySchema schema = new WindowKeySchema();
    TimeWindowedSerializer<byte[]> windowed = new TimeWindowedSerializer<>(Serdes.ByteArray().serializer());
    List<Object> goldens = new ArrayList<>();
    for (String hex : KEYS) {
      Bytes key = Bytes.wrap(Hex.parse(hex));
      for (long start : TIMES) {
        int seqnum = start == 0 ? 0 : (int) (start % Integer.MAX_VALUE) + 1;
        Windowed<byte[]> of = new Windowed<>(key.get(), new TimeWindow(start, start + 1));
        goldens.add(Map.of(
            "key", hex,
            "start", start,
            "seqnum", seqnum,
            "bytes", Hex.of(WindowKeySchema.toStoreKeyBinary(key, start, seqnum)),
            "windowed", Hex.of(windowed.serialize("topic", of)),
            "lowerFixed", Hex.of(schema.lowerRangeFixedSize(key, start)),
            "upperFixed", Hex.of(schema.upperRangeFixedSize(key, start)),
            "lower", Hex.of(schema.lowerRange(key, start)),
            "upper", Hex.of(schema.upperRange(key, start))));
      }
    }
    return goldens;
  }

  private static List<Object> session() {
    SessionKeySchema schema = new SessionKeySchema();
    SessionWindowedSerializer<byte[]> windowed = new SessionWindowedSerializer<>(Serdes.ByteArray().serializer());
    List<Object> goldens = new ArrayList<>();
    for (String hex : KEYS) {
      Bytes key = Bytes.wrap(Hex.parse(hex));
      for (long end : TIMES) {
        long start = end / 3;
        Windowed<byte[]> of = new Windowed<>(key.get(), new SessionWindow(start, end));
        goldens.add(Map.of(
            "key", hex,
            "start", start,
            "end", end,
            "bytes", Hex.of(SessionKeySchema.toBinary(key, start, end)),
            "windowed", Hex.of(windowed.serialize("topic", of)),
            "lowerFixed", Hex.of(schema.lowerRangeFixedSize(key, end)),
            "upperFixed", Hex.of(schema.upperRangeFixedSize(key, start)),
            "lower", Hex.of(schema.lowerRange(key, end)),
            "upper", Hex.of(schema.upperRange(key, start))));
      }
    }
    return goldens;
  }

  private static List<Object> valueAndTimestamp() {
    var serializer = new ValueAndTimestampSerde<>(Serdes.ByteArray()).serializer();
    List<Object> goldens = new ArrayList<>();
    for (String value : List.of("", "00", "76616c7565")) {
      for (long timestamp : List.of(-1L, 0L, 4294967296L, 1700000000000L, MAX_SAFE_INTEGER)) {
        byte[] bytes =
            serializer.serialize("topic", new RecordHeaders(), ValueAndTimestamp.make(Hex.parse(value), timestamp));
        goldens.add(Map.of("value", value, "timestamp", timestamp, "bytes", Hex.of(bytes)));
      }
    }
    return goldens;
  }

  private Keys() {}
}
