package com.datanadhi.sdk.internal.config;

import com.datanadhi.sdk.ConfigurationException;
import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.sdk.EchoPostMode;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Builds a configuration from all sources of settings. */
public final class ConfigurationLoader {
  private ConfigurationLoader() {}

  /**
   * Builds the configuration for {@code directory}.
   *
   * @param ofAppender settings of the configuration of a logging library, by their keys
   * @throws ConfigurationException if a value is invalid, the file cannot be read or has an unknown
   *     key, or there is no API key
   */
  public static DataNadhiConfiguration load(
      Path directory, Map<String, String> environment, Map<String, String> ofAppender) {
    Settings settings =
        new Settings(
            System::getProperty, environment, ofAppender, ConfigurationFile.read(directory));
    DataNadhiConfiguration.Builder builder = DataNadhiConfiguration.builder(directory);
    builder.apiKey(settings.outsideFile("api_key", "DATANADHI_API_KEY"));
    settings.apply(
        "server.host", "DATANADHI_SERVER_HOST", value -> builder.serverHost(value.text()));
    settings.apply(
        "server.fallback_host",
        "DATANADHI_FALLBACK_SERVER_HOST",
        value -> builder.fallbackHost(value.text()));
    settings.apply(
        "echopost.mode", "DATANADHI_ECHOPOST_MODE", value -> builder.echoPostMode(mode(value)));
    settings.apply(
        "echopost.disable",
        "DATANADHI_ECHOPOST_DISABLE",
        value -> {
          // Whatever the mode is: this setting is older, and SDKs for all languages have it.
          if (value.flag()) {
            builder.echoPostMode(EchoPostMode.NEVER);
          }
        });
    settings.apply(
        "echopost.download_url",
        "DATANADHI_ECHOPOST_DOWNLOAD_URL",
        value -> builder.downloadUrl(value.text()));
    settings.apply(
        "async.queue_bytes", "DATANADHI_QUEUE_BYTES", value -> builder.queueBytes(value.number()));
    settings.apply(
        "async.queue_size", "DATANADHI_QUEUE_SIZE", value -> builder.queueSize(value.number()));
    settings.apply("async.workers", "DATANADHI_WORKERS", value -> builder.workers(value.number()));
    settings.apply(
        "async.exit_timeout",
        "DATANADHI_EXIT_TIMEOUT",
        value -> builder.exitTimeout(value.seconds()));
    settings.apply(
        "async.batch_size", "DATANADHI_BATCH_SIZE", value -> builder.batchSize(value.number()));
    settings.apply(
        "async.batch_bytes", "DATANADHI_BATCH_BYTES", value -> builder.batchBytes(value.number()));
    settings.apply(
        "async.batch_delay", "DATANADHI_BATCH_DELAY", value -> builder.batchDelay(value.seconds()));
    settings.apply(
        "async.max_record_bytes",
        "DATANADHI_MAX_RECORD_BYTES",
        value -> builder.maxRecordBytes(value.number()));
    settings.apply(
        "dropped.redeliver",
        "DATANADHI_DROPPED_REDELIVER",
        value -> builder.redeliverAutomatically(value.flag()));
    settings.apply(
        "dropped.max_bytes",
        "DATANADHI_DROPPED_MAX_BYTES",
        value -> builder.droppedMaxBytes(value.number()));
    settings.apply(
        "dropped.max_age",
        "DATANADHI_DROPPED_MAX_AGE",
        value -> builder.droppedMaxAge(value.seconds()));
    settings.apply("tls.ca_file", "DATANADHI_TLS_CA_FILE", value -> builder.caFile(value.text()));
    settings.apply("proxy.url", "DATANADHI_PROXY_URL", value -> builder.proxy(value.text()));
    settings.apply(
        "proxy.no_proxy", "DATANADHI_PROXY_NO_PROXY", value -> builder.noProxy(value.text()));
    serviceNameOfOpenTelemetry(environment).ifPresent(builder::serviceName);
    settings.apply(
        "service.name", "DATANADHI_SERVICE_NAME", value -> builder.serviceName(value.text()));
    settings.apply(
        "resource.disable",
        "DATANADHI_RESOURCE_DISABLE",
        value -> builder.resourceDisabled(value.flag()));
    settings.requireNoOthers();
    return builder.build();
  }

  private static EchoPostMode mode(Settings.Value value) {
    return switch (value.text().strip().toLowerCase(Locale.ROOT)) {
      case "auto" -> EchoPostMode.AUTO;
      case "only-if-present" -> EchoPostMode.ONLY_IF_PRESENT;
      case "never" -> EchoPostMode.NEVER;
      default ->
          throw new ConfigurationException(
              ": \"" + value.text() + "\" is not auto, only-if-present or never");
    };
  }

  /** The name of the service as far as it does not come from the file, which may be invalid. */
  public static Optional<String> serviceName(
      Map<String, String> environment, Map<String, String> ofAppender) {
    Settings settings =
        new Settings(System::getProperty, environment, ofAppender, ConfigurationFile.none());
    String own = settings.outsideFile("service.name", "DATANADHI_SERVICE_NAME");
    return own.isBlank() ? serviceNameOfOpenTelemetry(environment) : Optional.of(own.strip());
  }

  /** The name that OpenTelemetry's SDK would take; there an empty value counts as none. */
  private static Optional<String> serviceNameOfOpenTelemetry(Map<String, String> environment) {
    return Stream.of(
            System.getProperty("otel.service.name", ""),
            environment.getOrDefault("OTEL_SERVICE_NAME", ""))
        .filter(name -> !name.isBlank())
        .findFirst();
  }
}
