package com.datanadhi.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.testkit.DiskJournal;
import com.datanadhi.testkit.DiskJournal.Change;
import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.Shims;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A file survives a power loss only if the names of all directories above it do.
class DurableDirectoriesTest {
  private static final List<String> PROGRAM =
      List.of(
          Path.of(System.getProperty("java.home"), "bin/java").toString(),
          "--enable-preview",
          "--enable-native-access=ALL-UNNAMED",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-cp",
          System.getProperty("java.class.path"),
          Main.class.getName());

  @TempDir private Path home;

  private static void post(HubProcess hub, String apiKey) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<String> answer =
          client.send(
              HttpRequest.newBuilder(URI.create(hub.url() + "/log"))
                  .header("DATANADHI-API-KEY", apiKey)
                  .header("Content-Type", "application/json")
                  .header("Prefer", "wait=20")
                  .POST(
                      HttpRequest.BodyPublishers.ofString("{\"pipelines\":[\"p\"],\"log_data\":1}"))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(200);
    }
  }

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
    try (HubProcess hub = HubProcess.spawn(PROGRAM, shim.directory(), environment)) {
      hub.awaitReady();
      post(hub, HubProcess.createKey(PROGRAM, shim.directory(), "acme"));
      hub.kill();
    }
    assertThat(unsyncedDirectories(shim.journal())).isEmpty();
  }
}
