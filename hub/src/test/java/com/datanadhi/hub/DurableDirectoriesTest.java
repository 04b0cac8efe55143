package com.datanadhi.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.testkit.DiskJournal;
import com.datanadhi.testkit.DiskJournal.Change;
import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.Shims;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A file survives a power loss only if the names of all directories above it do.
class DurableDirectoriesTest {
  @TempDir private Path home;

  /// The directories whose names a power loss now could take, except those of databases: these are
  /// built again from the log until a checkpoint has synced them.
  private static Set<String> unsyncedDirectories(Path journal) throws IOException {
    Set<String> unsynced = new TreeSet<>();
    try (DiskJournal changes = new DiskJournal(journal)) {
      for (var next = changes.next(); next != null; next = changes.next()) {
        switch (next.change()) {
          case Change.MadeDirectory made -> unsynced.add(made.path());
          case Change.Removed removed -> unsynced.remove(removed.path());
          case Change.Synced synced ->
              unsynced.removeIf(path ->
                  path.substring(0, Math.max(0, path.lastIndexOf('/'))).equals(synced.path()));
          default -> {}
        }
      }
    }
    unsynced.removeIf(path -> path.matches("agent/tenants(/.*)?"));
    return unsynced;
  }

  @Test
  void the_names_of_all_directories_above_an_acknowledged_record_are_synced() throws Exception {
    assumeTrue(Shims.skipReason().isEmpty(), Shims.skipReason());
    DiskShim shim = new DiskShim(home);
    Map<String, String> environment = shim.environment();
    try (HubProcess hub = HubProcess.spawn(HubOfClassPath.PROGRAM, shim.directory(), environment)) {
      hub.awaitReady();
      String apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, shim.directory(), "acme");
      assertThat(HubOfClassPath.post(hub, apiKey).statusCode()).isEqualTo(200);
      hub.kill();
    }
    assertThat(unsyncedDirectories(shim.journal())).isEmpty();
  }
}
