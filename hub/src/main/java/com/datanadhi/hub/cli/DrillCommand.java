package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.Administration.DrillResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

@Command(
    name = "drill",
    description = {
      "Restores tenants into a scratch directory, the newest snapshot and the archive behind it,"
          + " and compares every record with the hub's databases.",
      "Exits with 1 if one of them cannot be restored, or is not the same."
    })
final class DrillCommand implements Callable<Integer> {
  private static final int SAMPLE = 10;

  private final Session session;

  @Mixin private final CommonFlags common = new CommonFlags();

  @Option(names = "--tenant-id", paramLabel = "T", description = "Only this tenant.")
  private @Nullable String tenant;

  @Option(
      names = "--sample",
      paramLabel = "N",
      description = "So many tenants, by chance; 0 for all (default: " + SAMPLE + ").")
  private @Nullable String sample;

  DrillCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws Exception {
    if (tenant != null && sample != null) {
      throw new UsageException("name one tenant with --tenant-id T, or a number with --sample N");
    }
    String name = tenant == null ? null : TenantFlag.check(tenant);
    int count = sample == null ? SAMPLE : number(sample);
    return session.onHub(
        common,
        (hub, _) -> {
          List<DrillResult> results = new ArrayList<>();
          hub.drill(
              name,
              count,
              result -> {
                results.add(result);
                print(result);
              });
          if (results.isEmpty()) {
            throw new FailedException("no tenant has a record");
          }
          boolean areSame = results.stream().allMatch(result -> result.fault() == null);
          return areSame ? ExitStatus.DONE : ExitStatus.FAILED;
        });
  }

  private static int number(String text) {
    if (!text.matches("[0-9]{1,6}")) {
      throw new UsageException("--sample: '" + text + "': it is a number of tenants");
    }
    return Integer.parseInt(text);
  }

  private void print(DrillResult result) {
    double seconds = result.millis() / 1e3;
    if (common.json()) {
      ObjectNode json =
          new JsonMapper()
              .createObjectNode()
              .put("tenant", result.tenant())
              .put("seq", result.seq())
              .put("bytes", result.bytes())
              .put("seconds", seconds)
              .put("fault", result.fault());
      session.out().json(json.toString());
    } else if (result.fault() != null) {
      session.out().line("tenant " + result.tenant() + ": FAULT: " + result.fault());
    } else {
      session
          .out()
          .line(
              String.format(
                  Locale.ROOT,
                  "tenant %s: restored to seq %d and the same; %.1f MB in %.1f s, %.1f MB/s",
                  result.tenant(),
                  result.seq(),
                  result.bytes() / 1e6,
                  seconds,
                  result.bytes() / 1e6 / Math.max(seconds, 0.001)));
    }
    session.out().flush();
  }
}
