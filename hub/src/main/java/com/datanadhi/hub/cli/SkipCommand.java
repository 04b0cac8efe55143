package com.datanadhi.hub.cli;

import com.datanadhi.hub.record.Position;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "skip",
    description = {
      "Passes over a log record that cannot be applied: it is moved into the table quarantine of"
          + " its tenant, in every rebuild alike. This cannot be undone.",
      "'status' names such records."
    })
final class SkipCommand implements Callable<Integer> {
  private final Session session;

  @Mixin private final CommonFlags common = new CommonFlags();

  @Option(
      names = "--position",
      paramLabel = "P",
      required = true,
      description = "The log record, as 'status' names it: 1a2b3c4d/events-0:42.")
  private @Nullable String position;

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      required = true,
      description = "Why, for those who ask later; 1 to 1,000 characters.")
  private @Nullable String reason;

  SkipCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws Exception {
    String named = String.valueOf(position);
    String why = String.valueOf(reason);
    if (Position.parse(named) == null) {
      throw new UsageException(
          "--position: '" + named + "': it has the form 1a2b3c4d/events-0:42; see 'status'");
    }
    return session.onHub(
        common,
        (hub, _) -> {
          hub.skip(named, why);
          if (common.json()) {
            session
                .out()
                .json(
                    new JsonMapper()
                        .createObjectNode()
                        .put("position", named)
                        .put("reason", why)
                        .toString());
          } else {
            session.out().line("The log record " + named + " is skipped.");
          }
          return ExitStatus.DONE;
        });
  }
}
