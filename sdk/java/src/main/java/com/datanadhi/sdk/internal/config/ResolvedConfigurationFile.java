package com.datanadhi.sdk.internal.config;

import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.sdk.internal.json.JsonEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes {@code .config.resolved.json}, which shows people the settings in use. The Python SDK
 * reads this file as its own configuration if it finds it: so the names are those of the Python
 * SDK, and its four {@code log} settings are included.
 */
public final class ResolvedConfigurationFile {
  /** The default of the Python SDK, which has no bound on bytes. */
  private static final int PYTHON_QUEUE_SIZE = 1000;

  private ResolvedConfigurationFile() {}

  /** Replaces the file. It never contains the API key. */
  public static void write(DataNadhiConfiguration configuration) throws IOException {
    Path directory = configuration.directory();
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("server_host", configuration.serverHost().toString());
    values.put("fallback_server_host", configuration.fallbackHost().toString());
    values.put("echopost_disable", configuration.echoPostDisabled());
    int queueSize = configuration.queueSize();
    values.put("async_queue_size", queueSize == 0 ? PYTHON_QUEUE_SIZE : queueSize);
    values.put("async_workers", configuration.workers());
    values.put("async_exit_timeout", configuration.exitTimeout().toMillis() / 1000.0);
    values.putAll(ConfigurationFile.read(directory).logSettings());
    Path temporary = Files.createTempFile(directory, ".config.resolved", ".tmp");
    try {
      Files.writeString(temporary, JsonEncoder.encode(values) + "\n");
      Files.move(
          temporary,
          directory.resolve(".config.resolved.json"),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
