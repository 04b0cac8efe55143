package com.datanadhi.hub.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.admin.Administration;
import com.datanadhi.hub.admin.AdministrationException;
import com.datanadhi.hub.query.RecordLine;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.StoredEvent;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "read",
    description = {
      "Prints a tenant's records in the order of their seq: seq, time of receipt, key, pipelines,"
          + " log_data.",
      "With --json: a JSON object a line, as GET /v1/records answers it, with characters that"
          + " control a terminal escaped."
    })
final class ReadCommand implements Callable<Integer> {
  private static final Duration WAIT = Duration.ofSeconds(10);

  private final Session session;

  @Mixin private final CommonFlags common = new CommonFlags();
  @Mixin private final TenantFlag tenant = new TenantFlag();

  @Option(
      names = "--from",
      paramLabel = "SEQ",
      defaultValue = "1",
      description = "The first seq (default: ${DEFAULT-VALUE}).")
  private long from;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "How many records at most (default: all).")
  private @Nullable Integer limit;

  @Option(
      names = "--pipeline",
      paramLabel = "P",
      description = "Only records with this pipeline (default: all).")
  private @Nullable String pipeline;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      description = "Only records received then or later, such as '2024-01-15 14:30' (UTC).")
  private @Nullable String since;

  @Option(
      names = "--until",
      paramLabel = "TIME",
      description = "Only records received then or before.")
  private @Nullable String until;

  @Option(
      names = "--follow",
      description = "Go on with records that come later; needs a running hub.")
  private boolean follow;

  private int left;

  ReadCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws Exception {
    String owner = tenant.tenant();
    if (from < 1) {
      throw new UsageException("--from: '" + from + "': a seq is at least 1");
    }
    if (limit != null && limit < 1) {
      throw new UsageException("--limit: '" + limit + "': it is at least 1");
    }
    left = limit == null ? Integer.MAX_VALUE : limit;
    EventFilter filter =
        new EventFilter(from, left, pipeline, millis("--since", since), millis("--until", until));
    return session.onHub(
        common,
        (hub, running) -> {
          if (follow && !running) {
            throw new UsageException("--follow: no hub runs on this directory");
          }
          return read(hub, owner, filter);
        });
  }

  private static @Nullable Long millis(String flag, @Nullable String text) {
    if (text == null) {
      return null;
    }
    try {
      return Values.time(text).toEpochMilli();
    } catch (IllegalArgumentException wrong) {
      throw new UsageException(flag + ": '" + text + "': " + wrong.getMessage());
    }
  }

  private int read(Administration hub, String owner, EventFilter filter)
      throws AdministrationException, InterruptedException {
    long next = filter.from();
    while (true) {
      EventFilter rest =
          new EventFilter(next, left, filter.pipeline(), filter.since(), filter.until());
      next = hub.records(owner, rest, this::print);
      if (!follow || left == 0) {
        return ExitStatus.DONE;
      }
      session.out().flush();
      while (!hub.awaitSeq(owner, next, WAIT)) {
        // Also tells whether the reader of the output is still there.
        session.out().flush();
      }
    }
  }

  private boolean print(StoredEvent event) {
    if (common.json()) {
      session.out().json(new String(RecordLine.encode(event.line()), UTF_8).stripTrailing());
    } else {
      session
          .out()
          .line(
              event.seq()
                  + "  "
                  + RecordLine.time(event.receivedAt())
                  + "  "
                  + event.key()
                  + "  "
                  + event.pipelines()
                  + "  "
                  + new String(event.logData(), UTF_8).strip());
    }
    if (limit != null) {
      left--;
    }
    return left > 0;
  }
}
