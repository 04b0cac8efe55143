package com.datanadhi.hub.cli;

import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The flags of all commands that look at a hub.
final class CommonFlags {
  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The hub's data directory (default: ./hub-data; HUB_DATA).")
  private @Nullable String data;

  @Option(names = "--json", description = "Print JSON, for scripts.")
  private boolean json;

  Path data(Map<String, String> environment) {
    return new ServeFlags(data == null ? Map.of() : Map.of("data", data), environment).data();
  }

  boolean isDataGiven() {
    return data != null;
  }

  boolean json() {
    return json;
  }
}
