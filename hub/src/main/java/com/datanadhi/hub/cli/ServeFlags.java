package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.HubSettings;
import com.datanadhi.hub.admin.HubSettings.Address;
import com.datanadhi.hub.log.Durability;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The flags of `serve`: their defaults, the environment variables behind them, and what they make
/// together. A flag on the command line wins over `HUB_…`, that over an older name, and that over
/// the default.
final class ServeFlags {
  /// Every flag with its default; an empty default means that the flag is off.
  static final Map<String, String> DEFAULTS = defaults();

  private static final String PREFIX = "HUB_";
  private static final String FILE = "file:";

  // Of the object store, which reads them.
  private static final String S3_ENDPOINT = "HUB_S3_ENDPOINT";
  private static final String S3_PATH_STYLE = "HUB_S3_PATH_STYLE";

  private static final Pattern OF_SERVICE =
      Pattern.compile("(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_.+)?)");

  private static final long SMALLEST_SEGMENT = 64L << 10;
  private static final long LARGEST_SEGMENT = 1L << 30;

  /// One request of the largest size with its unpacked records.
  private static final long SMALLEST_BUFFER = 32L << 20;

  private static final Duration SHORTEST_HORIZON = Duration.ofSeconds(1);
  private static final Duration SHORTEST_INTERVAL = Duration.ofSeconds(1);
  private static final Duration SHORTEST_ARCHIVE = Duration.ofDays(1);

  private final Map<String, String> given;
  private final Map<String, String> environment;
  private final List<String> warnings = new ArrayList<>();

  /// @param given the flags of the command line, by their names without `--`
  /// @param environment of the process
  ServeFlags(Map<String, String> given, Map<String, String> environment) {
    this.given = given;
    this.environment = environment;
  }

  private static Map<String, String> defaults() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("data", "./hub-data");
    all.put("listen", "127.0.0.1:5000");
    all.put("grpc-listen", "127.0.0.1:50051");
    all.put("durability", "fsync");
    all.put("log", "segments");
    all.put("segment-bytes", "64MiB");
    all.put("segment-age", "10m");
    all.put("log-retention", "24h");
    all.put("log-retention-bytes", "");
    all.put("buffer-bytes", "64MiB");
    all.put("key-horizon", "30d");
    all.put("view-retention", "");
    all.put("objects", "");
    all.put("archive", "on");
    all.put("archive-interval", "60s");
    all.put("archive-retention", "90d");
    all.put("snapshots", "on");
    all.put("snapshot-interval", "12h");
    all.put("snapshot-keep", "7");
    all.put("drill-interval", "24h");
    all.put("kafka-brokers", "");
    all.put("kafka-topic", "");
    all.put("kafka-allow-weak", "");
    all.put("tls-cert", "");
    all.put("tls-key", "");
    return all;
  }

  /// The environment variable of a flag: `HUB_SEGMENT_BYTES` for `segment-bytes`.
  static String variable(String flag) {
    return PREFIX + flag.replace('-', '_').toUpperCase(Locale.ROOT);
  }

  /// The settings that the flags make.
  ///
  /// @throws UsageException one of them is wrong, or is for a part that this version does not have
  HubSettings settings() {
    Path data = data();
    refuseWhatIsMissing();
    Duration viewRetention = optional("view-retention", Values::duration);
    Duration horizon = value("key-horizon", Values::duration);
    check("key-horizon", horizon.compareTo(SHORTEST_HORIZON) >= 0, "at least 1s");
    long segmentBytes = value("segment-bytes", Values::size);
    check(
        "segment-bytes",
        segmentBytes >= SMALLEST_SEGMENT && segmentBytes <= LARGEST_SEGMENT,
        "from 64KiB to 1GiB");
    Duration segmentAge = value("segment-age", Values::duration);
    check("segment-age", segmentAge.compareTo(Duration.ofSeconds(1)) >= 0, "at least 1s");
    long bufferBytes = value("buffer-bytes", Values::size);
    check("buffer-bytes", bufferBytes >= SMALLEST_BUFFER, "at least 32MiB");
    Path certificate = optional("tls-cert", ServeFlags::file);
    Path key = optional("tls-key", ServeFlags::file);
    if ((certificate == null) != (key == null)) {
      throw new UsageException("--tls-cert and --tls-key are given together or not at all");
    }
    Durability durability = durability();
    warnAboutOlderNames();
    warnAboutUnknownNames();
    return new HubSettings(
        data,
        value("listen", Values::address),
        optional("grpc-listen", ServeFlags::addressOrOff),
        durability,
        segmentBytes,
        segmentAge,
        value("log-retention", Values::duration),
        optional("log-retention-bytes", Values::size),
        bufferBytes,
        horizon,
        viewRetention,
        objects(data),
        certificate,
        key,
        warnings);
  }

  private HubSettings.Objects objects(Path data) {
    return new HubSettings.Objects(
        objectsUrl(data),
        isOn("archive", older("ENTDB_ARCHIVE_ENABLED")),
        atLeast("archive-interval", SHORTEST_INTERVAL),
        atLeast("archive-retention", SHORTEST_ARCHIVE),
        isOn("snapshots", older("ENTDB_SNAPSHOT_ENABLED")),
        atLeast("snapshot-interval", SHORTEST_INTERVAL),
        value("snapshot-keep", ServeFlags::count),
        atLeast("drill-interval", SHORTEST_INTERVAL));
  }

  /// The address of the object store, with an absolute path.
  private String objectsUrl(Path data) {
    String url = set("objects");
    if (url == null) {
      String bucket = environment.getOrDefault("ENTDB_S3_BUCKET", "");
      return bucket.isEmpty() ? FILE + data.resolve("objects") : "s3://" + bucket;
    }
    if (url.startsWith("s3://") && url.length() > "s3://".length()) {
      return url;
    }
    check(
        "objects",
        url.startsWith(FILE) && url.length() > FILE.length(),
        "file:PATH or s3://BUCKET/PREFIX");
    return FILE + file(url.substring(FILE.length()));
  }

  private Duration atLeast(String flag, Duration least) {
    Duration value = value(flag, Values::duration);
    check(flag, value.compareTo(least) >= 0, "at least " + Values.duration(least));
    return value;
  }

  private static int count(String text) {
    if (!text.matches("[1-9][0-9]{0,5}")) {
      throw new IllegalArgumentException("it is a number, at least 1");
    }
    return Integer.parseInt(text);
  }

  /// DIR, absolute.
  Path data() {
    return file(text("data"));
  }

  /// The flags in force that are not at their default, for `hub.json`.
  Map<String, String> inForce() {
    Map<String, String> all = new LinkedHashMap<>();
    for (Map.Entry<String, String> flag : DEFAULTS.entrySet()) {
      String text = text(flag.getKey());
      if (flag.getKey().equals("archive")) {
        text = isOn("archive", older("ENTDB_ARCHIVE_ENABLED")) ? "on" : "off";
      } else if (flag.getKey().equals("snapshots")) {
        text = isOn("snapshots", older("ENTDB_SNAPSHOT_ENABLED")) ? "on" : "off";
      } else if (flag.getKey().equals("objects")) {
        String url = objectsUrl(data());
        // A directory that is moved takes its own objects with it.
        text = url.equals(FILE + data().resolve("objects")) ? "" : url;
      } else if (flag.getKey().startsWith("tls-") && !text.isEmpty()) {
        // Commands may run in another working directory.
        text = file(text).toString();
      }
      if (!text.equals(flag.getValue()) && !flag.getKey().equals("data")) {
        all.put(flag.getKey(), text);
      }
    }
    return all;
  }

  // ---- single flags

  private @Nullable String set(String flag) {
    String value = given.get(flag);
    if (value == null) {
      value = environment.get(variable(flag));
      // As for most programs, an empty variable is one that is not set.
      return value == null || value.isEmpty() ? null : value;
    }
    return value;
  }

  private String text(String flag) {
    String value = set(flag);
    return value == null ? DEFAULTS.getOrDefault(flag, "") : value;
  }

  private <T> T value(String flag, Function<String, T> form) {
    String text = text(flag);
    try {
      return form.apply(text);
    } catch (IllegalArgumentException wrong) {
      throw new UsageException(name(flag) + ": '" + text + "': " + wrong.getMessage());
    }
  }

  private <T> @Nullable T optional(String flag, Function<String, @Nullable T> form) {
    String text = text(flag);
    if (text.isEmpty()) {
      if (given.containsKey(flag)) {
        throw new UsageException(name(flag) + ": it has no value");
      }
      return null;
    }
    try {
      return form.apply(text);
    } catch (IllegalArgumentException wrong) {
      throw new UsageException(name(flag) + ": '" + text + "': " + wrong.getMessage());
    }
  }

  /// The name that the user has given the value by.
  private String name(String flag) {
    return !given.containsKey(flag) && set(flag) != null ? variable(flag) : "--" + flag;
  }

  private void check(String flag, boolean valid, String rule) {
    if (!valid) {
      throw new UsageException(name(flag) + ": '" + text(flag) + "': it must be " + rule);
    }
  }

  private boolean isOn(String flag, @Nullable Boolean older) {
    if (set(flag) == null && older != null) {
      return older;
    }
    return value(flag, ServeFlags::onOrOff);
  }

  private static boolean onOrOff(String text) {
    return switch (text) {
      case "on" -> true;
      case "off" -> false;
      default -> throw new IllegalArgumentException("it is on or off");
    };
  }

  private static @Nullable Address addressOrOff(String text) {
    return text.equals("off") ? null : Values.address(text);
  }

  private static Path file(String text) {
    return Path.of(text).toAbsolutePath().normalize();
  }

  private Durability durability() {
    return value(
        "durability",
        text -> {
          for (Durability level : Durability.values()) {
            if (level.text().equals(text)) {
              return level;
            }
          }
          throw new IllegalArgumentException("it is fsync, wal or ram");
        });
  }

  // ---- parts that this version does not have

  private void refuseWhatIsMissing() {
    String log = text("log");
    if (log.equals("kafka")) {
      throw new UsageException(name("log") + ": this version has no log in Kafka: use segments");
    }
    if (!log.equals("segments")) {
      throw new UsageException(name("log") + ": '" + log + "': it is segments");
    }
    for (String flag : List.of("kafka-brokers", "kafka-topic", "kafka-allow-weak")) {
      if (set(flag) != null) {
        throw new UsageException(name(flag) + ": this version has no log in Kafka");
      }
    }
  }

  // ---- older names of environment variables

  private @Nullable Boolean older(String variable) {
    String value = environment.getOrDefault(variable, "").toLowerCase(Locale.ROOT);
    return switch (value) {
      case "" -> null;
      case "true", "1", "yes", "on" -> true;
      case "false", "0", "no", "off" -> false;
      default -> throw new UsageException(variable + ": '" + value + "': it is true or false");
    };
  }

  private void warnAboutOlderNames() {
    for (String kafka :
        List.of("ENTDB_KAFKA_BROKERS", "ENTDB_KAFKA_ACKS", "ENTDB_KAFKA_ENABLE_IDEMPOTENCE")) {
      if (!environment.getOrDefault(kafka, "").isEmpty()) {
        warnings.add(kafka + " has no effect: this version has no log in Kafka");
      }
    }
  }

  // ---- environment variables that are none of the hub's

  private void warnAboutUnknownNames() {
    List<String> known = new ArrayList<>(List.of(S3_ENDPOINT, S3_PATH_STYLE));
    DEFAULTS.keySet().forEach(flag -> known.add(variable(flag)));
    environment.keySet().stream()
        .filter(name -> name.startsWith(PREFIX) && !known.contains(name) && !isOfService(name))
        .sorted()
        .forEach(name ->
            warnings.add(
                name
                    + " is not a setting of the hub and has no effect; the nearest one is "
                    + nearest(name, known)));
  }

  /// Whether Kubernetes has set the variable, to tell of a service that is called `hub` or so.
  private boolean isOfService(String name) {
    return environment.containsKey("KUBERNETES_SERVICE_HOST") && OF_SERVICE.matcher(name).matches();
  }

  private static String nearest(String name, List<String> known) {
    String capitals = name.toUpperCase(Locale.ROOT);
    return Collections.min(
        known,
        Comparator.comparingInt(other -> distance(capitals, other) - commonBegin(capitals, other)));
  }

  private static int commonBegin(String a, String b) {
    int length = 0;
    while (length < a.length() && b.startsWith(a.substring(0, length + 1))) {
      length++;
    }
    return length;
  }

  /// How many letters must be put in, left out or replaced to make one text of the other.
  private static int distance(String a, String b) {
    int[] row = IntStream.rangeClosed(0, b.length()).toArray();
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
