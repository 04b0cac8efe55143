package com.datanadhi.hub.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.admin.AdminClient;
import com.datanadhi.hub.admin.AdminServer;
import com.datanadhi.hub.admin.AdministrationException;
import com.datanadhi.hub.admin.HubSettings;
import com.datanadhi.hub.admin.HubStatus;
import com.datanadhi.hub.admin.OfflineHub;
import com.datanadhi.hub.control.ApiKey;
import com.datanadhi.hub.control.NewApiKey;
import com.datanadhi.hub.hub.DataDirectoryLock;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.SourceState;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CliTest {
  private record Result(int status, String out, String err) {}

  @TempDir private Path temporary;
  private final List<HubSettings> served = new ArrayList<>();

  private Path data() {
    return temporary.resolve("data");
  }

  private Result run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status = cli(out, err).run(arguments);
    return new Result(status, out.toString(UTF_8), err.toString(UTF_8));
  }

  private Cli cli(OutputStream out, OutputStream err) {
    return new Cli(
        (settings, _, _) -> {
          served.add(settings);
          return 0;
        },
        (settings, _) -> new ListHub(settings.dataDirectory(), null),
        Map.of("HUB_DATA", data().toString()),
        out,
        err);
  }

  @Test
  void serve_creates_the_directory_and_notes_its_flags_for_commands() throws Exception {
    Result result = run("serve", "--durability=wal", "--segment-bytes", "1MiB", "--archive", "off");
    assertThat(result).isEqualTo(new Result(0, "", ""));
    assertThat(served).hasSize(1);
    assertThat(Files.getPosixFilePermissions(data()))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    assertThat(HubNotes.settings(data())).isEqualTo(served.getFirst());
  }

  @Test
  void serve_refuses_a_directory_with_other_files_and_one_that_is_owned() throws Exception {
    Files.createDirectories(data());
    Files.writeString(data().resolve("letter.txt"), "dear");
    assertThat(run("serve").status()).isEqualTo(2);
    Files.delete(data().resolve("letter.txt"));
    try (DataDirectoryLock _ = DataDirectoryLock.take(data(), Duration.ZERO)) {
      Result result = run("serve");
      assertThat(result.status()).isEqualTo(3);
      assertThat(result.err()).contains("process " + ProcessHandle.current().pid());
    }
    assertThat(served).isEmpty();
    assertThat(run("serve").status()).isZero();
  }

  @Test
  void serve_says_why_a_directory_cannot_be_created() {
    Result result = run("serve", "--data", "/proc/echopost-hub");
    assertThat(result.status()).isEqualTo(2);
    assertThat(result.err())
        .startsWith("echopost-hub: --data: cannot create /proc/echopost-hub (")
        .contains("choose another directory")
        .doesNotContain("Exception");
  }

  @Test
  void a_file_that_the_system_refuses_is_named_with_the_reason() throws Exception {
    assertThat(Failure.text(new AccessDeniedException("/srv/hub/hub.lock")))
        .isEqualTo(
            "/srv/hub/hub.lock: Permission denied: run the command as the user of the hub, or as"
                + " root");
    assertThat(run("serve").status()).isZero();
    Path lock = data().resolve(DataDirectoryLock.NAME);
    Files.delete(lock);
    Files.createDirectory(lock);
    Result result = run("serve");
    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).startsWith("echopost-hub: " + lock + ": ").doesNotContain("Exception");
  }

  @Test
  void usage_errors_exit_with_2_and_name_the_help() {
    for (String[] wrong :
        new String[][] {
          {"serve", "--listen", "x"},
          {"serve", "--unknown"},
          {"frobnicate"},
          {"snapshot"},
          {"restore", "--tenant-id", "acme"},
          {"restore", "--all", "--target-seq", "5", "--output-dir", "x"},
          {"restore", "--all", "--target-time", "noon", "--output-dir", "x"},
          {"restore", "--tenant-id", "acme", "--target-seq", "5"},
          {"verify", "archive", "--objects", "file:x", "--expect-seq", "4"},
          {"verify", "archive", "--objects", "x"},
          {"drill", "--tenant-id", "acme", "--sample", "1"},
          {"key", "create"},
          {"key", "create", "--tenant-id", "Acme"},
          {"read", "--tenant-id", "acme", "--since", "yesterday"},
          {"read", "--tenant-id", "acme", "--limit", "0"},
          {"skip", "--position", "7", "--reason", "x"},
          {"key"},
          {}
        }) {
      Result result = run(wrong);
      assertThat(result.status()).as(String.join(" ", wrong)).isEqualTo(2);
      assertThat(result.out()).isEmpty();
      assertThat(result.err()).isNotEmpty();
    }
  }

  @Test
  void a_directory_on_which_no_hub_ever_ran_is_an_error_that_says_what_to_do() {
    Result result = run("status");
    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("--data DIR", "echopost-hub serve --data " + data());
    assertThat(data()).doesNotExist();
  }

  @Test
  void help_and_version_exit_with_0_and_list_only_what_exists() {
    assertThat(run("--version").out()).startsWith("echopost-hub ");
    Result help = run("-h");
    assertThat(help.status()).isZero();
    assertThat(help.out()).contains("serve", "verify", "skip", "snapshot", "drill");
    assertThat(run("serve", "--help").out())
        .contains("default: 127.0.0.1:5000")
        .doesNotContain("kafka");
  }

  @Test
  void commands_work_without_a_hub_under_the_lock() {
    assertThat(run("serve").status()).isZero();
    Result created = run("key", "create", "--tenant-id", "acme", "--json");
    assertThat(created.out())
        .isEqualTo("{\"id\":\"id1\",\"tenant\":\"acme\",\"name\":null,\"key\":\"dnhub_x\"}\n");
    assertThat(run("read", "--tenant-id", "acme", "--follow").status()).isEqualTo(2);
    assertThat(run("status").out()).contains("no hub runs on it");
  }

  @Test
  void commands_reach_the_running_hub_through_its_socket() throws Exception {
    assertThat(run("serve").status()).isZero();
    ListHub hub = new ListHub(data(), 42L);
    try (DataDirectoryLock _ = DataDirectoryLock.take(data(), Duration.ZERO);
        AdminServer _ = AdminServer.open(data(), hub)) {
      assertThat(run("key", "list").out()).contains("id1").contains("acme");
      assertThat(run("key", "revoke", "id1").status()).isZero();
      assertThat(run("key", "revoke", "none"))
          .isEqualTo(new Result(1, "", "echopost-hub: no key has the id none\n"));
      Result read = run("read", "--tenant-id", "acme", "--from", "2", "--limit", "2", "--json");
      assertThat(read.out().lines()).hasSize(2).first().asString().contains("\"seq\":2");
      assertThat(read.out()).doesNotContain("\u009b");
      assertThat(run("sources", "--tenant-id", "acme", "--json").out())
          .contains("\"complete_to\":2", "\"missing\":[[3,3]]");
      Result status = run("status", "--json");
      assertThat(status.status()).isZero();
      assertThat(status.out()).contains("\"pid\":42", "\"now\":\"2024-01-15T14:30:00.000Z\"");
      assertThat(run("verify", "log").status()).isEqualTo(1);
      assertThat(run("skip", "--position", "1a2b3c4d/events-0:7", "--reason", "bug").status())
          .isZero();
    }
    assertThat(data().resolve("hub.sock")).doesNotExist();
  }

  @Test
  void a_reader_that_has_enough_ends_the_command_quietly() throws Exception {
    assertThat(run("serve").status()).isZero();
    OutputStream closed =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("Broken pipe");
          }
        };
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    assertThat(cli(closed, err).run("read", "--tenant-id", "acme")).isZero();
    assertThat(err.toString(UTF_8)).isEmpty();
  }

  @Test
  void the_socket_is_for_its_user_only_and_for_one_server() throws Exception {
    Files.createDirectories(data());
    ListHub hub = new ListHub(data(), 42L);
    try (AdminServer _ = AdminServer.open(data(), hub)) {
      assertThat(Files.getPosixFilePermissions(data().resolve("hub.sock")))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
      assertThat(data().resolve(".admin")).doesNotExist();
      assertThatThrownBy(() -> AdminServer.open(data(), hub)).hasMessageContaining("listens");
    }
    assertThat(AdminClient.connect(data())).isNull();
  }

  @Test
  void a_directory_is_owned_by_the_hub_that_serves_it_also_without_its_lock_file()
      throws Exception {
    Files.createDirectories(data());
    try (AdminServer _ = AdminServer.open(data(), new ListHub(data(), 42L))) {
      Files.deleteIfExists(data().resolve(DataDirectoryLock.NAME));
      assertThatThrownBy(() -> DataDirectoryLock.take(data(), Duration.ZERO))
          .isInstanceOf(DataDirectoryLock.OwnedException.class);
    }
    DataDirectoryLock.take(data(), Duration.ZERO).close();
  }

  @Test
  void the_lock_and_the_socket_are_made_again_if_somebody_deletes_them() throws Exception {
    assertThat(run("serve").status()).isZero();
    try (DataDirectoryLock lock = DataDirectoryLock.take(data(), Duration.ZERO);
        AdminServer admin = AdminServer.open(data(), new ListHub(data(), 42L))) {
      Files.delete(data().resolve(DataDirectoryLock.NAME));
      Files.delete(data().resolve("hub.sock"));
      assertThat(lock.keep()).isTrue();
      admin.keep();
      assertThat(run("status", "--json").out()).contains("\"pid\":42");
      Files.delete(data().resolve("hub.sock"));
      assertThatThrownBy(() -> DataDirectoryLock.take(data(), Duration.ZERO))
          .isInstanceOf(DataDirectoryLock.OwnedException.class)
          .hasMessageContaining(ProcessHandle.current().pid() + "");
      assertThat(lock.keep()).isTrue();
    }
    DataDirectoryLock.take(data(), Duration.ZERO).close();
  }

  @Test
  void a_link_to_the_socket_is_made_again_and_stays() throws Exception {
    Path deep = data().resolve("d".repeat(100));
    Files.createDirectories(deep);
    try (AdminServer admin = AdminServer.open(deep, new ListHub(deep, 42L))) {
      Path link = deep.resolve("hub.sock");
      assertThat(link).isSymbolicLink();
      for (int round = 0; round < 3; round++) {
        Files.delete(link);
        admin.keep();
        assertThat(AdminServer.isServed(deep)).isTrue();
      }
    }
    assertThat(deep.resolve("hub.sock")).doesNotExist();
  }

  @Test
  void a_socket_that_nobody_listens_at_is_replaced_and_another_file_is_not() throws Exception {
    Files.createDirectories(data());
    Path socket = data().resolve("hub.sock");
    try (java.nio.channels.ServerSocketChannel left =
        java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      left.bind(java.net.UnixDomainSocketAddress.of(socket));
    }
    ListHub hub = new ListHub(data(), 42L);
    AdminServer.open(data(), hub).close();
    Files.writeString(socket, "a file");
    assertThatThrownBy(() -> AdminServer.open(data(), hub)).hasMessageContaining("not a socket");
    assertThat(socket).hasContent("a file");
  }

  @Test
  void a_path_too_long_for_a_socket_works_through_a_link() throws Exception {
    Path deep = Files.createDirectories(data().resolve("d".repeat(120)));
    try (AdminServer _ = AdminServer.open(deep, new ListHub(deep, 42L));
        AdminClient client = AdminClient.connect(deep)) {
      assertThat(client).isNotNull();
      assertThat(deep.resolve("hub.sock")).isSymbolicLink();
    }
    assertThat(Files.exists(deep.resolve("hub.sock"), java.nio.file.LinkOption.NOFOLLOW_LINKS))
        .isFalse();
  }

  @Test
  void a_path_with_any_characters_works() throws Exception {
    Path odd = Files.createDirectories(data().resolve("Übung 100%? #1"));
    try (AdminServer _ = AdminServer.open(odd, new ListHub(odd, 42L));
        AdminClient client = AdminClient.connect(odd)) {
      assertThat(Objects.requireNonNull(client).keys(null)).hasSize(1);
    }
  }

  /// A hub with three records, one key and one source.
  private record ListHub(Path directory, @Nullable Long pid) implements OfflineHub {
    @Override
    public NewApiKey createKey(String tenant, @Nullable String name) {
      return new NewApiKey("id1", tenant, name, "dnhub_x");
    }

    @Override
    public List<ApiKey> keys(@Nullable String tenant) {
      return List.of(new ApiKey("id1", "acme", null, 0, null));
    }

    @Override
    public ApiKey revokeKey(String id) throws AdministrationException {
      if (!id.equals("id1")) {
        throw new AdministrationException(
            AdministrationException.Reason.NOT_FOUND, "no key has the id " + id);
      }
      return new ApiKey("id1", "acme", null, 0, 1L);
    }

    @Override
    public HubStatus status() {
      return new HubStatus(
          "v1",
          directory.toString(),
          pid,
          pid == null ? null : Instant.EPOCH,
          Instant.parse("2024-01-15T14:30:00Z"),
          "1a2b3c4d-0000-0000-0000-000000000000",
          "fsync",
          pid != null,
          null,
          false,
          List.of(new HubStatus.Stream("events-0", 0, 10, 8, 5, 100, 1)),
          100,
          1,
          0,
          null,
          2,
          List.of(),
          List.of(),
          1,
          1,
          null,
          null,
          null,
          null,
          List.of());
    }

    @Override
    public TenantsCheck verifyTenants(@Nullable String tenant) {
      return new TenantsCheck(1, 3, List.of());
    }

    @Override
    public List<TenantHead> tenantHeads(@Nullable String tenant) {
      return List.of(new TenantHead("acme", 1, 3, "00", -1));
    }

    @Override
    public @Nullable String chainAt(String tenant, long seq) {
      return seq == 3 ? "00" : null;
    }

    @Override
    public TakenSnapshot takeSnapshot(String tenant) {
      return new TakenSnapshot("snap_2024-01-15T14:30:00Z", 3, 4_096);
    }

    @Override
    public void drill(@Nullable String tenant, int sample, Consumer<DrillResult> results) {
      results.accept(new DrillResult("acme", 3, 2_000_000, 500, null));
      if (tenant == null) {
        results.accept(new DrillResult("globex", 0, 0, 1, "a.checksum: is not what it was"));
      }
    }

    @Override
    public boolean acceptClock() {
      return false;
    }

    @Override
    public void skip(String position, String reason) {}

    @Override
    public long records(String tenant, EventFilter filter, TenantReader.Sink<StoredEvent> sink) {
      long seq = filter.from();
      for (int left = filter.limit(); seq <= 3 && left > 0; left--) {
        byte[] data = "\"\u009b31m red\"".getBytes(UTF_8);
        if (!sink.accept(
            new StoredEvent(seq++, "k", 1, 0, "1a2b3c4d/events-0:1", "[]", data, "", "fsync"))) {
          return seq;
        }
      }
      return seq;
    }

    @Override
    public boolean awaitSeq(String tenant, long seq, Duration timeout) {
      return seq <= 3;
    }

    @Override
    public List<SourceState> sources(String tenant, @Nullable String source) {
      return List.of(new SourceState("s", List.of(new Interval(1, 2), new Interval(4, 5)), 0));
    }

    @Override
    public LogCheck verifyLog() {
      return new LogCheck(9, 100, 1, List.of("events-0: offset 4 is damaged"));
    }

    @Override
    public void close() {}
  }
}
