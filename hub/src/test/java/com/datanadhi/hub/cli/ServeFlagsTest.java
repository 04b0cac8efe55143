package com.datanadhi.hub.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.admin.HubSettings;
import com.datanadhi.hub.log.Durability;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServeFlagsTest {
  private static HubSettings settings(Map<String, String> given, Map<String, String> environment) {
    return new ServeFlags(given, environment).settings();
  }

  private static HubSettings.Objects objects(Map<String, String> environment) {
    return settings(Map.of(), environment).objects();
  }

  @Test
  void the_defaults_are_those_of_the_contract() {
    HubSettings settings = settings(Map.of(), Map.of());
    assertThat(settings.dataDirectory()).isEqualTo(Path.of("hub-data").toAbsolutePath());
    assertThat(settings.listen()).hasToString("127.0.0.1:5000");
    assertThat(settings.grpcListen()).hasToString("127.0.0.1:50051");
    assertThat(settings.durability()).isEqualTo(Durability.FSYNC);
    assertThat(settings.segmentBytes()).isEqualTo(64L << 20);
    assertThat(settings.segmentAge()).isEqualTo(Duration.ofMinutes(10));
    assertThat(settings.logRetention()).isEqualTo(Duration.ofHours(24));
    assertThat(settings.logRetentionBytes()).isNull();
    assertThat(settings.bufferBytes()).isEqualTo(64L << 20);
    assertThat(settings.keyHorizon()).isEqualTo(Duration.ofDays(30));
    assertThat(settings.viewRetention()).isNull();
    assertThat(settings.objects())
        .isEqualTo(
            new HubSettings.Objects(
                "file:" + Path.of("hub-data/objects").toAbsolutePath(),
                true,
                Duration.ofSeconds(60),
                Duration.ofDays(90),
                true,
                Duration.ofHours(12),
                7,
                Duration.ofHours(24)));
    assertThat(settings.warnings()).isEmpty();
  }

  @Test
  void a_flag_wins_over_its_variable_and_that_over_an_older_name() {
    assertThat(
            settings(
                    Map.of("listen", "0.0.0.0:1"),
                    Map.of("HUB_LISTEN", "0.0.0.0:2", "HUB_SEGMENT_BYTES", "1MiB"))
                .listen())
        .hasToString("0.0.0.0:1");
    assertThat(settings(Map.of(), Map.of("HUB_SEGMENT_BYTES", "1MiB")).segmentBytes())
        .isEqualTo(1L << 20);
    assertThat(objects(Map.of("ENTDB_ARCHIVE_ENABLED", "false")).archive()).isFalse();
    assertThat(objects(Map.of("ENTDB_ARCHIVE_ENABLED", "false", "HUB_ARCHIVE", "on")).archive())
        .isTrue();
    assertThat(objects(Map.of("ENTDB_SNAPSHOT_ENABLED", "0")).snapshots()).isFalse();
    assertThat(objects(Map.of("ENTDB_S3_BUCKET", "acme-logs")).url()).isEqualTo("s3://acme-logs");
    assertThat(objects(Map.of("ENTDB_S3_BUCKET", "acme-logs", "HUB_OBJECTS", "file:/backup")).url())
        .isEqualTo("file:/backup");
    assertThat(settings(Map.of(), Map.of("HUB_LISTEN", "")).listen()).hasToString("127.0.0.1:5000");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ENTDB_KAFKA_BROKERS", "ENTDB_KAFKA_ACKS", "ENTDB_KAFKA_ENABLE_IDEMPOTENCE"})
  void an_older_name_without_a_meaning_is_a_warning(String variable) {
    assertThat(settings(Map.of(), Map.of(variable, "x")).warnings())
        .singleElement()
        .asString()
        .contains(variable);
  }

  @ParameterizedTest
  @CsvSource({
    "HUB_LISTNE, HUB_LISTEN",
    "HUB_BUFFER, HUB_BUFFER_BYTES",
    "HUB_SEGMENTS_BYTES, HUB_SEGMENT_BYTES",
    "HUB_SEGMENT_AGE_, HUB_SEGMENT_AGE",
    "HUB_listen, HUB_LISTEN",
    "HUB_S3_ENDPOINTS, HUB_S3_ENDPOINT",
    "HUB_DISTEN, HUB_LISTEN",
    "HUB_TLSKEY, HUB_TLS_KEY",
  })
  void an_unknown_variable_is_a_warning_with_the_nearest_known_one(
      String variable, String nearest) {
    assertThat(settings(Map.of(), Map.of(variable, "x", "HUB_LISTEN", "")).warnings())
        .singleElement()
        .asString()
        .startsWith(variable + " is not a setting")
        .endsWith(" " + nearest);
  }

  @Test
  void what_kubernetes_tells_of_a_service_called_hub_is_no_warning() {
    Map<String, String> environment =
        Map.of(
            "KUBERNETES_SERVICE_HOST", "10.0.0.1",
            "HUB_SERVICE_HOST", "10.0.0.2",
            "HUB_SERVICE_PORT_HTTP", "5000",
            "HUB_PORT", "tcp://10.0.0.2:5000",
            "HUB_PORT_5000_TCP_ADDR", "10.0.0.2",
            "HUB_WEST_PORT_5000_TCP", "tcp://10.0.0.3:5000");
    assertThat(settings(Map.of(), environment).warnings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "listen, 5000, HOST:PORT",
    "listen, :5000, HOST:PORT",
    "listen, ::1:5000, HOST:PORT",
    "listen, 127.0.0.1:65536, HOST:PORT",
    "durability, none, fsync",
    "segment-bytes, 64MB, MiB",
    "segment-bytes, 1KiB, 64KiB",
    "segment-age, 10, unit",
    "buffer-bytes, 1MiB, 32MiB",
    "key-horizon, 0s, 1s",
    "log, kafka, Kafka",
    "kafka-brokers, a:9092, Kafka",
    "objects, /backup, file:PATH",
    "objects, s3://, s3://BUCKET/PREFIX",
    "archive-interval, 5, unit",
    "archive-interval, 500ms, 1s",
    "archive-retention, 1h, 1d",
    "snapshot-interval, 0s, 1s",
    "snapshot-keep, 0, at least 1",
    "drill-interval, 10ms, 1s",
    "archive, true, on or off",
    "snapshots, yes, on or off",
    "tls-cert, a.pem, together"
  })
  void a_wrong_value_is_a_usage_error_that_names_flag_or_variable(
      String flag, String value, String text) {
    assertThatThrownBy(() -> settings(Map.of(flag, value), Map.of()))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("--" + flag)
        .hasMessageContaining(text);
    if (!flag.equals("tls-cert")) {
      assertThatThrownBy(() -> settings(Map.of(), Map.of(ServeFlags.variable(flag), value)))
          .isInstanceOf(UsageException.class)
          .hasMessageContaining(ServeFlags.variable(flag));
    }
  }

  @Test
  void a_flag_can_turn_a_part_off_or_give_it_its_interval() {
    HubSettings settings =
        settings(
            Map.of(
                "log", "segments",
                "objects", "file:backup",
                "archive-interval", "5s",
                "snapshots", "off",
                "snapshot-keep", "3",
                "drill-interval", "1h",
                "view-retention", "7d",
                "grpc-listen", "off"),
            Map.of());
    assertThat(settings.objects())
        .isEqualTo(
            new HubSettings.Objects(
                "file:" + Path.of("backup").toAbsolutePath(),
                true,
                Duration.ofSeconds(5),
                Duration.ofDays(90),
                false,
                Duration.ofHours(12),
                3,
                Duration.ofHours(1)));
    assertThat(settings.viewRetention()).isEqualTo(Duration.ofDays(7));
    assertThat(settings.grpcListen()).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "500ms, 500",
    "90s, 90000",
    "10m, 600000",
    "24h, 86400000",
    "30d, 2592000000",
    "0s, 0"
  })
  void durations_have_a_unit(String text, long millis) {
    assertThat(Values.duration(text).toMillis()).isEqualTo(millis);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "5", "5 s", "-5s", "1.5h", "1w", "5S", "99999999999d"})
  void other_texts_are_no_durations(String text) {
    assertThatThrownBy(() -> Values.duration(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1000, 1000", "1KiB, 1024", "64MiB, 67108864", "2GiB, 2147483648"})
  void sizes_are_bytes_or_binary_units(String text, long bytes) {
    assertThat(Values.size(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1KB", "1 KiB", "-1", "1.5MiB", "999999999999999999GiB", "1TiB"})
  void other_texts_are_no_sizes(String text) {
    assertThatThrownBy(() -> Values.size(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "2024-01-15 14:30, 2024-01-15T14:30:00Z",
    "2024-01-15 14:30:15, 2024-01-15T14:30:15Z",
    "2024-01-15T14:30:00Z, 2024-01-15T14:30:00Z",
    "2024-01-15t14:30:00.5z, 2024-01-15T14:30:00.500Z",
    "2024-01-15T16:30:00+02:00, 2024-01-15T14:30:00Z"
  })
  void times_are_rfc_3339_or_plain_utc(String text, String instant) {
    assertThat(Values.time(text)).isEqualTo(Instant.parse(instant));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "2024-01-15", "14:30", "2024-02-30 10:00", "2024-01-15T14:30", "now"})
  void other_texts_are_no_times(String text) {
    assertThatThrownBy(() -> Values.time(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2024-01-15 14:30");
  }
}
