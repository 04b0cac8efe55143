package com.datanadhi.hub.hub;

import com.datanadhi.hub.admin.AdminServer;
import com.datanadhi.hub.admin.HubLauncher;
import com.datanadhi.hub.admin.HubSettings;
import com.datanadhi.hub.admin.Ownership;
import com.datanadhi.hub.grpc.GrpcDoor;
import com.datanadhi.hub.grpc.GrpcSettings;
import com.datanadhi.hub.health.AppendHealth;
import com.datanadhi.hub.http.DoorSettings;
import com.datanadhi.hub.http.HttpDoor;
import com.datanadhi.hub.http.RecordSource;
import com.datanadhi.hub.http.Services;
import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.metrics.HubMetrics;
import com.datanadhi.hub.restore.ServingRefusedException;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.tls.TlsException;
import com.datanadhi.hub.tls.TlsSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/// Runs a hub: opens its directory, then the doors, and runs receiving, applying and upkeep as
/// siblings until a signal or a failure ends them.
public final class HubRun implements HubLauncher {
  private static final int DONE = 0;
  private static final int FAILED = 1;

  private final Runnable whenReady;

  /// @param whenReady runs once the hub serves
  public HubRun(Runnable whenReady) {
    this.whenReady = whenReady;
  }

  @Override
  public int run(HubSettings settings, String version, Ownership ownership)
      throws InvalidSettingException, InterruptedException {
    Clock clock = Clock.system();
    long started = clock.nanoTime();
    Descriptors descriptors = Descriptors.of(Descriptors.limit());
    StopSignal stop = StopSignal.install();
    try (HubLog _ = HubLog.open()) {
      Events.info(
          "hub_started",
          "version",
          version,
          "pid",
          ProcessHandle.current().pid(),
          "data",
          settings.dataDirectory(),
          "durability",
          settings.durability().text());
      warn(settings, descriptors);
      HubMetrics metrics = new HubMetrics();
      try (OpenDirectory directory =
          OpenDirectory.open(
              settings,
              (records, bytes, nanos) -> metrics.appended(records, nanos),
              metrics::committed,
              clock,
              true)) {
        return serve(directory, ownership, version, metrics, stop, started, descriptors);
      } catch (ServingRefusedException refused) {
        Events.severe("hub_failed", null, "reason", refused.getMessage());
        return FAILED;
      } catch (IOException failed) {
        Events.severe("hub_failed", failed, "reason", failed.toString());
        return FAILED;
      }
    }
  }

  private static void warn(HubSettings settings, Descriptors descriptors) {
    if (descriptors.areShort()) {
      Events.info(
          "connections_bounded",
          "http",
          descriptors.http(),
          "grpc",
          descriptors.grpc(),
          "reason",
          "the process may open " + Descriptors.limit() + " files");
    }
    settings.warnings().forEach(warning -> Events.warning("setting", "reason", warning));
    if (settings.durability() != Durability.FSYNC) {
      Events.warning(
          "durability_weaker_than_fsync",
          "durability",
          settings.durability().text(),
          "effect",
          settings.durability() == Durability.WAL
              ? "a power loss can lose the last second of acknowledged records"
              : "a killed process or a power loss can lose the last second of acknowledged"
                  + " records");
    }
  }

  private int serve(
      OpenDirectory directory,
      Ownership ownership,
      String version,
      HubMetrics metrics,
      StopSignal stop,
      long startedNanos,
      Descriptors descriptors)
      throws InvalidSettingException, IOException, InterruptedException {
    HubSettings settings = directory.settings;
    Path data = settings.dataDirectory();
    AppendHealth appendHealth = new AppendHealth(directory.clock);
    DiskRoom disk = new DiskRoom(data, settings.segmentBytes(), directory::unappliedBytes);
    AppendGate gate = new AppendGate(directory.intake, appendHealth, disk, directory::heldBack);
    Admission admission = new Admission(settings.bufferBytes());
    try (Backups backups =
        new Backups(
            directory,
            version,
            System.getenv(),
            directory.clockGuard::isPaused,
            () -> disk.problem() != null)) {
      String sameDisk = backups.sameDiskWarning();
      if (sameDisk != null) {
        Events.warning("setting", "reason", sameDisk);
      }
      backups.start();
      directory.use(backups);
      return serve(
          new Parts(directory, appendHealth, disk, gate, admission, backups),
          ownership,
          version,
          metrics,
          stop,
          startedNanos,
          descriptors);
    }
  }

  /// What a running hub consists of besides its doors.
  private record Parts(
      OpenDirectory directory,
      AppendHealth appendHealth,
      DiskRoom disk,
      AppendGate gate,
      Admission admission,
      Backups backups) {}

  private int serve(
      Parts parts,
      Ownership ownership,
      String version,
      HubMetrics metrics,
      StopSignal stop,
      long startedNanos,
      Descriptors descriptors)
      throws InvalidSettingException, IOException, InterruptedException {
    OpenDirectory directory = parts.directory();
    AppendGate gate = parts.gate();
    Admission admission = parts.admission();
    Backups backups = parts.backups();
    HubSettings settings = directory.settings;
    Path data = settings.dataDirectory();
    HubHealth health = new HubHealth(directory, gate, backups);
    HubAdministration administration = new HubAdministration(directory, health, backups, version);
    Upkeep upkeep =
        new Upkeep(directory, parts.disk(), new AppendProbe(data, parts.appendHealth()));
    upkeep.turn();
    backups.awaitFirstProbe();
    // Before a sender is answered: API keys can be missing.
    backups.checkForOldCopy(stop::isStopping);
    if (stop.isStopping()) {
      return DONE;
    }
    new MetricsOfHub(directory, gate, admission, backups, metrics).register();
    TlsSettings tls = TlsSettings.of(settings.tlsCertificate(), settings.tlsKey());

    try (AdminServer admin = AdminServer.open(data, administration);
        HttpDoor http =
            new HttpDoor(
                DoorSettings.standard(descriptors.http()),
                new Services(
                    directory.control,
                    gate,
                    admission::tryAcquire,
                    RecordSource.of(directory.queries),
                    health,
                    metrics::text,
                    metrics::answered))) {
      metrics.gauge("hub_http_connections", "Open HTTP connections.", http::connections);
      startHttp(http, settings, tls);
      directory.loadTail();
      gate.open();
      try (GrpcDoor grpc =
          startGrpc(directory, settings, tls, gate, admission, health, descriptors.grpc())) {
        InetSocketAddress grpcAddress = grpc == null ? null : grpc.address();
        Events.info(
            "hub_ready",
            "listen",
            text(settings.listen().host(), http.port()),
            "grpc_listen",
            grpcAddress == null ? null : text(grpcAddress.getHostString(), grpcAddress.getPort()),
            "seconds",
            (directory.clock.nanoTime() - startedNanos) / 1e9);
        whenReady.run();
        DirectoryNames names = new DirectoryNames(ownership, admin);
        boolean inOrder = runSiblings(directory, backups, upkeep, names, stop, http);
        Events.info("hub_stopping");
        closeTogether(http, grpc);
        if (inOrder) {
          directory.applyRest();
        }
        return inOrder ? DONE : FAILED;
      }
    }
  }

  /// Both doors finish their requests at the same time, so that the end takes as long as one.
  private static void closeTogether(HttpDoor http, @Nullable GrpcDoor grpc)
      throws IOException, InterruptedException {
    Thread grpcClosing =
        Thread.ofVirtual()
            .start(() -> {
              if (grpc != null) {
                grpc.close();
              }
            });
    http.close();
    grpcClosing.join();
  }

  /// @return whether a signal ended it
  private static boolean runSiblings(
      OpenDirectory directory,
      Backups backups,
      Upkeep upkeep,
      DirectoryNames names,
      StopSignal stop,
      HttpDoor http)
      throws InterruptedException {
    // SQLite's calls keep a virtual thread's carrier busy, of which there is one a processor, and
    // requests would wait for it.
    ThreadFactory threads = Thread.ofPlatform().name("hub-", 1).factory();
    try (var scope =
        StructuredTaskScope.open(
            new FirstCompletedJoiner(),
            configuration -> configuration.withThreadFactory(threads))) {
      scope.fork(() -> loop(directory.apply::run));
      scope.fork(() -> loop(directory.checkpointer::run));
      scope.fork(() -> loop(directory.mailboxes::run));
      scope.fork(() -> loop(directory.recovery::run));
      scope.fork(() -> loop(directory.viewRetention::run));
      scope.fork(() -> loop(upkeep::run));
      scope.fork(() -> loop(backups::runArchiver));
      scope.fork(() -> loop(backups::runSnapshots));
      scope.fork(() -> loop(backups::runRetention));
      scope.fork(() -> loop(backups::runDrills));
      scope.fork(() -> loop(names::run));
      scope.fork(() -> logFailure(directory));
      scope.fork(() -> {
        while (!stop.await()) {
          rotate(directory);
        }
        http.stopAccepting();
        return End.SIGNAL;
      });
      End end = scope.join();
      directory.stopLoops();
      backups.stop();
      return end == End.SIGNAL;
    } catch (StructuredTaskScope.FailedException failed) {
      Throwable cause = failed.getCause() == null ? failed : failed.getCause();
      Events.severe("hub_failed", cause, "reason", cause.toString());
      directory.stopLoops();
      backups.stop();
      return false;
    }
  }

  /// How a sibling ended.
  enum End {
    /// A signal asked for it.
    SIGNAL,
    /// It ended by itself, which none does while the hub runs.
    OVER
  }

  @FunctionalInterface
  private interface Loop {
    void run() throws Exception;
  }

  private static End loop(Loop loop) throws Exception {
    loop.run();
    return End.OVER;
  }

  private static End logFailure(OpenDirectory directory) throws Exception {
    Throwable failure = directory.log.failure().toCompletableFuture().get();
    throw new IOException("the log cannot go on: " + failure.getMessage(), failure);
  }

  private static void rotate(OpenDirectory directory) throws IOException {
    for (String stream : directory.log.streams()) {
      directory.log.rotate(stream);
    }
    Events.info("log_rotated", "cause", "SIGHUP");
  }

  private static void startHttp(HttpDoor http, HubSettings settings, @Nullable TlsSettings tls)
      throws InvalidSettingException {
    try {
      http.start(address("--listen", settings.listen()), tls);
    } catch (TlsException unusable) {
      throw new InvalidSettingException(String.valueOf(unusable.getMessage()));
    } catch (IOException cannotBind) {
      throw new InvalidSettingException(
          "cannot listen on "
              + settings.listen()
              + " ("
              + reason(cannotBind)
              + "): choose another address with --listen");
    }
  }

  private static @Nullable GrpcDoor startGrpc(
      OpenDirectory directory,
      HubSettings settings,
      @Nullable TlsSettings tls,
      AppendGate gate,
      Admission admission,
      HubHealth health,
      int maxConnections)
      throws InvalidSettingException {
    HubSettings.Address listen = settings.grpcListen();
    if (listen == null) {
      return null;
    }
    try {
      return new GrpcDoor(
          new GrpcSettings(address("--grpc-listen", listen), maxConnections, tls),
          directory.control,
          gate,
          admission,
          directory.queries,
          () -> health.appendProblem() == null);
    } catch (IOException cannotBind) {
      throw new InvalidSettingException(
          "cannot serve gRPC on "
              + listen
              + " ("
              + reason(cannotBind)
              + "): choose another address with --grpc-listen, or 'off'");
    }
  }

  /// What the system says, such as "Address already in use", beneath the libraries' words.
  static String reason(Throwable failed) {
    Throwable cause = failed;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage();
    return message == null ? cause.toString() : message;
  }

  private static InetSocketAddress address(String flag, HubSettings.Address address)
      throws InvalidSettingException {
    try {
      return new InetSocketAddress(InetAddress.getByName(address.host()), address.port());
    } catch (UnknownHostException unknown) {
      throw new InvalidSettingException(
          "the host of " + flag + " " + address + " is unknown: use an address of this machine");
    }
  }

  private static String text(String host, int port) {
    return new HubSettings.Address(host, port).toString();
  }
}
