package eos.goldens;

import static eos.goldens.Task.STORE;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.AggregationWithHeaders;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.ValueTimestampHeaders;

/**
 * What each kind of store writes to its changelog for the same few calls: while a record of 1 700 000 000 000 is
 * processed, k → v with the time 1 699 999 980 000 where the call takes one, k → nothing, and k → w and x at one time.
 */
final class Changelogs {
  private static final long RECORD = 1_700_000_000_000L;
  private static final long TIME = 1_699_999_980_000L;
  private static final byte[] KEY = {'k'};
  private static final byte[] V = {'v'};
  private static final byte[] W = {'w'};
  private static final byte[] X = {'x'};
  private static final Serde<byte[]> BYTES = Serdes.ByteArray();
  private static final Duration RETENTION = Duration.ofHours(1);
  private static final Duration SIZE = Duration.ofMinutes(1);

  static Map<String, Object> all() {
    Map<String, Object> goldens = new TreeMap<>();
    goldens.put("keyValue", of(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), BYTES, BYTES),
        (store, headers) -> {
          store.put(KEY, V);
          store.delete(KEY);
          store.put(KEY, W);
          store.put(KEY, X);
        }));
    goldens.put("timestampedKeyValue", of(
        Stores.timestampedKeyValueStoreBuilder(Stores.persistentTimestampedKeyValueStore(STORE), BYTES, BYTES),
        (store, headers) -> {
          store.put(KEY, ValueAndTimestamp.make(V, TIME));
          store.delete(KEY);
          store.put(KEY, ValueAndTimestamp.make(W, TIME));
          store.put(KEY, ValueAndTimestamp.make(X, TIME));
        }));
    goldens.put("timestampedKeyValueWithHeaders", of(
        Stores.timestampedKeyValueStoreWithHeadersBuilder(
            Stores.persistentTimestampedKeyValueStoreWithHeaders(STORE), BYTES, BYTES),
        (store, headers) -> {
          store.put(KEY, ValueTimestampHeaders.make(V, TIME, headers));
          store.delete(KEY);
          store.put(KEY, ValueTimestampHeaders.make(W, TIME, headers));
          store.put(KEY, ValueTimestampHeaders.make(X, TIME, headers));
        }));
    goldens.put("versioned", of(
        Stores.versionedKeyValueStoreBuilder(
            Stores.persistentVersionedKeyValueStore(STORE, RETENTION), BYTES, BYTES),
        (store, headers) -> {
          store.put(KEY, V, TIME);
          store.delete(KEY, TIME);
          store.put(KEY, W, TIME);
          store.put(KEY, X, TIME);
        }));
    goldens.put("versionedTooLate", of(
        Stores.versionedKeyValueStoreBuilder(
            Stores.persistentVersionedKeyValueStore(STORE, RETENTION), BYTES, BYTES),
        (store, headers) -> {
          store.put(KEY, V, TIME);
          store.put(KEY, W, TIME - RETENTION.toMillis() - 1);
        }));
    goldens.put("window", window(false));
    goldens.put("windowRetainingDuplicates", window(true));
    goldens.put("timestampedWindow", of(
        Stores.timestampedWindowStoreBuilder(
            Stores.persistentTimestampedWindowStore(STORE, RETENTION, SIZE, false), BYTES, BYTES),
        (store, headers) -> {
          store.put(KEY, ValueAndTimestamp.make(V, TIME + 7), TIME);
          store.put(KEY, null, TIME);
          store.put(KEY, ValueAndTimestamp.make(W, TIME + 7), TIME);
          store.put(KEY, ValueAndTimestamp.make(X, TIME + 7), TIME);
        }));
    goldens.put("timestampedWindowWithHeaders", of(
        Stores.timestampedWindowStoreWithHeadersBuilder(
            Stores.persistentTimestampedWindowStoreWithHeaders(STORE, RETENTION, SIZE, false), BYTES, BYTES),
        (store, headers) -> {
          store.put(KEY, ValueTimestampHeaders.make(V, TIME + 7, headers), TIME);
          store.put(KEY, null, TIME);
          store.put(KEY, ValueTimestampHeaders.make(W, TIME + 7, headers), TIME);
          store.put(KEY, ValueTimestampHeaders.make(X, TIME + 7, headers), TIME);
        }));
    goldens.put("windowTooLate", of(
        Stores.windowStoreBuilder(Stores.persistentWindowStore(STORE, RETENTION, SIZE, false), BYTES, BYTES),
        (store, headers) -> {
          store.put(KEY, V, TIME);
          store.put(KEY, W, TIME - 2 * RETENTION.toMillis());
        }));
    goldens.put("windowBeforeTheEpoch", of(
        Stores.windowStoreBuilder(Stores.persistentWindowStore(STORE, RETENTION, SIZE, false), BYTES, BYTES),
        (store, headers) -> store.put(KEY, V, -1)));
    Windowed<byte[]> session = new Windowed<>(KEY, new SessionWindow(TIME - 5, TIME));
    goldens.put("session", of(
        Stores.sessionStoreBuilder(Stores.persistentSessionStore(STORE, RETENTION), BYTES, BYTES),
        (store, headers) -> {
          store.put(session, V);
          store.remove(session);
          store.put(session, W);
          store.put(session, X);
        }));
    goldens.put("sessionWithHeaders", of(
        Stores.sessionStoreWithHeadersBuilder(Stores.persistentSessionStoreWithHeaders(STORE, RETENTION), BYTES, BYTES),
        (store, headers) -> {
          store.put(session, AggregationWithHeaders.make(V, headers));
          store.remove(session);
          store.put(session, AggregationWithHeaders.make(W, headers));
          store.put(session, AggregationWithHeaders.make(X, headers));
        }));
    return goldens;
  }

  private static Object window(boolean retainDuplicates) {
    return of(
        Stores.windowStoreBuilder(Stores.persistentWindowStore(STORE, RETENTION, SIZE, retainDuplicates), BYTES, BYTES),
        (store, headers) -> {
          store.put(KEY, V, TIME);
          store.put(KEY, null, TIME);
          store.put(KEY, W, TIME);
          store.put(KEY, X, TIME);
        });
  }

  private static <S extends StateStore> Object of(StoreBuilder<S> store, BiConsumer<S, Headers> work) {
    try (Task<S> task = new Task<>(store)) {
      task.process(RECORD, work);
      return task.changelog();
    }
  }

  private Changelogs() {}
}
