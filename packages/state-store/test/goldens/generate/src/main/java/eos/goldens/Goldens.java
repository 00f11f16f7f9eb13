package eos.goldens;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Path;

/** Asks Kafka Streams what its stores and changelogs hold, and writes it down. Argument: the folder of the JSON files. */
public final class Goldens {
  private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    write(folder.resolve("keys.json"), Keys.all());
    write(folder.resolve("range-reads.json"), RangeReads.all());
    write(folder.resolve("changelogs.json"), Changelogs.all());
    write(folder.resolve("versioned-store.json"), VersionedCalls.all());
  }

  private static void write(Path file, Object content) throws IOException {
    JSON.writeValue(file.toFile(), content);
  }
}
