package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.http.JdkTransport;
import com.datanadhi.sdk.internal.http.Proxies;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import com.datanadhi.sdk.testkit.FileServer;
import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DownloaderTest {
  private static final String PATH = "/linux/amd64/echopost-latest";
  private static final Platform LINUX = new Platform("linux", "amd64");
  private static final Duration DAY = Duration.ofDays(1);

  /** Answers as EchoPost does. As its content is not EchoPost's, it needs a checksum. */
  private static final byte[] PROGRAM = script("echo echopost v1.0.0");

  private static final byte[] NEWER = script("echo echopost v1.10.0");

  @TempDir Path directory;
  private FileServer files;
  private Duration answerTimeout = Duration.ofMinutes(1);
  private DirectoryLayout layout;

  @BeforeEach
  void open() throws IOException {
    files = new FileServer();
    layout = DirectoryLayout.in(directory);
  }

  @AfterEach
  void close() {
    files.close();
  }

  private static byte[] script(String command) {
    return ("#!/bin/sh\n" + command + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private void serveWithChecksum(byte[] program) throws Exception {
    files.serve(PATH, 200, program).serve(PATH + ".sha256", 200, checksumFile(program));
  }

  private DownloadResult download() throws InterruptedException {
    return download(files.url());
  }

  private DownloadResult download(String base) throws InterruptedException {
    return downloader(base).ensurePresent(false);
  }

  private Downloader downloader(String base) {
    HttpClient client =
        HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NORMAL)
            .executor(SdkThread.pool("test"))
            .build();
    RateLimitedLog log = new RateLimitedLog(Clock.system());
    return new Downloader(
        layout,
        LINUX,
        new DownloadServer(
            new JdkTransport(() -> client, Proxies.none()),
            Duration.ofMillis(1_500),
            log,
            Clock.system()),
        URI.create(base),
        answerTimeout,
        log,
        Clock.system(),
        Waiter.system());
  }

  private void updateAfterADay() throws Exception {
    Files.setLastModifiedTime(layout.updateStamp(), FileTime.from(Instant.now().minus(DAY)));
    downloader(files.url()).updateIfDue(DAY);
  }

  private void assertNoTemporaryFileIsLeft() throws IOException {
    try (Stream<Path> all = Files.list(layout.directory())) {
      assertThat(all.map(file -> file.getFileName().toString())).containsOnly(".sdk-download.lock");
    }
  }

  private static byte[] checksumFile(byte[] content) throws Exception {
    String hex = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    return (hex + "  echopost-latest\n").getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void a_downloaded_program_is_complete_and_executable() throws Exception {
    serveWithChecksum(PROGRAM);
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    assertThat(layout.program()).hasBinaryContent(PROGRAM);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(layout.program())))
        .isEqualTo("rwxr-xr-x");
    try (Stream<Path> all = Files.list(layout.directory())) {
      assertThat(all.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("echopost", ".sdk-download.lock", ".sdk-update");
    }
  }

  @Test
  void an_installed_program_is_not_downloaded_again() throws Exception {
    Files.createDirectories(layout.directory());
    Files.write(layout.program(), PROGRAM);
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    assertThat(files.requestedPaths()).isEmpty();
  }

  @Test
  void redirects_are_followed() throws Exception {
    serveWithChecksum(PROGRAM);
    files.serve("/elsewhere", 200, PROGRAM);
    files.redirect(PATH, "/elsewhere");
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
  }

  @Test
  void a_program_is_installed_only_if_its_checksum_is_right() throws Exception {
    files.serve(PATH, 200, PROGRAM).serve(PATH + ".sha256", 200, checksumFile("other".getBytes()));
    assertThat(download()).isInstanceOf(DownloadResult.ChecksumMismatch.class);
    assertNoTemporaryFileIsLeft();

    files.serve(PATH + ".sha256", 200, checksumFile(PROGRAM));
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
  }

  @Test
  void no_connection_is_a_network_error() throws Exception {
    String closedUrl = files.url();
    files.close();
    assertThat(download(closedUrl)).isInstanceOf(DownloadResult.NetworkError.class);
    assertNoTemporaryFileIsLeft();
  }

  @Test
  void a_download_that_stalls_is_a_network_error() throws Exception {
    files.stall(PATH);
    assertThat(download()).isInstanceOf(DownloadResult.NetworkError.class);
    assertNoTemporaryFileIsLeft();
  }

  @Test
  void a_status_other_than_200_is_reported_with_the_url() throws Exception {
    for (int status : new int[] {204, 403, 404, 500, 503}) {
      files.serve(PATH, status, new byte[0]);
      assertThat(download())
          .isEqualTo(new DownloadResult.UnexpectedStatus(files.url() + PATH, status));
      assertNoTemporaryFileIsLeft();
    }
  }

  @Test
  void a_directory_that_cannot_be_created_is_a_write_error() throws Exception {
    serveWithChecksum(PROGRAM);
    // A file in place of the directory: root can write to any directory.
    Files.writeString(directory.resolve("echopost"), "");
    assertThat(download()).isInstanceOf(DownloadResult.WriteError.class);
  }

  @Test
  void the_temporary_file_of_a_killed_process_is_deleted() throws Exception {
    serveWithChecksum(PROGRAM);
    Files.createDirectories(layout.directory());
    Path left = Files.writeString(layout.directory().resolve(".echopost-download-1.tmp"), "half");
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    assertThat(left).doesNotExist();
  }

  @Test
  void many_threads_download_the_program_once() throws Exception {
    serveWithChecksum(PROGRAM);
    var threads = Executors.newFixedThreadPool(20);
    try {
      List<Callable<DownloadResult>> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(this::download);
      }
      for (Future<DownloadResult> result : threads.invokeAll(all)) {
        assertThat(result.get()).isInstanceOf(DownloadResult.Present.class);
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(files.requestedPaths()).filteredOn(PATH::equals).hasSize(1);
  }

  @Test
  void without_a_checksum_the_program_for_this_platform_is_installed() throws Exception {
    byte[] echopost = Files.readAllBytes(PackagedProgram.path());
    files.serve(PATH, 200, echopost);
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    assertThat(layout.program()).hasBinaryContent(echopost).isExecutable();
  }

  @Test
  void without_a_checksum_other_content_is_neither_run_nor_installed() throws Exception {
    Path marker = directory.resolve("was-run");
    String touch = "\ntouch " + marker + "\necho echopost v9.9.9\n";
    byte[] echopost = Files.readAllBytes(PackagedProgram.path());
    byte[] elf = Files.readAllBytes(Path.of("/bin/sh").toRealPath());
    byte[] elfOfOtherProcessor = elf.clone();
    elfOfOtherProcessor[18] = (byte) 243;
    byte[] archiveOnly =
        new String(echopost, StandardCharsets.ISO_8859_1)
            .replaceFirst("EchoPost v", "AnyProgram v")
            .getBytes(StandardCharsets.ISO_8859_1);
    byte[][] others = {
      {},
      ("<!DOCTYPE html>" + touch).getBytes(StandardCharsets.UTF_8),
      ("#!/bin/sh" + touch).getBytes(StandardCharsets.UTF_8),
      ("#!/bin/sh\n# EchoPost v1.0.0" + touch).getBytes(StandardCharsets.UTF_8),
      Arrays.copyOf(echopost, echopost.length - 1),
      Arrays.copyOf(echopost, echopost.length + 1),
      elfOfOtherProcessor,
      archiveOnly,
    };
    for (byte[] other : others) {
      files.serve(PATH, 200, other);
      assertThat(download())
          .isEqualTo(
              new DownloadResult.NotEchoPost(
                  files.url() + PATH, "its content is not that of a program for linux/amd64"));
      assertNoTemporaryFileIsLeft();
    }
    assertThat(marker).doesNotExist();
  }

  @Test
  void a_program_that_does_not_answer_as_echopost_is_not_installed() throws Exception {
    answerTimeout = Duration.ofSeconds(2);
    String[] commands = {
      "exit 0",
      "echo echopost v1.0.0; exit 1",
      "echo bash v1.0.0",
      "echo echopost v1.0.0; echo more",
      "yes",
      "echo echopost v1.0.0; sleep 1000",
    };
    for (String command : commands) {
      serveWithChecksum(script(command));
      assertThat(download()).as(command).isInstanceOf(DownloadResult.NotEchoPost.class);
      assertNoTemporaryFileIsLeft();
    }
    answerTimeout = Duration.ofMinutes(1);
    // The content of /bin/true is that of a program for this platform.
    files.serve(PATH + ".sha256", 404, new byte[0]);
    files.serve(PATH, 200, Files.readAllBytes(Path.of("/bin/true")));
    assertThat(download().toString()).contains("-version ended with status");
    assertNoTemporaryFileIsLeft();
  }

  @Test
  void a_web_page_that_was_installed_is_replaced_without_running_it() throws Exception {
    Path marker = directory.resolve("was-run");
    install(("<!DOCTYPE html>\ntouch " + marker + "\n").getBytes(StandardCharsets.UTF_8));
    assertThat(download()).isInstanceOf(DownloadResult.UnexpectedStatus.class);
    assertThat(layout.program()).doesNotExist();

    serveWithChecksum(PROGRAM);
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    assertThat(layout.program()).hasBinaryContent(PROGRAM);
    assertThat(marker).doesNotExist();
  }

  @Test
  void a_program_that_did_not_start_is_replaced_unless_it_answers() throws Exception {
    Downloader downloader = downloader(files.url());
    install(PROGRAM);
    assertThat(downloader.ensurePresent(true)).isInstanceOf(DownloadResult.Present.class);
    assertThat(files.requestedPaths()).isEmpty();

    install(script("exit 2"));
    // It could run EchoPost, which lacks memory: it stays until there is another one.
    assertThat(downloader.ensurePresent(true)).isInstanceOf(DownloadResult.UnexpectedStatus.class);
    assertThat(layout.program()).hasBinaryContent(script("exit 2"));
    serveWithChecksum(PROGRAM);
    assertThat(downloader.ensurePresent(true)).isInstanceOf(DownloadResult.Present.class);
    assertThat(layout.program()).hasBinaryContent(PROGRAM);
  }

  private void install(byte[] program) throws IOException {
    Files.createDirectories(layout.directory());
    Files.write(layout.program(), program);
    Files.setPosixFilePermissions(layout.program(), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void a_newer_version_is_installed_once_a_day() throws Exception {
    serveWithChecksum(PROGRAM);
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    serveWithChecksum(NEWER);
    downloader(files.url()).updateIfDue(DAY);
    assertThat(layout.program()).hasBinaryContent(PROGRAM);
    updateAfterADay();
    assertThat(layout.program()).hasBinaryContent(NEWER);

    int before = files.requestedPaths().size();
    downloader(files.url()).updateIfDue(DAY);
    assertThat(files.requestedPaths()).hasSize(before);
  }

  @Test
  void an_older_version_is_downloaded_once_and_not_installed() throws Exception {
    serveWithChecksum(NEWER);
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    serveWithChecksum(script("echo echopost v1.9.0"));
    int before = files.requests(PATH);
    updateAfterADay();
    updateAfterADay();
    assertThat(layout.program()).hasBinaryContent(NEWER);
    assertThat(files.requests(PATH)).isEqualTo(before + 1);
  }

  @Test
  void a_program_that_does_not_answer_just_then_is_not_updated() throws Exception {
    serveWithChecksum(NEWER);
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    byte[] busy = script("exit 2");
    install(busy);
    serveWithChecksum(PROGRAM);
    int before = files.requests(PATH);
    updateAfterADay();
    assertThat(layout.program()).hasBinaryContent(busy);
    assertThat(files.requests(PATH)).isEqualTo(before);
  }

  @Test
  void a_program_that_another_tool_installed_is_not_downloaded_again() throws Exception {
    serveWithChecksum(PROGRAM);
    install(PROGRAM);
    downloader(files.url()).updateIfDue(DAY);
    assertThat(files.requests(PATH)).isZero();
    serveWithChecksum(NEWER);
    updateAfterADay();
    assertThat(layout.program()).hasBinaryContent(NEWER);
  }

  @Test
  void without_a_checksum_a_file_that_was_not_modified_is_not_downloaded_again() throws Exception {
    byte[] echopost = Files.readAllBytes(PackagedProgram.path());
    files.serve(PATH, 200, echopost).lastModified("Mon, 02 Nov 2026 10:00:00 GMT");
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    updateAfterADay();
    assertThat(files.notModified()).isEqualTo(1);
    files.lastModified("Mon, 09 Nov 2026 10:00:00 GMT");
    updateAfterADay();
    assertThat(files.notModified()).isEqualTo(1);
    updateAfterADay();
    assertThat(files.notModified()).isEqualTo(2);
  }

  @Test
  void a_failed_update_leaves_the_program_in_place() throws Exception {
    serveWithChecksum(PROGRAM);
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    files.serve(PATH, 200, "<html>".getBytes()).serve(PATH + ".sha256", 404, new byte[0]);
    updateAfterADay();
    serveWithChecksum(script("exit 1"));
    updateAfterADay();
    files.stall(PATH);
    updateAfterADay();
    files.serve(PATH, 503, new byte[0]).serve(PATH + ".sha256", 503, new byte[0]);
    updateAfterADay();
    assertThat(layout.program()).hasBinaryContent(PROGRAM);
    try (Stream<Path> all = Files.list(layout.directory())) {
      assertThat(all).hasSize(3);
    }
    serveWithChecksum(NEWER);
    updateAfterADay();
    assertThat(layout.program()).hasBinaryContent(NEWER);
  }
}
