package com.datanadhi.hub.restore;

import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `DIR/continued.json`: the tenants whose history began before this directory's log, and where it
/// goes on in it. A rebuild of such a tenant needs what archive and snapshots have. Thread-safe.
public final class Continuations {
  /// The name of the file.
  public static final String NAME = "continued.json";

  private static final JsonMapper JSON = new JsonMapper();
  private static final int FORMAT = 1;

  private final Path file;
  private final Map<String, Continuation> all;

  /// Where a history goes on.
  ///
  /// @param seq the last one from before
  /// @param chain after that, in lower-case hex
  /// @param epoch of the log record at `offset`, or of the log
  /// @param offset behind which the log's records follow, or -1
  public record Continuation(long seq, String chain, String epoch, long offset) {
    /// Whether a database ends with the history from before.
    boolean isEndOf(ViewState state) {
      return state.seq() == seq && state.chain().equals(chain);
    }

    /// That database's state in this log, of which it has nothing yet.
    ViewState inLog(ViewState state) {
      return state.inLog(epoch, offset);
    }
  }

  private Continuations(Path file, Map<String, Continuation> all) {
    this.file = file;
    this.all = all;
  }

  /// Reads the file of a data directory.
  ///
  /// @throws IOException it cannot be read, or is damaged
  public static Continuations of(Path directory) throws IOException {
    Path file = directory.resolve(NAME);
    Map<String, Continuation> all = new HashMap<>();
    try {
      JsonNode json = JSON.readTree(Files.readAllBytes(file));
      if (json.required("format").intValue() != FORMAT) {
        throw new IOException(
            file + " has another format than " + FORMAT + ": start the version that wrote it");
      }
      for (Map.Entry<String, JsonNode> entry : json.required("tenants").properties()) {
        JsonNode one = entry.getValue();
        all.put(
            entry.getKey(),
            new Continuation(
                one.required("seq").longValue(),
                one.required("chain").stringValue(),
                one.required("epoch").stringValue(),
                one.required("offset").longValue()));
      }
    } catch (NoSuchFileException none) {
      all.clear();
    } catch (JacksonException damaged) {
      throw new IOException(
          file + " is damaged: put back a copy of it, or restore the directory again", damaged);
    }
    return new Continuations(file, all);
  }

  /// Where the tenant's history goes on in this log; null if it began in it.
  synchronized @Nullable Continuation get(String tenant) {
    return all.get(tenant);
  }

  /// Whether a database that ends with `seq` lacks records from before this log.
  public synchronized boolean isMissing(String tenant, long seq) {
    Continuation from = all.get(tenant);
    return from != null && seq < from.seq();
  }

  /// Notes where histories go on. They are in the file when this returns.
  synchronized void put(Map<String, Continuation> more) throws IOException {
    Map<String, Continuation> next = new TreeMap<>(all);
    next.putAll(more);
    ObjectNode json = JSON.createObjectNode().put("format", FORMAT);
    ObjectNode tenants = json.putObject("tenants");
    next.forEach((tenant, one) ->
        tenants
            .putObject(tenant)
            .put("seq", one.seq())
            .put("chain", one.chain())
            .put("epoch", one.epoch())
            .put("offset", one.offset()));
    DurableFile.replace(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
    all.putAll(more);
  }
}
