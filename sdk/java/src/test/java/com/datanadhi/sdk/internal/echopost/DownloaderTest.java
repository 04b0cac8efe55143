package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
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
    layout = DirectoryLayout.below(directory);
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
    return new Downloader(client, URI.create(base), Duration.ofMillis(500), new RateLimitedLog())
        .ensure(layout, LINUX);
  }

  private void assertNothingIsLeft() throws IOException {
    try (Stream<Path> all = Files.list(layout.directory())) {
      assertThat(all.map(file -> file.getFileName().toString())).containsOnly(".sdk-download.lock");
    }
  }

  private static byte[] sum(byte[] of) throws Exception {
    String hex = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(of));
    return (hex + "  echopost-latest\n").getBytes(StandardCharsets.US_ASCII);
  }

  @Test
  void it_is_there_complete_and_executable() throws Exception {
    files.has(PATH, 200, PROGRAM);
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
  void what_is_there_is_not_downloaded() throws Exception {
    Files.createDirectories(layout.directory());
    Files.write(layout.program(), PROGRAM);
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    assertThat(files.asked()).isEmpty();
  }

  @Test
  void redirects_are_followed() throws Exception {
    files.has("/elsewhere", 200, PROGRAM);
    files.redirects(PATH, "/elsewhere");
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
  }

  @Test
  void the_right_checksum_is_right_and_a_wrong_one_wrong() throws Exception {
    files.has(PATH, 200, PROGRAM).has(PATH + ".sha256", 200, sum("other".getBytes()));
    assertThat(download()).isInstanceOf(DownloadResult.WrongContent.class);
    assertNothingIsLeft();

    files.has(PATH + ".sha256", 200, sum(PROGRAM));
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
  }

  @Test
  void no_connection_is_a_network_error() throws Exception {
    String nobody = files.url();
    files.close();
    assertThat(download(nobody)).isInstanceOf(DownloadResult.NetworkError.class);
    assertNothingIsLeft();
  }

  @Test
  void a_download_that_stalls_is_a_network_error() throws Exception {
    files.stalls(PATH);
    assertThat(download()).isInstanceOf(DownloadResult.NetworkError.class);
    assertNothingIsLeft();
  }

  @Test
  void an_answer_other_than_200_is_said_so() throws Exception {
    for (int status : new int[] {204, 403, 404, 500, 503}) {
      files.has(PATH, status, new byte[0]);
      assertThat(download()).isEqualTo(new DownloadResult.BadAnswer(files.url() + PATH, status));
      assertNothingIsLeft();
    }
  }

  @Test
  void a_directory_that_cannot_be_made_is_a_write_error() throws Exception {
    files.has(PATH, 200, PROGRAM);
    // A file where the directory should be: root may write anywhere else.
    Files.writeString(directory.resolve("echopost"), "");
    assertThat(download()).isInstanceOf(DownloadResult.WriteError.class);
  }

  @Test
  void what_a_dead_process_left_is_removed() throws Exception {
    files.has(PATH, 200, PROGRAM);
    Files.createDirectories(layout.directory());
    Path left = Files.writeString(layout.directory().resolve(".echopost-download-1.tmp"), "half");
    assertThat(download()).isInstanceOf(DownloadResult.Present.class);
    assertThat(left).doesNotExist();
  }

  @Test
  void threads_that_all_find_it_missing_download_it_once() throws Exception {
    files.has(PATH, 200, PROGRAM);
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
    assertThat(files.asked()).filteredOn(PATH::equals).hasSize(1);
  }
}
