package com.datanadhi.sdk.internal.config;

import com.datanadhi.sdk.Configuration;
import com.datanadhi.sdk.internal.json.JsonEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * {@code .config.resolved.json}: what was made of the configuration, for a person to look at. Its
 * names are the Python SDK's, which takes the file for its own configuration when it finds one, and
 * needs its four {@code log} settings in it.
 */
public final class ResolvedConfigurationFile {
  private ResolvedConfigurationFile() {}

  /** Writes it anew; never the key. */
  public static void write(Configuration configuration) throws IOException {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("server_host", configuration.serverHost().toString());
    values.put("fallback_server_host", configuration.fallbackHost().toString());
    values.put("echopost_disable", configuration.echoPostDisabled());
    values.put("async_queue_size", configuration.queueSize());
    values.put("async_workers", configuration.workers());
    values.put("async_exit_timeout", configuration.exitTimeout().toMillis() / 1000.0);
    values.putAll(ConfigurationFile.logSettings(configuration.directory()));
    Path directory = configuration.directory();
    Path made = Files.createTempFile(directory, ".config.resolved", ".tmp");
    try {
      Files.writeString(made, JsonEncoder.text(values) + "\n");
      Files.move(
          made,
          directory.resolve(".config.resolved.json"),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(made);
    }
  }
}
