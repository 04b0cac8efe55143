package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.HubSettings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `DIR/hub.json`: the flags of the last `serve` on a data directory, which commands use when no
/// hub runs. It also marks the directory as one of a hub.
final class HubNotes {
  static final String NAME = "hub.json";

  private static final JsonMapper JSON = new JsonMapper();

  private HubNotes() {}

  /// Replaces the file in one step. One that is the same stays, so that a hub with a full disk
  /// starts.
  static void write(Path dataDirectory, String version, Map<String, String> flags)
      throws IOException {
    ObjectNode json = JSON.createObjectNode().put("version", version);
    ObjectNode object = json.putObject("flags");
    flags.forEach(object::put);
    byte[] text = JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json);
    Path file = dataDirectory.resolve(NAME);
    if (Files.exists(file) && Arrays.equals(Files.readAllBytes(file), text)) {
      return;
    }
    Path next = dataDirectory.resolve(NAME + ".new");
    Files.deleteIfExists(next);
    try (FileChannel written =
        FileChannel.open(
            next,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      ByteBuffer rest = ByteBuffer.wrap(text);
      while (rest.hasRemaining()) {
        int _ = written.write(rest);
      }
      written.force(true);
    }
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel directory = FileChannel.open(dataDirectory, StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  /// The settings of the last `serve`; those by default if the file is missing.
  ///
  /// @throws FailedException the file is not one that `serve` has written
  static HubSettings settings(Path dataDirectory) throws IOException {
    Map<String, String> flags = new LinkedHashMap<>();
    Path file = dataDirectory.resolve(NAME);
    try {
      JsonNode json = JSON.readTree(Files.readAllBytes(file));
      json.path("flags").properties().forEach(f -> flags.put(f.getKey(), f.getValue().asString()));
    } catch (NoSuchFileException neverServed) {
      flags.clear();
    } catch (JacksonException malformed) {
      throw new FailedException(
          file + " is damaged: remove it, or run echopost-hub serve, which writes it again");
    }
    flags.put("data", dataDirectory.toString());
    try {
      return new ServeFlags(flags, Map.of()).settings();
    } catch (UsageException otherVersion) {
      throw new FailedException(file + ": " + otherVersion.getMessage());
    }
  }
}
