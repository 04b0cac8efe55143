package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.Administration;
import com.datanadhi.hub.admin.Administration.LogCheck;
import com.datanadhi.hub.admin.Administration.TenantHead;
import com.datanadhi.hub.admin.Administration.TenantsCheck;
import com.datanadhi.hub.admin.AdministrationException;
import com.datanadhi.hub.hub.DataDirectoryLock;
import com.datanadhi.hub.hub.LogCheckup;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.query.RecordLine;
import com.datanadhi.hub.restore.RestoreException;
import com.datanadhi.hub.restore.StoreVerifier;
import com.datanadhi.hub.restore.StoreVerifier.Scope;
import com.datanadhi.hub.restore.StoreVerifier.Verified;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.EventFilter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `verify` and its subcommands.
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

  @Command(
      name = "tenants",
      description = {
        "Checks each tenant's database: SQLite's check, the digest of each record, and the chain.",
        "Prints one line for each fault, and exits with 1 if there is one."
      })
  static final class Tenants implements Callable<Integer> {
    private final Session session;

    @Mixin private final CommonFlags common = new CommonFlags();

    @Option(names = "--tenant-id", paramLabel = "T", description = "Only this tenant.")
    private @Nullable String tenant;

    Tenants(Session session) {
      this.session = session;
    }

    @Override
    public Integer call() throws Exception {
      String name = tenant == null ? null : TenantFlag.check(tenant);
      return session.onHub(
          common,
          (hub, _) -> {
            TenantsCheck check = hub.verifyTenants(name);
            print(check);
            return check.faults().isEmpty() ? ExitStatus.DONE : ExitStatus.FAILED;
          });
    }

    private void print(TenantsCheck check) {
      if (common.json()) {
        ObjectNode json =
            new JsonMapper()
                .createObjectNode()
                .put("tenants", check.tenants())
                .put("records", check.records());
        ArrayNode faults = json.putArray("faults");
        check.faults().forEach(faults::add);
        session.out().json(json.toString());
        return;
      }
      check.faults().forEach(session.out()::line);
      session
          .out()
          .line(
              StatusText.count(check.records(), "record")
                  + " of "
                  + StatusText.count(check.tenants(), "database")
                  + " read; "
                  + (check.faults().isEmpty()
                      ? "no fault"
                      : StatusText.count(check.faults().size(), "fault")));
    }
  }

  /// `verify archive`, `snapshots` and `all`.
  static final class Store implements Callable<Integer> {
    private final Session session;
    private final Scope scope;
    private final boolean isAll;

    @Mixin private final CommonFlags common = new CommonFlags();
    @Mixin private final ObjectsFlags objects = new ObjectsFlags();

    @Option(names = "--tenant-id", paramLabel = "T", description = "Only this tenant.")
    private @Nullable String tenant;

    @Option(
        names = "--expect-seq",
        paramLabel = "N",
        description = "The archive of the tenant has to reach this seq.")
    private @Nullable String expected;

    private Store(Session session, Scope scope, boolean isAll) {
      this.session = session;
      this.scope = scope;
      this.isAll = isAll;
    }

    static CommandLine archive(Session session) {
      return command(
          new Store(session, new Scope(true, false), false),
          "archive",
          "Checks every object of the archive: digests, the order of seqs, and the chain over"
              + " all.");
    }

    static CommandLine snapshots(Session session) {
      return command(
          new Store(session, new Scope(false, true), false),
          "snapshots",
          "Downloads each snapshot and checks it: digests, SQLite's check, and its manifest.");
    }

    static CommandLine all(Session session) {
      return command(
          new Store(session, new Scope(true, true), true),
          "all",
          "Checks archive and snapshots and compares their chains; with --data, or by default, also"
              + " log and databases, and the chain of each with the archive's.");
    }

    private static CommandLine command(Store store, String name, String description) {
      CommandLine command = new CommandLine(store);
      command
          .getCommandSpec()
          .name(name)
          .usageMessage()
          .description(
              description, "Prints one line for each fault, and exits with 1 if there is one.");
      return command;
    }

    @Override
    public Integer call() throws Exception {
      Long seq = expected == null ? null : RestoreCommands.number("--expect-seq", expected);
      if (seq != null && tenant == null) {
        throw new UsageException("--expect-seq needs --tenant-id: seqs are those of one tenant");
      }
      String name = tenant == null ? null : TenantFlag.check(tenant);
      try (ObjectStore store = objects.open(common, session.environment())) {
        StoreVerifier verifier = new StoreVerifier(store, Clock.system());
        if (objects.isGiven() && !common.isDataGiven()) {
          return verify(verifier, name, seq, null);
        }
        return session.onHub(common, (hub, _) -> verify(verifier, name, seq, hub));
      }
    }

    private int verify(
        StoreVerifier verifier,
        @Nullable String name,
        @Nullable Long seq,
        @Nullable Administration hub)
        throws AdministrationException, IOException, InterruptedException {
      List<String> faults = new ArrayList<>();
      if (isAll && hub != null) {
        faults.addAll(hub.verifyLog().faults());
        faults.addAll(hub.verifyTenants(name).faults());
      }
      if (name == null) {
        faults.addAll(verifier.unknownFolders(scope));
      }
      List<Verified> results = new ArrayList<>();
      for (String one : name == null ? tenants(verifier, hub) : List.of(name)) {
        LiveChains live = LiveChains.of(hub, verifier, one);
        Verified verified =
            verifier.verify(one, scope, seq, scope.archive() ? live.chains() : new TreeMap<>());
        results.add(verified);
        faults.addAll(verified.faults());
        if (scope.archive()) {
          faults.addAll(live.missingEnd(verified.archiveSeq()));
        }
      }
      report(results, faults, seq != null || hub != null);
      return faults.isEmpty() ? ExitStatus.DONE : ExitStatus.FAILED;
    }

    /// Those of the store, and those of the hub, of which the store can have lost everything.
    private static Collection<String> tenants(StoreVerifier verifier, @Nullable Administration hub)
        throws AdministrationException, IOException, InterruptedException {
      SortedSet<String> all = new TreeSet<>(verifier.tenants());
      if (hub != null) {
        hub.tenantHeads(null).forEach(head -> all.add(head.tenant()));
      }
      return all;
    }

    private void report(List<Verified> results, List<String> faults, boolean isEndJudged) {
      if (common.json()) {
        ObjectNode json = new JsonMapper().createObjectNode();
        ArrayNode tenants = json.putArray("tenants");
        for (Verified verified : results) {
          ObjectNode one = tenants.addObject().put("tenant", verified.tenant());
          one.put("archive_seq", verified.archiveSeq());
          one.put("snapshots", verified.snapshots());
        }
        ArrayNode all = json.putArray("faults");
        faults.forEach(all::add);
        session.out().json(json.toString());
        return;
      }
      faults.forEach(session.out()::line);
      for (Verified verified : results) {
        StringBuilder line = new StringBuilder("tenant " + verified.tenant() + ": ");
        if (verified.archiveSeq() != null) {
          line.append(
              verified.faults().isEmpty()
                  ? "archive complete through seq " + verified.archiveSeq()
                  : "archive with faults, its last seq is " + verified.archiveSeq());
          if (!isEndJudged && verified.snapshots() == null) {
            line.append("; what came after cannot be judged");
          }
        }
        if (verified.snapshots() != null) {
          line.append(verified.archiveSeq() == null ? "" : ", ")
              .append(StatusText.count(verified.snapshots(), "sound snapshot"));
        }
        session.out().line(line.toString());
      }
      session.out().line(faults.isEmpty() ? "no fault" : StatusText.count(faults.size(), "fault"));
    }
  }

  /// What the live database of a tenant says about its archive, as of before that was read.
  ///
  /// @param chains of the live database, at the archive's end
  /// @param archivedSeq the last seq that the hub knew to be archived, or -1
  /// @param late records that were received before this moment should be archived
  private record LiveChains(
      @Nullable Administration hub,
      String tenant,
      SortedMap<Long, String> chains,
      long archivedSeq,
      long late) {

    static LiveChains of(@Nullable Administration hub, StoreVerifier verifier, String tenant)
        throws AdministrationException, IOException, InterruptedException {
      SortedMap<Long, String> chains = new TreeMap<>();
      long archivedSeq = -1;
      long late = Clock.system().wallMillis() - StoreVerifier.LATE.toMillis();
      if (hub != null) {
        archivedSeq = archivedSeq(hub, tenant);
        noteChainAtEnd(hub, verifier, tenant, chains);
      }
      return new LiveChains(hub, tenant, chains, archivedSeq, late);
    }

    private static void noteChainAtEnd(
        Administration hub, StoreVerifier verifier, String tenant, SortedMap<Long, String> chains)
        throws AdministrationException, IOException, InterruptedException {
      try {
        long end = verifier.archiveEnd(tenant);
        String chain = end == 0 ? null : hub.chainAt(tenant, end);
        if (chain != null) {
          chains.put(end, chain);
        }
      } catch (RestoreException fault) {
        // The verifier names it, and there is no chain to compare.
        chains.clear();
      }
    }

    private static long archivedSeq(Administration hub, String tenant)
        throws AdministrationException, InterruptedException {
      try {
        return hub.tenantHeads(tenant).stream().mapToLong(TenantHead::archivedSeq).max().orElse(-1);
      } catch (AdministrationException notHere) {
        if (notHere.reason() != AdministrationException.Reason.NOT_FOUND) {
          throw notHere;
        }
        return -1;
      }
    }

    /// A fault if records are missing at the archive's end that the hub has archived, or that
    /// should have been archived.
    List<String> missingEnd(@Nullable Long archiveSeq)
        throws AdministrationException, InterruptedException {
      if (hub == null || archiveSeq == null) {
        return List.of();
      }
      if (archivedSeq > archiveSeq) {
        return List.of(
            "tenant "
                + tenant
                + ": the archive ends with seq "
                + archiveSeq
                + ", and this hub has archived it through seq "
                + archivedSeq
                + ": its end is missing");
      }
      List<String> faults = new ArrayList<>();
      try {
        long _ =
            hub.records(
                tenant,
                new EventFilter(archiveSeq + 1, 1, null, null, null),
                event -> {
                  if (event.receivedAt() < late) {
                    faults.add(
                        "tenant "
                            + tenant
                            + ": the archive ends with seq "
                            + archiveSeq
                            + ", and seq "
                            + event.seq()
                            + " was received at "
                            + RecordLine.time(event.receivedAt())
                            + ": its end is missing, or archiving does not go on");
                  }
                  return false;
                });
      } catch (AdministrationException notHere) {
        if (notHere.reason() != AdministrationException.Reason.NOT_FOUND) {
          throw notHere;
        }
      }
      return faults;
    }
  }
}
