package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.view.DatabaseCopy;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A checked copy of a tenant's databases in the scratch directory, and the manifest made from what
/// is inside of it.
record LocalCopy(Path directory, Manifest manifest) {
  /// Copies the databases and checks the copies.
  ///
  /// Of `_control`, each consumer's newest cursor is in the copy, and of its older ones only the
  /// digests, as far as their records are archived.
  ///
  /// @param directory exists and is empty
  /// @param archivedSeq the last seq of the tenant that is archived, or -1
  /// @throws ViewException with [ViewException.Kind#DAMAGED] if a copy is damaged or contradicts
  ///   the other, which the tenant's own databases then do too
  static LocalCopy make(
      TenantDatabases databases,
      String tenant,
      Path directory,
      Instant timestamp,
      String programVersion,
      long archivedSeq)
      throws ViewException, IOException, InterruptedException {
    Path canonical = directory.resolve(Manifest.CANONICAL);
    Path mailbox = directory.resolve(Manifest.MAILBOX);
    boolean hasMailbox = databases.copy(tenant, canonical, mailbox);
    if (tenant.equals(TenantName.CONTROL)) {
      leaveOutOlderMoves(canonical, archivedSeq);
    }
    DatabaseCopy.Canonical inside = DatabaseCopy.canonical(canonical);
    Map<String, FileDigest> files = new HashMap<>();
    files.put(Manifest.CANONICAL, ContentDigest.of(canonical));
    if (hasMailbox) {
      files.put(Manifest.MAILBOX, ContentDigest.of(mailbox));
    }
    Manifest manifest = Manifest.of(inside, timestamp, programVersion, files);
    if (!inside.state().tenant().equals(tenant)) {
      throw damaged(canonical, "belongs to the tenant " + inside.state().tenant());
    }
    if (hasMailbox) {
      List<String> differences = manifest.differences(DatabaseCopy.mailbox(mailbox));
      if (!differences.isEmpty()) {
        throw damaged(mailbox, String.join("; ", differences));
      }
    }
    return new LocalCopy(directory, manifest);
  }

  private static void leaveOutOlderMoves(Path canonical, long archivedSeq)
      throws ViewException, IOException, InterruptedException {
    Path smaller = canonical.resolveSibling("smaller.db");
    Files.createFile(
        smaller,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    DatabaseCopy.withoutOlderMoves(canonical, smaller, archivedSeq);
    Files.move(smaller, canonical, StandardCopyOption.ATOMIC_MOVE);
    for (Path path : List.of(canonical, canonical.resolveSibling(".").normalize())) {
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  private static ViewException damaged(Path file, String what) {
    return new ViewException(ViewException.Kind.DAMAGED, file + ": " + what, null);
  }

  Path file(String name) {
    return directory.resolve(name);
  }

  LocalCopy at(Instant time) {
    return new LocalCopy(directory, manifest.at(time));
  }
}
