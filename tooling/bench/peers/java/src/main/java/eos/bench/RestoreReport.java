package eos.bench;

import java.util.Locale;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * What was restored from the changelog, and how long it took from the first partition's start to the last one's end.
 * Prints {@code restoring} when it begins.
 */
final class RestoreReport implements StateRestoreListener {
  private long startedAtNanos;
  private long endedAtNanos;
  private long restored;

  @Override
  public synchronized void onRestoreStart(TopicPartition partition, String store, long startingOffset, long endingOffset) {
    if (startedAtNanos != 0) return;
    startedAtNanos = System.nanoTime();
    System.out.println("restoring");
  }

  @Override
  public void onBatchRestored(TopicPartition partition, String store, long batchEndOffset, long numRestored) {}

  @Override
  public synchronized void onRestoreEnd(TopicPartition partition, String store, long totalRestored) {
    endedAtNanos = System.nanoTime();
    restored += totalRestored;
  }

  synchronized void print() {
    System.out.printf(Locale.ROOT, "{\"restored\":%d,\"restoreMs\":%.3f}%n", restored, (endedAtNanos - startedAtNanos) / 1e6);
  }
}
