package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigurationTest {
  private static final Map<String, String> KEY = Map.of("DATANADHI_API_KEY", "secret-key");

  @TempDir Path directory;

  private void file(String name, String content) throws IOException {
    Files.writeString(directory.resolve(name), content);
  }

  private static Map<String, String> with(String name, String value) {
    Map<String, String> environment = new HashMap<>(KEY);
    environment.put(name, value);
    return environment;
  }

  @Test
  void every_setting_except_the_key_has_a_default() {
    DataNadhiConfiguration configuration = DataNadhiConfiguration.load(directory, KEY);
    assertThat(configuration.apiKey()).isEqualTo("secret-key");
    assertThat(configuration.serverHost()).isEqualTo(URI.create("http://data-nadhi-server:5000"));
    assertThat(configuration.fallbackHost())
        .isEqualTo(URI.create("http://datanadhi-fallback-server:5001"));
    assertThat(configuration.echoPostDisabled()).isFalse();
    assertThat(configuration.queueBytes()).isEqualTo(16 << 20);
    assertThat(configuration.queueSize()).isZero();
    assertThat(configuration.workers()).isEqualTo(2);
    assertThat(configuration.exitTimeout()).isEqualTo(Duration.ofSeconds(5));
    assertThat(configuration.batchSize()).isEqualTo(500);
    assertThat(configuration.batchBytes()).isEqualTo(1 << 20);
    assertThat(configuration.batchDelay()).isEqualTo(Duration.ofMillis(50));
    assertThat(configuration.maxRecordBytes()).isEqualTo(1 << 20);
    assertThat(configuration.redeliverAutomatically()).isTrue();
    assertThat(configuration.droppedMaxBytes()).isEqualTo(1 << 30);
    assertThat(configuration.droppedMaxAge()).isEqualTo(Duration.ofDays(30));
    assertThat(configuration.serviceName()).isEmpty();
    assertThat(configuration.resourceDisabled()).isFalse();

    assertThatThrownBy(() -> DataNadhiConfiguration.load(directory, Map.of()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("DATANADHI_API_KEY");
  }

  @Test
  void the_environment_overrides_the_file_and_the_file_overrides_the_default() throws Exception {
    file(
        "config.yaml",
        "async:\n  workers: 3\n  queue_size: 60\nserver:\n  host: http://from-file:1/\n");
    Map<String, String> environment = with("DATANADHI_WORKERS", "7");
    environment.put("DATANADHI_ECHOPOST_DISABLE", "true");
    environment.put("DATANADHI_QUEUE_SIZE", "50");
    environment.put("DATANADHI_QUEUE_BYTES", "65536");
    environment.put("DATANADHI_EXIT_TIMEOUT", "0.5");
    environment.put("DATANADHI_BATCH_SIZE", "100");
    environment.put("DATANADHI_BATCH_BYTES", "65536");
    environment.put("DATANADHI_BATCH_DELAY", "0.01");
    environment.put("DATANADHI_MAX_RECORD_BYTES", "2048");
    environment.put("DATANADHI_DROPPED_REDELIVER", "false");
    environment.put("DATANADHI_DROPPED_MAX_BYTES", "1048576");
    environment.put("DATANADHI_DROPPED_MAX_AGE", "3600");
    DataNadhiConfiguration configuration = DataNadhiConfiguration.load(directory, environment);
    assertThat(configuration.workers()).isEqualTo(7);
    assertThat(configuration.echoPostDisabled()).isTrue();
    assertThat(configuration.queueSize()).isEqualTo(50);
    assertThat(configuration.queueBytes()).isEqualTo(65_536);
    assertThat(configuration.exitTimeout()).isEqualTo(Duration.ofMillis(500));
    assertThat(configuration.batchSize()).isEqualTo(100);
    assertThat(configuration.batchBytes()).isEqualTo(65_536);
    assertThat(configuration.batchDelay()).isEqualTo(Duration.ofMillis(10));
    assertThat(configuration.maxRecordBytes()).isEqualTo(2_048);
    assertThat(configuration.redeliverAutomatically()).isFalse();
    assertThat(configuration.droppedMaxBytes()).isEqualTo(1 << 20);
    assertThat(configuration.droppedMaxAge()).isEqualTo(Duration.ofHours(1));
    assertThat(configuration.serverHost()).isEqualTo(URI.create("http://from-file:1"));
  }

  @Test
  void the_name_of_the_service_is_that_of_opentelemetry_unless_the_sdk_has_one() throws Exception {
    Map<String, String> environment = with("OTEL_SERVICE_NAME", "shop");
    assertThat(DataNadhiConfiguration.load(directory, environment).serviceName()).contains("shop");
    environment.put("OTEL_SERVICE_NAME", "");
    assertThat(DataNadhiConfiguration.load(directory, environment).serviceName()).isEmpty();
    environment.put("OTEL_SERVICE_NAME", "shop");
    file("config.yml", "service: {name: checkout}\nresource: {disable: true}");
    assertThat(DataNadhiConfiguration.load(directory, environment).serviceName())
        .contains("checkout");
    environment.put("DATANADHI_SERVICE_NAME", "orders");
    environment.put("DATANADHI_RESOURCE_DISABLE", "false");
    DataNadhiConfiguration configuration = DataNadhiConfiguration.load(directory, environment);
    assertThat(configuration.serviceName()).contains("orders");
    assertThat(configuration.resourceDisabled()).isFalse();
    assertThat(configuration.toBuilder().build().serviceName()).contains("orders");
    environment.put("DATANADHI_SERVICE_NAME", " ");
    assertThatThrownBy(() -> DataNadhiConfiguration.load(directory, environment))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("environment: DATANADHI_SERVICE_NAME: the value is empty");
  }

  @Test
  void a_system_property_overrides_the_environment() {
    System.setProperty("datanadhi.async.workers", "9");
    System.setProperty("datanadhi.api_key", "from-property");
    try {
      DataNadhiConfiguration configuration =
          DataNadhiConfiguration.load(directory, with("DATANADHI_WORKERS", "7"));
      assertThat(configuration.workers()).isEqualTo(9);
      assertThat(configuration.apiKey()).isEqualTo("from-property");
      System.setProperty("datanadhi.async.workers", "x");
      assertThatThrownBy(() -> DataNadhiConfiguration.load(directory, KEY))
          .hasMessageStartingWith("system property: datanadhi.async.workers: \"x\"");
    } finally {
      System.clearProperty("datanadhi.async.workers");
      System.clearProperty("datanadhi.api_key");
    }
  }

  @Test
  void system_properties_set_the_bounds_of_memory_and_files() {
    Map<String, String> properties =
        Map.of(
            "datanadhi.async.queue_bytes", "70000",
            "datanadhi.dropped.redeliver", "false",
            "datanadhi.dropped.max_bytes", "2000000",
            "datanadhi.dropped.max_age", "90");
    properties.forEach(System::setProperty);
    try {
      DataNadhiConfiguration configuration = DataNadhiConfiguration.load(directory, KEY);
      assertThat(configuration.queueBytes()).isEqualTo(70_000);
      assertThat(configuration.redeliverAutomatically()).isFalse();
      assertThat(configuration.droppedMaxBytes()).isEqualTo(2_000_000);
      assertThat(configuration.droppedMaxAge()).isEqualTo(Duration.ofSeconds(90));
    } finally {
      properties.keySet().forEach(System::clearProperty);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "async: {worker: 1} | async.worker",
        "server: {hosts: 'http://x'} | server.hosts",
        "asynch: {workers: 1} | asynch",
        "workers: 1 | workers",
        "log: {levels: INFO} | log.levels",
        "async: 5 | async",
      })
  void an_unknown_key_is_an_error(String yaml, String key) throws Exception {
    file("config.yml", yaml);
    assertThatThrownBy(() -> DataNadhiConfiguration.load(directory, KEY))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("config.yml: " + key + " is not a setting")
        .hasMessageContaining("async.workers");
  }

  @Test
  void keys_of_other_sdks_and_empty_groups_are_no_errors() throws Exception {
    file("config.yml", "log: {level: DEBUG, stack_level: 1}\nasync:\nserver: {}\n");
    assertThat(DataNadhiConfiguration.load(directory, KEY).workers()).isEqualTo(2);
  }

  @Test
  void a_builder_begins_with_the_values_of_a_configuration() {
    DataNadhiConfiguration configuration =
        DataNadhiConfiguration.builder(directory)
            .apiKey("key")
            .serverHost("http://main:1")
            .fallbackHost("http://fallback:2")
            .echoPostDisabled(true)
            .downloadUrl("http://downloads:3")
            .queueBytes(100_000)
            .queueSize(50)
            .workers(3)
            .exitTimeout(Duration.ofSeconds(1))
            .batchSize(7)
            .batchBytes(2_000)
            .batchDelay(Duration.ofMillis(1))
            .maxRecordBytes(3_000)
            .redeliverAutomatically(false)
            .droppedMaxBytes(2_000_000)
            .droppedMaxAge(Duration.ofDays(1))
            .build();
    assertThat(configuration.toBuilder().build())
        .usingRecursiveComparison()
        .isEqualTo(configuration);
    assertThat(configuration.toBuilder().workers(4).build().workers()).isEqualTo(4);
  }

  @Test
  void the_key_is_not_read_from_the_file() throws Exception {
    file("config.yml", "api_key: from-file\nserver:\n  api_key: from-file\n");
    assertThatThrownBy(() -> DataNadhiConfiguration.load(directory, Map.of()))
        .isInstanceOf(ConfigurationException.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "async: {workers: many} | async.workers | many",
        "async: {workers: 0} | async.workers | 0",
        "async: {queue_size: 5} | async.queue_size | 5",
        "async: {queue_bytes: 65535} | async.queue_bytes | 65535",
        "dropped: {redeliver: often} | dropped.redeliver | often",
        "dropped: {max_bytes: 1000} | dropped.max_bytes | 1000",
        "dropped: {max_age: 59} | dropped.max_age | PT59S",
        "async: {exit_timeout: soon} | async.exit_timeout | soon",
        "async: {exit_timeout: .nan} | async.exit_timeout | NaN",
        "async: {exit_timeout: .inf} | async.exit_timeout | Infinity",
        "async: {exit_timeout: 5d} | async.exit_timeout | 5d",
        "async: {exit_timeout: 1e300} | async.exit_timeout | is out of range",
        "async: {batch_size: 0} | async.batch_size | 0",
        "async: {batch_size: 1001} | async.batch_size | 1001",
        "async: {batch_bytes: 1000} | async.batch_bytes | 1000",
        "async: {batch_bytes: 5000000} | async.batch_bytes | 5000000",
        "async: {max_record_bytes: 1023} | async.max_record_bytes | 1023",
        "async: {max_record_bytes: 16777217} | async.max_record_bytes | 16777217",
        "async: {batch_delay: 2} | async.batch_delay | PT2S",
        "async: {batch_delay: -1} | async.batch_delay | PT-1S",
        "async: {exit_timeout: -1} | async.exit_timeout | -1",
        "server: {host: 'ftp://x'} | server.host | ftp://x",
        "server: {fallback_host: 'not a url'} | server.fallback_host | not a url",
        "echopost: {disable: maybe} | echopost.disable | maybe",
      })
  void the_error_for_an_invalid_value_names_the_file_and_the_key(
      String yaml, String key, String value) throws Exception {
    file("config.yml", yaml);
    assertThatThrownBy(() -> DataNadhiConfiguration.load(directory, KEY))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(directory.resolve("config.yml").toString())
        .hasMessageContaining(key)
        .hasMessageContaining(value.startsWith("-") ? "PT-1S" : value);
  }

  @Test
  void an_error_names_the_environment_variable_or_the_file() throws Exception {
    assertThatThrownBy(() -> DataNadhiConfiguration.load(directory, with("DATANADHI_WORKERS", "x")))
        .hasMessageContaining("environment: DATANADHI_WORKERS")
        .hasMessageContaining("\"x\"");
    file("config.yml", "a: [");
    assertThatThrownBy(() -> DataNadhiConfiguration.load(directory, KEY))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("config.yml");
  }

  @Test
  void the_error_for_an_invalid_key_does_not_contain_the_key() {
    assertThatThrownBy(() -> DataNadhiConfiguration.builder(directory).apiKey("se\ncret"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("DATANADHI_API_KEY")
        .message()
        .doesNotContain("cret ");
    assertThatThrownBy(() -> DataNadhiConfiguration.builder(directory).build())
        .isInstanceOf(ConfigurationException.class);
  }

  @Test
  void the_resolved_configuration_is_written_without_the_key() throws Exception {
    file("config.yml", "async: {workers: 1}\nlog: {level: DEBUG}\nechopost: {disable: true}\n");
    DataNadhiConfiguration configuration = DataNadhiConfiguration.load(directory, KEY);
    DataNadhi.open(configuration).close();
    String resolved = Files.readString(directory.resolve(".config.resolved.json"));
    JsonObject values = JsonParser.parseString(resolved).getAsJsonObject();
    assertThat(values.get("async_workers").getAsInt()).isEqualTo(1);
    // A queue without a bound would be the Python SDK's, which has none on bytes.
    assertThat(values.get("async_queue_size").getAsInt()).isEqualTo(1000);
    assertThat(values.get("server_host").getAsString()).isEqualTo("http://data-nadhi-server:5000");
    // The Python SDK needs these names.
    assertThat(values.keySet())
        .contains("log_level", "stack_level", "skip_stack", "datanadhi_log_level");
    assertThat(values.get("log_level").getAsString()).isEqualTo("DEBUG");
    assertThat(resolved).doesNotContain("secret-key");
    assertThat(configuration.toString()).doesNotContain("secret-key");
  }
}
