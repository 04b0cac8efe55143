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
    Configuration configuration = Configuration.load(directory, KEY);
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

    assertThatThrownBy(() -> Configuration.load(directory, Map.of()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("DATANADHI_API_KEY");
  }

  @Test
  void the_file_overrides_the_environment_and_the_environment_overrides_the_default()
      throws Exception {
    file("config.yaml", "async:\n  workers: 3\nserver:\n  host: http://from-file:1/\n");
    Map<String, String> environment = with("DATANADHI_WORKERS", "7");
    environment.put("DATANADHI_QUEUE_SIZE", "50");
    environment.put("DATANADHI_QUEUE_BYTES", "65536");
    environment.put("DATANADHI_EXIT_TIMEOUT", "0.5");
    environment.put("DATANADHI_BATCH_SIZE", "100");
    environment.put("DATANADHI_BATCH_BYTES", "65536");
    environment.put("DATANADHI_BATCH_DELAY", "0.01");
    environment.put("DATANADHI_MAX_RECORD_BYTES", "2048");
    Configuration configuration = Configuration.load(directory, environment);
    assertThat(configuration.workers()).isEqualTo(3);
    assertThat(configuration.queueSize()).isEqualTo(50);
    assertThat(configuration.queueBytes()).isEqualTo(65_536);
    assertThat(configuration.exitTimeout()).isEqualTo(Duration.ofMillis(500));
    assertThat(configuration.batchSize()).isEqualTo(100);
    assertThat(configuration.batchBytes()).isEqualTo(65_536);
    assertThat(configuration.batchDelay()).isEqualTo(Duration.ofMillis(10));
    assertThat(configuration.maxRecordBytes()).isEqualTo(2_048);
    assertThat(configuration.serverHost()).isEqualTo(URI.create("http://from-file:1"));
  }

  @Test
  void the_key_is_not_read_from_the_file() throws Exception {
    file("config.yml", "api_key: from-file\nserver:\n  api_key: from-file\n");
    assertThatThrownBy(() -> Configuration.load(directory, Map.of()))
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
        "async: {exit_timeout: soon} | async.exit_timeout | soon",
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
    assertThatThrownBy(() -> Configuration.load(directory, KEY))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(directory.resolve("config.yml").toString())
        .hasMessageContaining(key)
        .hasMessageContaining(value.startsWith("-") ? "PT-1S" : value);
  }

  @Test
  void an_error_names_the_environment_variable_or_the_file() throws Exception {
    assertThatThrownBy(() -> Configuration.load(directory, with("DATANADHI_WORKERS", "x")))
        .hasMessageContaining("environment: DATANADHI_WORKERS")
        .hasMessageContaining("\"x\"");
    file("config.yml", "a: [");
    assertThatThrownBy(() -> Configuration.load(directory, KEY))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("config.yml");
  }

  @Test
  void the_error_for_an_invalid_key_does_not_contain_the_key() {
    assertThatThrownBy(() -> Configuration.builder(directory).apiKey("se\ncret"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("DATANADHI_API_KEY")
        .message()
        .doesNotContain("cret ");
    assertThatThrownBy(() -> Configuration.builder(directory).build())
        .isInstanceOf(ConfigurationException.class);
  }

  @Test
  void the_resolved_configuration_is_written_without_the_key() throws Exception {
    file(
        "config.yml",
        "async: {workers: 1}\nlog: {level: DEBUG}\necho: 1\nechopost: {disable: true}\n");
    Configuration configuration = Configuration.load(directory, KEY);
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
