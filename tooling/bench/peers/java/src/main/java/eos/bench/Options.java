package eos.bench;

import java.util.HashMap;
import java.util.Map;

/** {@code --name value} pairs; an option that is missing without a fallback ends the program. */
final class Options {
  private final Map<String, String> values = new HashMap<>();

  Options(String[] arguments) {
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      values.put(arguments[i].substring(2), arguments[i + 1]);
    }
  }

  String text(String name) {
    String value = values.get(name);
    if (value == null) throw new IllegalArgumentException("--" + name + " is missing");
    return value;
  }

  String text(String name, String fallback) {
    return values.getOrDefault(name, fallback);
  }

  int number(String name) {
    return Integer.parseInt(text(name));
  }

  int number(String name, int fallback) {
    return Integer.parseInt(text(name, Integer.toString(fallback)));
  }
}
