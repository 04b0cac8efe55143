package com.datanadhi.hub.cli;

import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.query.RecordLine;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.restore.Cut;
import com.datanadhi.hub.restore.RestoreException;
import com.datanadhi.hub.restore.Restorer;
import com.datanadhi.hub.restore.Scratch;
import com.datanadhi.hub.restore.StoreCopy;
import com.datanadhi.hub.restore.Target;
import com.datanadhi.hub.snapshot.Snapshot;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `restore` and its subcommands.
final class RestoreCommands {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int MAX_AROUND = 1_000_000;

  private RestoreCommands() {}

  /// What a command does with a restorer.
  @FunctionalInterface
  private interface Work {
    void run(Restorer restorer) throws RestoreException, IOException, InterruptedException;
  }

  private static int onStore(Session session, CommonFlags common, ObjectsFlags objects, Work work)
      throws IOException, InterruptedException {
    ProgressLines progress = new ProgressLines(session, Clock.system());
    try (ObjectStore store = objects.open(common, session.environment())) {
      work.run(new Restorer(store, Clock.system(), progress));
      return ExitStatus.DONE;
    } catch (RestoreException refused) {
      throw new FailedException(String.valueOf(refused.getMessage()));
    } finally {
      progress.end();
    }
  }

  @Command(
      name = "restore",
      description = {
        "Makes a data directory from snapshots and archive, at any record or moment, and checks"
            + " every digest and chain on the way. A hub can serve on it.",
        "Keys and cursors come with it, as of the same moment: keys that were revoked after it are"
            + " valid again."
      })
  static final class Restore implements Callable<Integer> {
    private final Session session;

    @Mixin private final CommonFlags common = new CommonFlags();
    @Mixin private final ObjectsFlags objects = new ObjectsFlags();

    @Option(names = "--tenant-id", paramLabel = "T", description = "The tenant to restore.")
    private @Nullable String tenant;

    @Option(names = "--all", description = "Restores all tenants.")
    private boolean all;

    @Option(
        names = "--target-time",
        paramLabel = "TIME",
        description =
            "Up to the last record received then or before: RFC 3339, or 2024-01-15 14:30 in UTC.")
    private @Nullable String time;

    @Option(
        names = "--target-seq",
        paramLabel = "N",
        description = "Up to this record; a transaction stays whole.")
    private @Nullable String seq;

    @Option(
        names = "--output-dir",
        paramLabel = "DIR",
        description = "The directory to make; it is empty or does not exist.")
    private @Nullable Path output;

    @Option(
        names = "--dry-run",
        description =
            "Changes nothing, and prints what would be restored, and the records near the cut.")
    private boolean dryRun;

    @Option(
        names = "--around",
        paramLabel = "N",
        description =
            "With --dry-run: how many records on each side of the cut are printed, of those within"
                + " 5 s (default: 20).")
    private @Nullable String around;

    @Option(
        names = "--without-keys",
        description = "Restores although the object store has no API keys.")
    private boolean withoutKeys;

    @Option(
        names = "--copy-to",
        paramLabel = "URL",
        description =
            "Copies archive and snapshots up to the cut there, so that a hub on DIR continues with"
                + " --objects URL: a cut before the archive's end needs a place of its own.")
    private @Nullable String copyTo;

    Restore(Session session) {
      this.session = session;
    }

    @Override
    public Integer call() throws Exception {
      if (all == (tenant != null)) {
        throw new UsageException("name one tenant with --tenant-id T, or all with --all");
      }
      Target target = target();
      int near =
          around == null
              ? Restorer.AROUND
              : Math.toIntExact(Math.min(MAX_AROUND, number("--around", around)));
      if (around != null && !dryRun) {
        throw new UsageException("--around belongs to --dry-run");
      }
      Path directory = output;
      if (directory == null && !dryRun) {
        throw new UsageException("name the directory to make with --output-dir DIR");
      }
      return onStore(
          session,
          common,
          objects,
          restorer -> {
            List<String> tenants =
                tenant == null ? restorer.tenants() : List.of(TenantFlag.check(tenant));
            if (tenants.isEmpty()) {
              throw new FailedException("the object store has no tenant");
            }
            if (!withoutKeys) {
              restorer.checkKeysAreKept();
            }
            List<Cut> cuts =
                directory == null || dryRun
                    ? restorer.plan(tenants, target, near)
                    : restorer.restore(tenants, target, directory);
            String goesOn = restorer.url();
            if (copyTo != null && !dryRun) {
              goesOn = copy(restorer, cuts, copyTo);
            }
            report(session, common, goesOn, cuts, dryRun ? null : directory);
          });
    }

    private String copy(Restorer restorer, List<Cut> cuts, String url)
        throws RestoreException, IOException, InterruptedException {
      Path scratch = Files.createTempDirectory("echopost-hub-copy-");
      try (ObjectStore to = ObjectsFlags.open(url, session.environment())) {
        if (to.url().equals(restorer.url())) {
          throw new UsageException("--copy-to: it is the object store itself");
        }
        StoreCopy copy = restorer.copyTo(to, scratch);
        int objects = 0;
        for (Cut cut : cuts) {
          objects += copy.copy(cut);
        }
        if (!common.json()) {
          session.out().line(StatusText.count(objects, "object") + " copied to " + to.url());
        }
        return to.url();
      } finally {
        Scratch.delete(scratch);
      }
    }

    private Target target() {
      if ((time == null) == (seq == null)) {
        throw new UsageException("name the end with --target-time TIME or --target-seq N");
      }
      if (time == null) {
        if (all) {
          throw new UsageException("--all needs --target-time: seqs are those of one tenant");
        }
        return new Target.Seq(number("--target-seq", String.valueOf(seq)));
      }
      try {
        return new Target.Time(Values.time(time).toEpochMilli());
      } catch (IllegalArgumentException wrong) {
        throw new UsageException("--target-time: '" + time + "': " + wrong.getMessage());
      }
    }
  }

  static long number(String flag, String text) {
    if (!text.matches("[1-9][0-9]{0,17}")) {
      throw new UsageException(flag + ": '" + text + "': it is a number, at least 1");
    }
    return Long.parseLong(text);
  }

  private static void report(
      Session session, CommonFlags common, String url, List<Cut> cuts, @Nullable Path made) {
    if (common.json()) {
      ArrayNode array = JSON.createArrayNode();
      cuts.forEach(cut -> array.add(json(cut)));
      session.out().json(array.toString());
      return;
    }
    for (Cut cut : cuts) {
      print(session.out(), cut, made == null);
    }
    if (made != null) {
      session
          .out()
          .line(
              "Restored into "
                  + made
                  + ". To serve on it: echopost-hub serve --data "
                  + made
                  + " --objects "
                  + url);
    }
  }

  private static void print(Output out, Cut cut, boolean isDryRun) {
    StringBuilder line = new StringBuilder("tenant " + cut.tenant() + ": ");
    line.append(
        cut.seq() == 0
            ? "no record"
            : "seq 1 to " + cut.seq() + ", the last received " + RecordLine.time(cut.receivedAt()));
    line.append(
        cut.snapshotId() == null
            ? "; no snapshot"
            : "; snapshot " + cut.snapshotId() + " (to seq " + cut.snapshotSeq() + ")");
    line.append(", then ").append(StatusText.count(cut.segments().size(), "archive segment"));
    out.line(line.toString());
    if (cut.roundedFrom() != null) {
      out.line(
          "  seq "
              + cut.roundedFrom()
              + " is inside a transaction, which stays whole: the cut is before it");
    }
    if (cut.archiveSeq() > cut.seq()) {
      out.line("  left out: seq " + (cut.seq() + 1) + " to " + cut.archiveSeq());
    }
    if (isDryRun && !cut.tenant().equals(TenantName.CONTROL)) {
      long most = Math.max(cut.nearBefore(), cut.nearAfter());
      if (cut.nearBefore() + cut.nearAfter() > cut.around().size()) {
        out.line(
            "  within 5 s of the cut are "
                + StatusText.count(cut.nearBefore(), "record")
                + " before it and "
                + StatusText.count(cut.nearAfter(), "record")
                + " behind it; these are the nearest, --around "
                + most
                + " prints all");
      }
      for (Cut.Near near : cut.around()) {
        out.line(
            "  "
                + (near.isRestored() ? "restored" : "left out")
                + "  seq "
                + near.seq()
                + "  "
                + RecordLine.time(near.receivedAt())
                + "  "
                + near.key());
      }
    }
  }

  private static ObjectNode json(Cut cut) {
    ObjectNode json =
        JSON.createObjectNode()
            .put("tenant", cut.tenant())
            .put("snapshot_id", cut.snapshotId())
            .put("snapshot_seq", cut.snapshotSeq())
            .put("seq", cut.seq())
            .put("received_at", cut.seq() == 0 ? null : RecordLine.time(cut.receivedAt()))
            .put("archive_seq", cut.archiveSeq());
    if (cut.roundedFrom() != null) {
      json.put("rounded_from", cut.roundedFrom());
    }
    json.put("near_before", cut.nearBefore()).put("near_after", cut.nearAfter());
    ArrayNode segments = json.putArray("segments");
    cut.segments().forEach(segments::add);
    ArrayNode around = json.putArray("around");
    for (Cut.Near near : cut.around()) {
      around
          .addObject()
          .put("seq", near.seq())
          .put("key", near.key())
          .put("received_at", RecordLine.time(near.receivedAt()))
          .put("restored", near.isRestored());
    }
    return json;
  }

  @Command(name = "list-snapshots", description = "Lists the finished snapshots of a tenant.")
  static final class ListSnapshots implements Callable<Integer> {
    private final Session session;

    @Mixin private final CommonFlags common = new CommonFlags();
    @Mixin private final ObjectsFlags objects = new ObjectsFlags();
    @Mixin private final TenantFlag tenant = new TenantFlag();

    ListSnapshots(Session session) {
      this.session = session;
    }

    @Override
    public Integer call() throws Exception {
      return onStore(
          session, common, objects, restorer -> print(restorer.snapshots(tenant.tenant())));
    }

    private void print(List<Snapshot> snapshots) {
      if (common.json()) {
        ArrayNode array = JSON.createArrayNode();
        for (Snapshot snapshot : snapshots) {
          array
              .addObject()
              .put("snapshot_id", snapshot.id())
              .put("timestamp", snapshot.manifest().timestamp().toString())
              .put("seq", snapshot.manifest().seq())
              .put("bytes", snapshot.bytes());
        }
        session.out().json(array.toString());
        return;
      }
      Table table = new Table("snapshot", "seq", "size");
      for (Snapshot snapshot : snapshots) {
        table.row(
            snapshot.id(),
            Long.toString(snapshot.manifest().seq()),
            StatusText.bytes(snapshot.bytes()));
      }
      table.print(session.out());
    }
  }

  @Command(
      name = "from-snapshot",
      description =
          "Makes a data directory with the state of one snapshot, without what came after.")
  static final class FromSnapshot implements Callable<Integer> {
    private final Session session;

    @Mixin private final CommonFlags common = new CommonFlags();
    @Mixin private final ObjectsFlags objects = new ObjectsFlags();
    @Mixin private final TenantFlag tenant = new TenantFlag();

    @Option(
        names = "--snapshot-id",
        paramLabel = "ID",
        required = true,
        description = "As 'restore list-snapshots' names it.")
    private @Nullable String snapshot;

    @Option(
        names = "--output-dir",
        paramLabel = "DIR",
        required = true,
        description = "The directory to make; it is empty or does not exist.")
    private @Nullable Path output;

    FromSnapshot(Session session) {
      this.session = session;
    }

    @Override
    public Integer call() throws Exception {
      Path directory = Objects.requireNonNull(output);
      return onStore(
          session,
          common,
          objects,
          restorer ->
              report(
                  session,
                  common,
                  restorer.url(),
                  restorer.fromSnapshot(tenant.tenant(), String.valueOf(snapshot), directory),
                  directory));
    }
  }

  @Command(
      name = "replay-archive",
      description =
          "Continues a restored directory, on which no hub has run, to the archive's end.")
  static final class ReplayArchive implements Callable<Integer> {
    private final Session session;

    @Mixin private final CommonFlags common = new CommonFlags();
    @Mixin private final ObjectsFlags objects = new ObjectsFlags();
    @Mixin private final TenantFlag tenant = new TenantFlag();

    @Option(
        names = "--from-position",
        paramLabel = "SEQ",
        required = true,
        description = "The next seq of the directory's tenant.")
    private @Nullable String from;

    @Option(
        names = "--data-dir",
        paramLabel = "DIR",
        required = true,
        description = "The restored directory.")
    private @Nullable Path directory;

    ReplayArchive(Session session) {
      this.session = session;
    }

    @Override
    public Integer call() throws Exception {
      Path data = Objects.requireNonNull(directory);
      long seq = number("--from-position", String.valueOf(from));
      return onStore(
          session,
          common,
          objects,
          restorer ->
              report(
                  session,
                  common,
                  restorer.url(),
                  List.of(restorer.replay(tenant.tenant(), seq, data)),
                  data));
    }
  }
}
