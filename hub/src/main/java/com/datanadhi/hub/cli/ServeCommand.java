package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.HubLauncher;
import com.datanadhi.hub.admin.HubSettings;
import com.datanadhi.hub.hub.DataDirectoryLock;
import com.datanadhi.hub.logging.Events;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.logging.Handler;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

@Command(
    name = "serve",
    description = {
      "Runs a hub until it gets SIGTERM or SIGINT: receives records over HTTP and gRPC, keeps them"
          + " in its log, and applies them to one SQLite database a tenant.",
      "Each flag is also an environment variable, such as HUB_LISTEN for --listen; the flag wins."
    })
final class ServeCommand implements Callable<Integer> {
  /// Another command holds the lock only for a moment.
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private static final Map<String, String[]> SHOWN = shown();

  private final Session session;

  @Spec private @Nullable CommandSpec spec;

  ServeCommand(Session session) {
    this.session = session;
  }

  /// Flag: the name of its value, then what it is.
  private static Map<String, String[]> shown() {
    Map<String, String[]> all = new LinkedHashMap<>();
    all.put("data", words("DIR", "The data directory; created if it does not exist."));
    all.put("listen", words("HOST:PORT", "Where HTTP is served."));
    all.put("grpc-listen", words("HOST:PORT", "Where gRPC is served; 'off' for nowhere."));
    all.put(
        "durability",
        words(
            "LEVEL",
            "When a record counts as stored: 'fsync' on stable storage, 'wal' written (survives a"
                + " killed process, not a power loss), 'ram' in memory. The last two are synced"
                + " within one second."));
    all.put("log", words("ENGINE", "The log's engine: 'segments'."));
    all.put("segment-bytes", words("SIZE", "Size at which a log segment is sealed."));
    all.put("segment-age", words("DURATION", "Age at which a log segment is sealed."));
    all.put(
        "log-retention",
        words(
            "DURATION",
            "How long a segment stays after everything in it is proven to be kept elsewhere."));
    all.put(
        "log-retention-bytes",
        words("SIZE", "Bound of such segments; the oldest leave earlier (default: none)."));
    all.put(
        "buffer-bytes",
        words("SIZE", "Bound of requests and records in memory; beyond it senders get 503."));
    all.put(
        "key-horizon",
        words("DURATION", "How long an idempotency key is known; those of a source for ever."));
    all.put(
        "view-retention",
        words(
            "DURATION",
            "Age at which records leave SQLite, when they are archived (default: never)."));
    all.put(
        "objects",
        words(
            "URL",
            "Where archive and snapshots go: file:PATH or s3://BUCKET/PREFIX (default:"
                + " file:DIR/objects)."));
    all.put(
        "archive",
        words(
            "on|off",
            "'on' archives every record, and keeps log segments until theirs are archived. 'off'"
                + " lets segments leave when their records are in SQLite, durably."));
    all.put(
        "archive-interval",
        words("DURATION", "How old a record becomes at most before it is archived."));
    all.put("archive-retention", words("DURATION", "How long an archived record stays."));
    all.put("snapshots", words("on|off", "Whether snapshots are taken."));
    all.put("snapshot-interval", words("DURATION", "Time between two snapshots of a tenant."));
    all.put("snapshot-keep", words("N", "How many snapshots of a tenant stay."));
    all.put("drill-interval", words("DURATION", "Time between two tries of a restore."));
    all.put("tls-cert", words("FILE", "Certificate chain in PEM; read again when it changes."));
    all.put("tls-key", words("FILE", "Its private key in PEM."));
    return all;
  }

  private static String[] words(String label, String description) {
    return new String[] {label, description};
  }

  /// Adds the flags to the command. Those of parts that this version does not have are not shown.
  static void addFlags(CommandSpec spec) {
    ServeFlags.DEFAULTS.forEach((flag, value) -> {
      String[] words = SHOWN.get(flag);
      OptionSpec.Builder option = OptionSpec.builder("--" + flag).type(String.class);
      if (flag.equals("kafka-allow-weak")) {
        option.arity("0..1").fallbackValue("true");
      }
      if (words == null) {
        option.hidden(true);
      } else {
        option
            .paramLabel(words[0])
            .description(words[1] + (value.isEmpty() ? "" : " (default: " + value + ")"));
      }
      spec.addOption(option.build());
    });
  }

  @Override
  public Integer call() throws Exception {
    ParseResult parsed = Objects.requireNonNull(spec).commandLine().getParseResult();
    Map<String, String> given = new LinkedHashMap<>();
    for (String flag : ServeFlags.DEFAULTS.keySet()) {
      if (parsed.hasMatchedOption("--" + flag)) {
        given.put(flag, parsed.matchedOptionValue("--" + flag, ""));
      }
    }
    ServeFlags flags = new ServeFlags(given, session.environment());
    HubSettings settings = flags.settings();
    DataDirectory.prepare(settings.dataDirectory());
    try (DataDirectoryLock lock = DataDirectoryLock.take(settings.dataDirectory(), PATIENCE)) {
      HubNotes.write(settings.dataDirectory(), session.version(), flags.inForce());
      return session.launcher().run(settings, session.version(), () -> keep(lock));
    } catch (HubLauncher.InvalidSettingException invalid) {
      throw new UsageException(String.valueOf(invalid.getMessage()));
    }
  }

  private static void keep(DataDirectoryLock lock) throws IOException {
    if (!lock.keep()) {
      Events.severe(
          "directory_taken",
          null,
          "reason",
          "another process has taken the data directory after hub.lock was deleted");
      for (Handler handler : Logger.getLogger("").getHandlers()) {
        handler.close();
      }
      // An end in order would write to the log, which is the other's now.
      Runtime.getRuntime().halt(1);
    }
  }
}
