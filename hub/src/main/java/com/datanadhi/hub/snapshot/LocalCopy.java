package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.view.DatabaseCopy;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A checked copy of a tenant's databases in the scratch directory, and the manifest made from what
/// is inside of it.
record LocalCopy(Path directory, Manifest manifest) {
  /// Copies the databases and checks the copies.
  ///
  /// @param directory exists and is empty
  /// @throws ViewException with [ViewException.Kind#DAMAGED] if a copy is damaged or contradicts
  ///   the other, which the tenant's own databases then do too
  static LocalCopy make(
      TenantDatabases databases,
      String tenant,
      Path directory,
      Instant timestamp,
      String programVersion)
      throws ViewException, IOException, InterruptedException {
    Path canonical = directory.resolve(Manifest.CANONICAL);
    Path mailbox = directory.resolve(Manifest.MAILBOX);
    boolean hasMailbox = databases.copy(tenant, canonical, mailbox);
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
