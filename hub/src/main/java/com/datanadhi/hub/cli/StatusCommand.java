package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.Administration;
import com.datanadhi.hub.admin.AdministrationException;
import com.datanadhi.hub.admin.HubStatus;
import com.datanadhi.hub.admin.StatusJson;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "status",
    description = {
      "Shows the state of a hub: its log, how far applying is, parked tenants, log records that"
          + " cannot be applied.",
      "Exits with 1 if something needs a person: the hub is not ready, applying does not follow, a"
          + " tenant is parked, a segment is damaged, the clock stepped."
    })
final class StatusCommand implements Callable<Integer> {
  private static final Duration PERIOD = Duration.ofSeconds(1);

  private final Session session;

  @Mixin private final CommonFlags common = new CommonFlags();

  @Option(
      names = "--watch",
      description = "Print it each second until interrupted; needs a running hub.")
  private boolean watch;

  @Option(
      names = "--accept-clock",
      description =
          "Accept that the wall clock stepped: the clock is right now, and pruning goes on.")
  private boolean acceptClock;

  StatusCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws Exception {
    return session.onHub(
        common,
        (hub, running) -> {
          if (watch && !running) {
            throw new UsageException("--watch: no hub runs on this directory");
          }
          if (acceptClock) {
            accept(hub);
          }
          return show(hub);
        });
  }

  private void accept(Administration hub) throws AdministrationException, InterruptedException {
    boolean stepped = hub.acceptClock();
    if (!common.json()) {
      session.out().line(stepped ? "The clock is accepted." : "The clock had not stepped.");
    }
  }

  private int show(Administration hub) throws AdministrationException, InterruptedException {
    while (true) {
      HubStatus status = hub.status();
      if (common.json()) {
        session.out().json(StatusJson.write(status));
      } else {
        StatusText.print(status, session.out());
      }
      if (!watch) {
        return StatusText.needsAttention(status) ? ExitStatus.FAILED : ExitStatus.DONE;
      }
      if (!common.json()) {
        session.out().line("");
      }
      session.out().flush();
      Thread.sleep(PERIOD);
    }
  }
}
