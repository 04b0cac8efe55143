package com.datanadhi.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The walks of docs/hub/RECOVERY.md, in which hubs are started, killed and lost.
class RecoveryDocumentIT {
  private static final Path DOCUMENT = Path.of("../docs/hub/RECOVERY.md");

  @TempDir private Path directory;

  @Test
  void each_walk_gives_the_output_that_the_document_shows() throws Exception {
    DocumentShell shell = new DocumentShell(directory);
    for (String tool : List.of("curl", "sqlite3")) {
      assumeTrue(shell.has(tool), () -> "skipped: " + tool + " is not installed");
    }
    Path python = Path.of("../target/venv/bin/python").toAbsolutePath().normalize();
    assumeTrue(
        Files.isExecutable(python)
            && shell.run(Map.of(), python.toString(), "-c", "import duckdb").isEmpty(),
        "skipped: no Python with duckdb in target/venv: run scripts/install-tools python");
    Path program = directory.resolve("bin/python");
    Files.writeString(program, "#!/bin/sh\nexec '" + python + "' \"$@\"\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    Files.writeString(
        directory.resolve("orders.py"),
        DocumentShell.block(DOCUMENT, "```python")
            .replace("/mnt/backup", directory.resolve("backup").toString()));
    List<String> addresses = freeAddresses(3);
    shell.replace("127.0.0.1:5000", addresses.get(0));
    shell.replace("127.0.0.1:5001", addresses.get(1));
    shell.replace("127.0.0.1:5999", addresses.get(2));
    shell.replace("/mnt/backup", directory.resolve("backup").toString());
    shell.replace("/srv/hub", directory.toString());

    shell.check(
        DOCUMENT, Map.of("HUB_LISTEN", addresses.getFirst(), "HUB_GRPC_LISTEN", "off"), _ -> false);
  }

  private static List<String> freeAddresses(int count) throws Exception {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return sockets.stream().map(socket -> "127.0.0.1:" + socket.getLocalPort()).toList();
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
  }

  @Test
  void every_heading_that_the_alert_rules_name_is_there() throws Exception {
    String rules = Files.readString(Path.of("../packaging/prometheus/alerts.yml"));
    int count = 0;
    for (String file : List.of("RECOVERY.md", "OPERATING.md")) {
      String text = Files.readString(Path.of("../docs/hub", file));
      Matcher reference = Pattern.compile(file + ", ([A-Z][^.:\",]*)").matcher(rules);
      while (reference.find()) {
        count++;
        assertThat(text).containsPattern("(?m)^#+ " + Pattern.quote(reference.group(1)));
      }
    }

    assertThat(count).isGreaterThan(5);
  }
}
