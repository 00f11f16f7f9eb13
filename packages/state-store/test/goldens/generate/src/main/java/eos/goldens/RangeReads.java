package eos.goldens;

import static eos.goldens.Task.STORE;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.Stores;

/** What window and session stores on RocksDB answer to range reads over keys that are easily taken for one another. */
final class RangeReads {
  private static final Serde<byte[]> BYTES = Serdes.ByteArray();
  private static final byte[] VALUE = {'v'};
  private static final long BASE = 1_700_000_100_000L;
  private static final Duration RETENTION = Duration.ofHours(1);
  /** As Stores.persistentWindowStore and persistentSessionStore choose it. */
  private static final long SEGMENT_INTERVAL_MS = 1_800_000;
  private static final List<String> KEYS =
      List.of("00", "0000", "00000001", "0000018b", "00000200", "6b", "6b00", "6b61", "6bff", "7f", "7f80", "ff", "ffff");
  private static final long[] TIMES = {BASE, BASE + 60_000, BASE + 1_800_000, BASE + 3_000_000};

  static Map<String, Object> all() {
    Map<String, Object> goldens = new TreeMap<>();
    goldens.put("segmentIntervalMs", SEGMENT_INTERVAL_MS);
    goldens.put("window", window());
    goldens.put("session", session());
    return goldens;
  }

  private static Object window() {
    var builder = Stores.windowStoreBuilder(
        Stores.persistentWindowStore(STORE, RETENTION, Duration.ofMinutes(1), false), BYTES, BYTES);
    List<Object> writes = new ArrayList<>();
    List<Object> reads = new ArrayList<>();
    try (var task = new Task<>(builder)) {
      task.process(BASE, (store, headers) -> {
        for (String key : KEYS) {
          for (long time : TIMES) {
            store.put(Hex.parse(key), VALUE, time);
            writes.add(List.of(key, time));
          }
        }
        for (long[] times : pairs()) {
          for (String key : KEYS) {
            try (var iterator = store.fetch(Hex.parse(key), times[0], times[1])) {
              List<Object> found = new ArrayList<>();
              iterator.forEachRemaining(entry -> found.add(List.of(key, entry.key)));
              reads.add(read(key, key, times, found));
            }
          }
          for (String[] keys : ranges()) {
            reads.add(read(keys[0], keys[1], times, windows(
                store.fetch(Hex.parse(keys[0]), Hex.parse(keys[1]), times[0], times[1]))));
          }
        }
      });
    }
    return Map.of("writes", writes, "reads", reads);
  }

  private static Object session() {
    var builder = Stores.sessionStoreBuilder(Stores.persistentSessionStore(STORE, RETENTION), BYTES, BYTES);
    List<Object> writes = new ArrayList<>();
    List<Object> reads = new ArrayList<>();
    try (var task = new Task<>(builder)) {
      task.process(BASE, (store, headers) -> {
        for (String key : KEYS) {
          for (int end = 0; end < TIMES.length; end++) {
            long start = TIMES[end] - 50_000L * (end + 1);
            store.put(new Windowed<>(Hex.parse(key), new SessionWindow(start, TIMES[end])), VALUE);
            writes.add(List.of(key, start, TIMES[end]));
          }
        }
        for (long[] times : pairs()) {
          for (String key : KEYS) {
            reads.add(read(key, key, times, sessions(store.findSessions(Hex.parse(key), times[0], times[1]))));
          }
          for (String[] keys : ranges()) {
            reads.add(read(keys[0], keys[1], times, sessions(
                store.findSessions(Hex.parse(keys[0]), Hex.parse(keys[1]), times[0], times[1]))));
          }
        }
      });
    }
    return Map.of("writes", writes, "reads", reads);
  }

  private static List<long[]> pairs() {
    return List.of(
        new long[] {0, BASE + 3_600_000},
        new long[] {BASE, BASE},
        new long[] {BASE + 1, BASE + 1_800_000},
        new long[] {BASE + 1_800_000, BASE + 2_999_999});
  }

  private static List<String[]> ranges() {
    return List.of(
        new String[] {null, null},
        new String[] {null, "00000001"},
        new String[] {"00", "0000018b"},
        new String[] {"00", "6b"},
        new String[] {"6b", "6bff"},
        new String[] {"6b00", "7f80"},
        new String[] {"6b61", null},
        new String[] {"7f", "ff"},
        new String[] {"ff", "ffff"});
  }

  private static List<Object> windows(KeyValueIterator<Windowed<byte[]>, byte[]> entries) {
    List<Object> found = new ArrayList<>();
    try (entries) {
      entries.forEachRemaining(entry -> found.add(List.of(Hex.of(entry.key.key()), entry.key.window().start())));
    }
    return found;
  }

  private static List<Object> sessions(KeyValueIterator<Windowed<byte[]>, byte[]> entries) {
    List<Object> found = new ArrayList<>();
    try (entries) {
      entries.forEachRemaining(entry ->
          found.add(List.of(Hex.of(entry.key.key()), entry.key.window().start(), entry.key.window().end())));
    }
    return found;
  }

  private static Object read(String keyFrom, String keyTo, long[] times, List<Object> found) {
    Map<String, Object> read = new TreeMap<>();
    read.put("keyFrom", keyFrom);
    read.put("keyTo", keyTo);
    read.put("times", Arrays.stream(times).boxed().toList());
    read.put("found", found);
    return read;
  }

  private RangeReads() {}
}
