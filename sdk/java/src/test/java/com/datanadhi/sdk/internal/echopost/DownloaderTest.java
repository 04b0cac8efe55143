package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import com.datanadhi.sdk.testkit.FileServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
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
  private static final byte[] PROGRAM = "#!/bin/sh\nexit 0\n".getBytes(StandardCharsets.UTF_8);

  @TempDir Path directory;
  private FileServer files;
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

  private DownloadResult download() throws InterruptedException {
    return download(files.url());
  }

  private DownloadResult download(String base) throws InterruptedException {
    HttpClient client =
        HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NORMAL)
            .executor(SdkThread.pool("test"))
            .build();
    return new Downloader(
            client,
            URI.create(base),
            Duration.ofMillis(1_500),
            new RateLimitedLog(Clock.system()),
            Clock.system(),
            Waiter.system())
        .ensurePresent(layout, LINUX);
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
    files.serve(PATH, 200, PROGRAM);
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    assertThat(layout.program()).hasBinaryContent(PROGRAM);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(layout.program())))
        .isEqualTo("rwxr-xr-x");
    try (Stream<Path> all = Files.list(layout.directory())) {
      assertThat(all.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("echopost", ".sdk-download.lock");
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
    files.serve(PATH, 200, PROGRAM);
    // A file in place of the directory: root can write to any directory.
    Files.writeString(directory.resolve("echopost"), "");
    assertThat(download()).isInstanceOf(DownloadResult.WriteError.class);
  }

  @Test
  void the_temporary_file_of_a_killed_process_is_deleted() throws Exception {
    files.serve(PATH, 200, PROGRAM);
    Files.createDirectories(layout.directory());
    Path left = Files.writeString(layout.directory().resolve(".echopost-download-1.tmp"), "half");
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    assertThat(left).doesNotExist();
  }

  @Test
  void many_threads_download_the_program_once() throws Exception {
    files.serve(PATH, 200, PROGRAM);
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
}
