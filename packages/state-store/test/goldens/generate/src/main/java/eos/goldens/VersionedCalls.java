package eos.goldens;

import static eos.goldens.Task.STORE;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.query.MultiVersionedKeyQuery;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;

/**
 * Arbitrary calls of a versioned store, the same ones each time, and what it returned: of a record its value and
 * timestamp, since the store says up to when it is valid for a query only, which is asked at the end.
 */
final class VersionedCalls {
  private static final Serde<byte[]> BYTES = Serdes.ByteArray();
  private static final long HISTORY_RETENTION_MS = 100;
  private static final long SEGMENT_INTERVAL_MS = 30;
  private static final int CALLS = 600;

  static Map<String, Object> all() {
    var builder = Stores.versionedKeyValueStoreBuilder(
        Stores.persistentVersionedKeyValueStore(
            STORE, Duration.ofMillis(HISTORY_RETENTION_MS), Duration.ofMillis(SEGMENT_INTERVAL_MS)),
        BYTES,
        BYTES);
    List<Object> calls = new ArrayList<>();
    Map<String, Object> histories = new TreeMap<>();
    try (var task = new Task<>(builder)) {
      task.process(0, (store, headers) -> {
        Random random = new Random(42);
        long streamTime = 1_000;
        for (int call = 0; call < CALLS; call++) {
          byte[] key = {(byte) ('a' + random.nextInt(3))};
          long timestamp = streamTime - 110 + random.nextInt(130);
          int what = random.nextInt(10);
          if (what < 5) streamTime = Math.max(streamTime, timestamp);
          byte[] value = {(byte) call, (byte) (call >> 8)};
          calls.add(switch (what) {
            case 0, 1, 2 -> put(store, key, value, timestamp);
            case 3 -> put(store, key, null, timestamp);
            case 4 -> call("delete", key, null, timestamp, record(store.delete(key, timestamp)));
            case 5 -> call("get", key, null, null, record(store.get(key)));
            default -> call("getAsOf", key, null, timestamp, record(store.get(key, timestamp)));
          });
        }
        for (byte key = 'a'; key < 'd'; key++) {
          histories.put(Hex.of(new byte[] {key}), history(store, new byte[] {key}, streamTime - HISTORY_RETENTION_MS));
        }
      });
    }
    return Map.of("historyRetentionMs", HISTORY_RETENTION_MS, "calls", calls, "histories", histories);
  }

  /** All that is valid at a time from {@code from} on, newest first. */
  private static List<Object> history(VersionedKeyValueStore<byte[], byte[]> store, byte[] key, long from) {
    var query = MultiVersionedKeyQuery.<byte[], byte[]>withKey(key)
        .fromTime(Instant.ofEpochMilli(from))
        .withDescendingTimestamps();
    List<Object> history = new ArrayList<>();
    try (var versions = store.query(query, PositionBound.unbounded(), new QueryConfig(false)).getResult()) {
      versions.forEachRemaining(version -> history.add(
          Arrays.asList(Hex.of(version.value()), version.timestamp(), version.validTo().orElse(null))));
    }
    return history;
  }

  private static Object put(VersionedKeyValueStore<byte[], byte[]> store, byte[] key, byte[] value, long timestamp) {
    long validTo = store.put(key, value, timestamp);
    return call("put", key, value, timestamp, validTo == VersionedKeyValueStore.PUT_RETURN_CODE_NOT_PUT ? "not put" : validTo);
  }

  private static Object record(VersionedRecord<byte[]> record) {
    if (record == null) return null;
    return List.of(Hex.of(record.value()), record.timestamp());
  }

  private static Object call(String name, byte[] key, byte[] value, Long timestamp, Object returned) {
    Map<String, Object> call = new TreeMap<>();
    call.put("call", name);
    call.put("key", Hex.of(key));
    call.put("value", Hex.of(value));
    call.put("timestamp", timestamp);
    call.put("returned", returned);
    return call;
  }

  private VersionedCalls() {}
}
