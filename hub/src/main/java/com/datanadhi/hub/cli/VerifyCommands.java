package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.Administration.LogCheck;
import com.datanadhi.hub.hub.DataDirectoryLock;
import com.datanadhi.hub.hub.LogCheckup;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `verify log`.
final class VerifyCommands {
  private VerifyCommands() {}

  @Command(name = "verify", description = "Checks what a hub has stored.")
  static final class Group {}

  @Command(
      name = "log",
      description = {
        "Reads every record of the log and compares its checksum.",
        "Prints one line for each fault, and exits with 1 if there is one.",
        "In a directory that this user cannot write to, it reads the files as they are."
      })
  static final class Log implements Callable<Integer> {
    private final Session session;

    @Mixin private final CommonFlags common = new CommonFlags();

    Log(Session session) {
      this.session = session;
    }

    @Override
    public Integer call() throws Exception {
      Path directory = common.data(session.environment());
      DataDirectory.checkKnown(directory);
      if (DataDirectoryLock.canBeTaken(directory)) {
        return session.onHub(common, (hub, _) -> report(hub.verifyLog()));
      }
      session
          .err()
          .line(
              directory
                  + " is read-only for this user, so that its lock cannot be taken: the files are"
                  + " read as they are");
      return report(LogCheckup.read(directory));
    }

    private int report(LogCheck check) {
      print(check);
      return check.faults().isEmpty() ? ExitStatus.DONE : ExitStatus.FAILED;
    }

    private void print(LogCheck check) {
      if (common.json()) {
        ObjectNode json =
            new JsonMapper()
                .createObjectNode()
                .put("records", check.records())
                .put("bytes", check.bytes())
                .put("segments", check.segments());
        ArrayNode faults = json.putArray("faults");
        check.faults().forEach(faults::add);
        session.out().json(json.toString());
        return;
      }
      check.faults().forEach(session.out()::line);
      session
          .out()
          .line(
              StatusText.count(check.records(), "log record")
                  + " in "
                  + StatusText.count(check.segments(), "segment")
                  + " ("
                  + StatusText.bytes(check.bytes())
                  + ") are sound; "
                  + (check.faults().isEmpty()
                      ? "no fault"
                      : StatusText.count(check.faults().size(), "fault")));
    }
  }
}
