package eos.goldens;

import java.util.HexFormat;
import org.apache.kafka.common.utils.Bytes;

/** Bytes as they are written in the JSON files. */
final class Hex {
  private static final HexFormat FORMAT = HexFormat.of();

  static String of(byte[] bytes) {
    return bytes == null ? null : FORMAT.formatHex(bytes);
  }

  static String of(Bytes bytes) {
    return bytes == null ? null : of(bytes.get());
  }

  static byte[] parse(String hex) {
    return hex == null ? null : FORMAT.parseHex(hex);
  }

  private Hex() {}
}
