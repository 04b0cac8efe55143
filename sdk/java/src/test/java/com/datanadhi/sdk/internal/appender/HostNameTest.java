package com.datanadhi.sdk.internal.appender;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.testkit.JavaProgram;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostNameTest {
  private static final Duration TIME_LIMIT = Duration.ofSeconds(60);

  @TempDir private Path directory;

  private static HostName name(
      List<Path> files, Map<String, String> environment, HostName.NameService service) {
    return new HostName(files, environment, service, Clock.system());
  }

  private static String unexpected() {
    throw new AssertionError("the name service is asked");
  }

  private Path file(String name, String content) throws Exception {
    return Files.writeString(directory.resolve(name), content);
  }

  @Test
  void the_first_file_with_a_name_counts() throws Exception {
    List<Path> files =
        List.of(
            directory.resolve("missing"),
            file("empty", "\n"),
            file("none", "(none)\n"),
            file("name", "box-1\n"),
            file("later", "box-2\n"));
    assertThat(name(files, Map.of("HOSTNAME", "other"), HostNameTest::unexpected).name())
        .isEqualTo("box-1");
  }

  @Test
  void without_files_the_environment_has_the_name() {
    Map<String, String> windows = Map.of("COMPUTERNAME", "BOX", "HOSTNAME", "other");
    assertThat(name(List.of(), windows, HostNameTest::unexpected).name()).isEqualTo("BOX");
    Map<String, String> other = Map.of("COMPUTERNAME", "", "HOSTNAME", "box");
    assertThat(name(List.of(), other, HostNameTest::unexpected).name()).isEqualTo("box");
  }

  @Test
  void a_slow_name_service_holds_up_nobody() throws Exception {
    CountDownLatch answers = new CountDownLatch(1);
    AtomicReference<Thread> asked = new AtomicReference<>();
    HostName name =
        name(
            List.of(),
            Map.of(),
            () -> {
              assertThat(asked.getAndSet(Thread.currentThread())).isNull();
              try {
                answers.await();
              } catch (InterruptedException impossible) {
                throw new AssertionError(impossible);
              }
              return "mac";
            });
    assertThat(name.name()).isNull();
    assertThat(name.name()).isNull();
    answers.countDown();
    await().atMost(TIME_LIMIT).until(() -> "mac".equals(name.name()));
    assertThat(asked.get()).isNotNull().isNotEqualTo(Thread.currentThread());
  }

  @Test
  void a_name_that_the_name_service_does_not_know_is_the_name() {
    HostName name =
        name(
            List.of(),
            Map.of(),
            () -> {
              throw new UnknownHostException("mac.local: nodename nor servname provided");
            });
    await().atMost(TIME_LIMIT).until(() -> "mac.local".equals(name.name()));
  }

  /** Of the JDK, in a process whose name service is an empty file. */
  static final class Unresolvable {
    public static void main(String[] args) throws Exception {
      HostName name = name(List.of(), Map.of(), () -> InetAddress.getLocalHost().getHostName());
      await().atMost(TIME_LIMIT).until(() -> args[0].equals(name.name()));
    }
  }

  @Test
  void a_machine_without_a_resolver_has_its_name() throws Exception {
    Path kernel = Path.of("/proc/sys/kernel/hostname");
    assumeTrue(Files.isReadable(kernel));
    String options = "-Djdk.net.hosts.file=" + file("hosts", "");
    JavaProgram.Result result =
        JavaProgram.run(
            Unresolvable.class,
            Map.of("JAVA_TOOL_OPTIONS", options),
            Files.readString(kernel).strip());
    assertThat(result.status()).describedAs(result.errors()).isZero();
  }

  @Test
  void a_name_service_that_knows_nothing_leaves_it_unknown() {
    CountDownLatch asked = new CountDownLatch(1);
    HostName name =
        name(
            List.of(),
            Map.of(),
            () -> {
              asked.countDown();
              throw new UnknownHostException();
            });
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          assertThat(name.name()).isNull();
          assertThat(asked.getCount()).isZero();
        });
  }
}
