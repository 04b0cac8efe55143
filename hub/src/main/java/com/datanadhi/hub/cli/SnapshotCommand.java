package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.Administration.TakenSnapshot;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import tools.jackson.databind.json.JsonMapper;

@Command(
    name = "snapshot",
    description = {
      "Takes a snapshot of a tenant's databases now, proves it, and puts it into the object store.",
      "'restore list-snapshots' shows the snapshots that there are."
    })
final class SnapshotCommand implements Callable<Integer> {
  private final Session session;

  @Mixin private final CommonFlags common = new CommonFlags();
  @Mixin private final TenantFlag tenant = new TenantFlag();

  SnapshotCommand(Session session) {
    this.session = session;
  }

  @Override
  public Integer call() throws Exception {
    String name = tenant.tenant();
    return session.onHub(
        common,
        (hub, _) -> {
          TakenSnapshot taken = hub.takeSnapshot(name);
          if (common.json()) {
            session
                .out()
                .json(
                    new JsonMapper()
                        .createObjectNode()
                        .put("snapshot_id", taken.id())
                        .put("seq", taken.seq())
                        .put("bytes", taken.bytes())
                        .toString());
          } else {
            session
                .out()
                .line(
                    taken.id()
                        + ": tenant "
                        + name
                        + " to seq "
                        + taken.seq()
                        + ", "
                        + StatusText.bytes(taken.bytes()));
          }
          return ExitStatus.DONE;
        });
  }
}
