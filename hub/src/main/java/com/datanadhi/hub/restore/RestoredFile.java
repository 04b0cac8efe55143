package com.datanadhi.hub.restore;

import com.datanadhi.hub.record.TenantName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `DIR/restored.json`: what a data directory was restored from, and where each tenant stands in
/// it. The first hub on the directory reads it.
///
/// @param objects the address of the object store
/// @param restoredAt when
/// @param tenants by name, `_control` included
public record RestoredFile(String objects, Instant restoredAt, Map<String, Tenant> tenants) {
  public static final String NAME = "restored.json";

  private static final JsonMapper JSON = new JsonMapper();
  private static final int FORMAT = 1;

  public RestoredFile {
    tenants = Map.copyOf(tenants);
  }

  /// Where a tenant stands.
  ///
  /// @param epoch of the log that its records came from; null if it has none
  /// @param seq its last one, or 0
  /// @param chain after that, in lower-case hex
  /// @param archiveSeq the last seq of the archive at that time, or 0
  public record Tenant(@Nullable String epoch, long seq, String chain, long archiveSeq) {}

  /// Writes it into a directory, synced.
  void write(Path directory) throws IOException {
    ObjectNode json =
        JSON.createObjectNode()
            .put("format", FORMAT)
            .put("restored_at", restoredAt.toString())
            .put("objects", objects);
    ObjectNode all = json.putObject("tenants");
    new TreeMap<>(tenants)
        .forEach((name, tenant) ->
            all.putObject(name)
                .put("epoch", tenant.epoch())
                .put("seq", tenant.seq())
                .put("chain", tenant.chain())
                .put("archive_seq", tenant.archiveSeq()));
    DurableFile.replace(
        directory.resolve(NAME), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
  }

  /// Says that the tenants continue in the directory's log: the file goes.
  public static void markAdopted(Path directory) throws IOException {
    DurableFile.delete(directory.resolve(NAME));
  }

  /// Checks that a hub which archives to `url` would not give a seq of the archive to another
  /// record.
  ///
  /// @throws IOException it would; the message says what to do
  public void checkContinues(String url, boolean isArchiveOn) throws IOException {
    if (!isArchiveOn || !url.equals(objects)) {
      return;
    }
    List<String> names = new ArrayList<>(new TreeSet<>(tenants.keySet()));
    // Last: people know the seqs of their tenants.
    if (names.remove(TenantName.CONTROL)) {
      names.add(TenantName.CONTROL);
    }
    for (String name : names) {
      Tenant tenant = Objects.requireNonNull(tenants.get(name));
      if (tenant.seq() < tenant.archiveSeq()) {
        throw new ServingRefusedException(
            "tenant "
                + name
                + " was restored to seq "
                + tenant.seq()
                + ", and its archive in "
                + url
                + " goes on to "
                + tenant.archiveSeq()
                + ": new records would get the seqs of those. Serve with --objects and another"
                + " place ('restore --copy-to' fills it), or restore to the archive's end");
      }
    }
  }

  /// Reads that of a data directory.
  ///
  /// @return null if the directory was not restored
  /// @throws IOException the file cannot be read, or is damaged
  public static @Nullable RestoredFile read(Path directory) throws IOException {
    Path file = directory.resolve(NAME);
    JsonNode json;
    try {
      json = JSON.readTree(Files.readAllBytes(file));
    } catch (NoSuchFileException notRestored) {
      return null;
    } catch (JacksonException malformed) {
      throw new IOException(file + " is damaged: restore the directory again", malformed);
    }
    if (json.path("format").asInt(0) != FORMAT) {
      throw new IOException(
          file + " has another format than " + FORMAT + ": use the version that wrote it");
    }
    try {
      Map<String, Tenant> tenants = new TreeMap<>();
      for (Map.Entry<String, JsonNode> entry : json.path("tenants").properties()) {
        JsonNode tenant = entry.getValue();
        tenants.put(
            entry.getKey(),
            new Tenant(
                tenant.path("epoch").isNull() ? null : tenant.required("epoch").stringValue(),
                tenant.required("seq").longValue(),
                tenant.required("chain").stringValue(),
                tenant.required("archive_seq").longValue()));
      }
      return new RestoredFile(
          json.required("objects").stringValue(),
          Instant.parse(json.required("restored_at").stringValue()),
          tenants);
    } catch (RuntimeException incomplete) {
      throw new IOException(file + " is damaged: restore the directory again", incomplete);
    }
  }
}
