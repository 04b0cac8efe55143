package com.datanadhi.hub.cli;

import com.datanadhi.hub.query.QueryJson;
import com.datanadhi.hub.query.RecordLine;
import com.datanadhi.hub.query.SourceReport;
import com.datanadhi.hub.view.Interval;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "sources",
    description = {
      "Shows what of each source is stored, and which numbers are missing.",
      "A source is one run of an agent or of an SDK; its keys are <source>-1, <source>-2, and so"
          + " on. A gap is not always a loss: a record can still wait at its sender, have been"
          + " rejected, or have taken another way."
    })
final class SourcesCommand implements Callable<Integer> {
  private static final int SHOWN_GAPS = 5;

  private final Session session;

  @Mixin private final CommonFlags common = new CommonFlags();
  @Mixin private final TenantFlag tenant = new TenantFlag();

  @Option(names = "--source", paramLabel = "S", description = "Only this source (default: all).")
  private @Nullable String source;

  SourcesCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws Exception {
    String owner = tenant.tenant();
    return session.onHub(
        common,
        (hub, _) -> {
          print(hub.sources(owner, source).stream().map(SourceReport::of).toList());
          return ExitStatus.DONE;
        });
  }

  private void print(List<SourceReport> sources) {
    if (common.json()) {
      session.out().json(QueryJson.sources(sources));
      return;
    }
    Table table = new Table("source", "stored", "complete to", "last received", "missing");
    boolean gaps = false;
    for (SourceReport report : sources) {
      gaps |= report.missingRanges() > 0;
      table.row(
          report.source(),
          Long.toString(report.stored()),
          Long.toString(report.completeTo()),
          RecordLine.time(report.lastReceivedAt()),
          missing(report));
    }
    table.print(session.out());
    if (gaps) {
      session
          .out()
          .line(
              "A gap is not always a loss: a record can still wait at its sender, have been"
                  + " rejected, or have taken another way.");
    }
  }

  private static String missing(SourceReport report) {
    if (report.missingRanges() == 0) {
      return "-";
    }
    String shown =
        report.missing().stream()
            .limit(SHOWN_GAPS)
            .map(SourcesCommand::range)
            .collect(Collectors.joining(", "));
    int more = report.missingRanges() - Math.min(SHOWN_GAPS, report.missing().size());
    return more > 0 ? shown + " and " + more + " more" : shown;
  }

  private static String range(Interval gap) {
    return gap.first() == gap.last() ? Long.toString(gap.first()) : gap.first() + "-" + gap.last();
  }
}
