package com.datanadhi.sdk.internal.appender;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The settings of a handler or appender in the configuration of its logging library. The key, the
 * hosts and the name of the service can be empty, and then come from elsewhere.
 *
 * @param directory of the SDK's configuration
 * @param pipelines names, separated by commas
 * @param apiKey the API key
 * @param serverHost the URL of the main server
 * @param fallbackHost the URL of the fallback server
 * @param serviceName the name of the application in its records
 * @param maxWaitMillis how long a thread that logs waits at most if the queue is full; if it is 0
 *     or less, not at all
 * @param beforeSend the name of the class of a hook; empty for none
 */
public record AppenderSettings(
    String directory,
    String pipelines,
    String apiKey,
    String serverHost,
    String fallbackHost,
    String serviceName,
    long maxWaitMillis,
    String beforeSend) {
  List<String> pipelineNames() {
    return Arrays.stream(pipelines.split(","))
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .toList();
  }

  /** Those that are not empty, by the keys of a configuration file. */
  Map<String, String> ofClient() {
    Map<String, String> given = new LinkedHashMap<>();
    given.put("api_key", apiKey);
    given.put("server.host", serverHost);
    given.put("server.fallback_host", fallbackHost);
    given.put("service.name", serviceName);
    given.values().removeIf(String::isBlank);
    return given;
  }

  /** Without the API key. */
  @Override
  public String toString() {
    return "AppenderSettings[directory=%s, pipelines=%s, serverHost=%s, fallbackHost=%s, serviceName=%s, maxWaitMillis=%d]"
        .formatted(directory, pipelines, serverHost, fallbackHost, serviceName, maxWaitMillis);
  }
}
