package com.datanadhi.hub.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// A [Manifest] as JSON. Each member must be there and have its type, and no other may be there: a
/// manifest decides what a restore trusts.
final class ManifestJson {
  /// More than a manifest ever has.
  static final int MAX_BYTES = 64 * 1024;

  private static final int FORMAT = 1;
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();
  private static final ObjectWriter WRITER =
      JSON.writer()
          .with(new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n")));
  private static final DateTimeFormatter MILLIS =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern FINGERPRINT = Pattern.compile("sha256:[0-9a-f]{64}");
  private static final Pattern UUID =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
  private static final Pattern TOPIC = Pattern.compile("[A-Za-z0-9._-]{1,249}");

  /// The stream of this topic has one partition, and its name is the topic's.
  private static final String CONTROL = "control";

  private final String key;
  private final JsonNode root;

  private ManifestJson(String key, JsonNode root) {
    this.key = key;
    this.root = root;
  }

  static byte[] encode(Manifest manifest) {
    ObjectNode root = JSON.createObjectNode();
    root.put("tenant_id", manifest.tenant());
    root.put("timestamp", manifest.timestamp().toString());
    ObjectNode position = root.putObject("wal_position");
    position.put("topic", topic(manifest.stream()));
    position.put("partition", partition(manifest.stream()));
    position.put("offset", manifest.offset());
    root.put("epoch", manifest.epoch());
    root.put("seq", manifest.seq());
    root.put("chain", manifest.chain());
    root.put("schema_fingerprint", manifest.schemaFingerprint());
    ObjectNode files = root.putObject("files");
    for (Map.Entry<String, FileDigest> file : manifest.files().entrySet()) {
      ObjectNode digest = files.putObject(file.getKey());
      digest.put("bytes", file.getValue().bytes());
      digest.put("sha256", file.getValue().sha256());
    }
    root.put("format", FORMAT);
    root.put("stream", manifest.stream());
    root.put("last_received_at", time(manifest.lastReceivedAt()));
    root.put("program_version", manifest.programVersion());
    return (WRITER.writeValueAsString(root) + "\n").getBytes(UTF_8);
  }

  private static @Nullable String time(long millis) {
    return millis == 0 ? null : MILLIS.format(Instant.ofEpochMilli(millis));
  }

  private static String topic(String stream) {
    return stream.equals(CONTROL) ? CONTROL : stream.substring(0, stream.lastIndexOf('-'));
  }

  private static long partition(String stream) {
    return stream.equals(CONTROL)
        ? 0
        : Long.parseLong(stream.substring(stream.lastIndexOf('-') + 1));
  }

  /// Reads the manifest of a snapshot.
  ///
  /// @param id the name of its folder
  static Manifest decode(String tenant, String id, byte[] json) throws InvalidManifestException {
    String key = SnapshotKeys.key(tenant, id, Manifest.NAME);
    JsonNode root;
    try {
      root = JSON.readTree(json);
    } catch (JacksonException broken) {
      throw new InvalidManifestException(key, "is not JSON: " + broken.getOriginalMessage());
    }
    return new ManifestJson(key, root).manifest(tenant, id);
  }

  private Manifest manifest(String tenant, String id) throws InvalidManifestException {
    if (!root.isObject()) {
      throw wrong("is not a JSON object");
    }
    long format = number(root, "format", 0);
    if (format != FORMAT) {
      throw wrong(
          "has the format "
              + format
              + ", and this program knows "
              + FORMAT
              + ": use the version of the hub that wrote it, or a newer one");
    }
    members(
        root,
        "the manifest",
        Set.of(
            "tenant_id",
            "timestamp",
            "wal_position",
            "epoch",
            "seq",
            "chain",
            "schema_fingerprint",
            "files",
            "format",
            "stream",
            "last_received_at",
            "program_version"));
    String found = text(root, "tenant_id");
    if (!found.equals(tenant)) {
      throw wrong("belongs to the tenant " + found);
    }
    String timestamp = text(root, "timestamp");
    Instant time = SnapshotKeys.seconds(timestamp);
    if (time == null || !SnapshotKeys.id(time).equals(id)) {
      throw wrong("has the timestamp " + timestamp + ", which is not that of its folder");
    }
    JsonNode position = object("wal_position", Set.of("topic", "partition", "offset"));
    String topic = matching(position, "topic", TOPIC);
    long partition = number(position, "partition", 0);
    String stream = text(root, "stream");
    if (!stream.equals(topic.equals(CONTROL) ? CONTROL : topic + "-" + partition)) {
      throw wrong("has the stream " + stream + ", which does not fit wal_position");
    }
    return new Manifest(
        tenant,
        time,
        stream,
        root.get("epoch").isNull() ? null : matching(root, "epoch", UUID),
        number(position, "offset", -1),
        number(root, "seq", 0),
        matching(root, "chain", DIGEST),
        lastReceivedAt(),
        matching(root, "schema_fingerprint", FINGERPRINT),
        text(root, "program_version"),
        files());
  }

  private long lastReceivedAt() throws InvalidManifestException {
    if (root.get("last_received_at").isNull()) {
      return 0;
    }
    String text = text(root, "last_received_at");
    try {
      long millis = Instant.parse(text).truncatedTo(ChronoUnit.MILLIS).toEpochMilli();
      if (text.equals(time(millis))) {
        return millis;
      }
    } catch (DateTimeException | ArithmeticException other) {
      throw wrong("its member last_received_at is not a time: " + text);
    }
    throw wrong("its member last_received_at is not a time in UTC with milliseconds: " + text);
  }

  private SortedMap<String, FileDigest> files() throws InvalidManifestException {
    JsonNode files = root.get("files");
    if (!files.isObject()) {
      throw wrong("its member files is not an object");
    }
    SortedMap<String, FileDigest> found = new TreeMap<>();
    for (String name : files.propertyNames()) {
      if (!name.equals(Manifest.CANONICAL) && !name.equals(Manifest.MAILBOX)) {
        throw wrong("has a file " + name + " that a snapshot does not have");
      }
      JsonNode digest = files.get(name);
      if (!digest.isObject()) {
        throw wrong("its file " + name + " is not an object");
      }
      members(digest, "its file " + name, Set.of("bytes", "sha256"));
      FileDigest _ =
          found.put(
              name, new FileDigest(number(digest, "bytes", 0), matching(digest, "sha256", DIGEST)));
    }
    if (!found.containsKey(Manifest.CANONICAL)) {
      throw wrong("has no file " + Manifest.CANONICAL);
    }
    return found;
  }

  private JsonNode object(String name, Set<String> members) throws InvalidManifestException {
    JsonNode object = root.get(name);
    if (!object.isObject()) {
      throw wrong("its member " + name + " is not an object");
    }
    members(object, "its member " + name, members);
    return object;
  }

  private void members(JsonNode object, String what, Set<String> expected)
      throws InvalidManifestException {
    Set<String> missing = new TreeSet<>(expected);
    missing.removeAll(object.propertyNames());
    if (!missing.isEmpty()) {
      throw wrong(what + " has no member " + String.join(", ", missing));
    }
    Set<String> unknown = new TreeSet<>(object.propertyNames());
    unknown.removeAll(expected);
    if (!unknown.isEmpty()) {
      throw wrong(what + " has an unknown member " + String.join(", ", unknown));
    }
  }

  private String matching(JsonNode object, String name, Pattern pattern)
      throws InvalidManifestException {
    String text = text(object, name);
    if (!pattern.matcher(text).matches()) {
      throw wrong("its member " + name + " has a wrong form: " + text);
    }
    return text;
  }

  private String text(JsonNode object, String name) throws InvalidManifestException {
    JsonNode value = object.get(name);
    if (value == null || !value.isString()) {
      throw wrong("its member " + name + " is not a string");
    }
    return value.stringValue();
  }

  private long number(JsonNode object, String name, long least) throws InvalidManifestException {
    JsonNode value = object.get(name);
    if (value == null
        || !value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.longValue() < least) {
      throw wrong("its member " + name + " is not a whole number of at least " + least);
    }
    return value.longValue();
  }

  private InvalidManifestException wrong(String reason) {
    return new InvalidManifestException(key, reason);
  }
}
