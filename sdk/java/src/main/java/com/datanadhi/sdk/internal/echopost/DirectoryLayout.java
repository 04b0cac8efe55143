package com.datanadhi.sdk.internal.echopost;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The names of EchoPost's files. SDKs for other languages use the same ones, so that all SDKs share
 * one agent per directory.
 *
 * @param directory EchoPost's directory, {@code echopost/} in the SDK's directory
 * @param program the program, the same for all of EchoPost's directories
 */
record DirectoryLayout(Path directory, Path program) {
  static DirectoryLayout in(Path sdkDirectory) {
    Path directory = sdkDirectory.resolve("echopost");
    return new DirectoryLayout(directory, directory.resolve("echopost"));
  }

  /** The directory for this server while the agent of {@link #in} delivers to another one. */
  DirectoryLayout of(ServerName server) {
    return new DirectoryLayout(directory.resolveSibling("echopost-" + server.id()), program);
  }

  /** Those of other servers than this one that have a buffer now; empty if unreadable. */
  List<DirectoryLayout> others(ServerName server) {
    Path own = of(server).directory();
    try (Stream<Path> all = Files.list(directory.resolveSibling("."))) {
      return all.map(found -> directory.resolveSibling(found.getFileName()))
          .filter(found -> found.getFileName().toString().matches("echopost-[0-9a-f]{8}"))
          .filter(found -> !found.equals(own))
          .map(found -> new DirectoryLayout(found, program))
          .filter(found -> Files.exists(found.buffer()))
          .toList();
    } catch (IOException | UncheckedIOException unreadable) {
      return List.of();
    }
  }

  Path socket() {
    return directory.resolve("data-nadhi-agent.sock");
  }

  Path buffer() {
    return directory.resolve("buffer.db");
  }

  /** The write-ahead log of the buffer; an agent that exits normally deletes it. */
  Path bufferWal() {
    return directory.resolve("buffer.db-wal");
  }

  Path startLock() {
    return directory.resolve(".sdk-start.lock");
  }

  Path downloadLock() {
    return directory.resolve(".sdk-download.lock");
  }

  /** When the SDKs last looked for a newer program, and what they found. */
  Path updateStamp() {
    return directory.resolve(".sdk-update");
  }

  /** A stale socket is moved here before it is deleted. */
  Path staleSocket() {
    return directory.resolve(".sdk-stale.sock");
  }
}
