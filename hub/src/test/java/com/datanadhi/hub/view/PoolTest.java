package com.datanadhi.hub.view;

import static com.datanadhi.hub.view.Rows.all;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.ViewException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PoolTest {
  private static final int MAX_FILES = 32;
  private static final int TENANTS = 300;

  @TempDir Path directory;

  /// Descriptors of this process below the directory.
  private long descriptors() throws IOException {
    long count = 0;
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      for (Path descriptor : all.toList()) {
        try {
          if (Files.readSymbolicLink(descriptor).startsWith(directory)) {
            count++;
          }
        } catch (IOException closedMeanwhile) {
          // It does not count.
        }
      }
    }
    return count;
  }

  @Test
  void hundreds_of_tenants_never_have_more_files_open_than_allowed() throws Exception {
    AtomicLong most = new AtomicLong();
    AtomicInteger[] written = new AtomicInteger[TENANTS];
    for (int i = 0; i < TENANTS; i++) {
      written[i] = new AtomicInteger();
    }
    try (TenantDatabases databases = new TenantDatabases(directory, MAX_FILES);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        Random random = new Random(i);
        all.add(
            threads.submit(() -> {
              for (int step = 0; step < 100; step++) {
                int tenant = random.nextInt(step % 2 == 0 ? 5 : TENANTS);
                String name = "t" + tenant;
                switch (random.nextInt(3)) {
                  case 0 -> {
                    String _ = databases.write(name, Rows::one);
                    int _ = written[tenant].incrementAndGet();
                  }
                  case 1 -> {
                    int before = written[tenant].get();
                    if (databases.exists(name)) {
                      int rows = databases.read(name, reader -> all(reader).size());
                      assertThat(rows).isGreaterThanOrEqualTo(before);
                    }
                  }
                  default -> {
                    String _ = databases.writeMailbox(name, Rows::oneItem);
                  }
                }
                if (step % 10 == 0) {
                  long now = descriptors();
                  long _ = most.accumulateAndGet(now, Math::max);
                }
              }
              return null;
            }));
      }
      for (Future<?> one : all) {
        Object _ = one.get();
      }
      for (int i = 0; i < TENANTS; i++) {
        String name = "t" + i;
        long seq = databases.exists(name) ? databases.<Long>read(name, r -> r.state().seq()) : 0;
        assertThat(seq).isEqualTo(written[i].get());
      }
      assertThat(databases.openFiles()).isBetween(3, MAX_FILES);
      assertThat(descriptors()).isLessThanOrEqualTo(databases.openFiles());
    }
    assertThat(most.get()).isBetween(10L, (long) MAX_FILES);
    assertThat(descriptors()).isZero();
  }

  @Test
  void a_database_in_use_is_not_closed_and_others_wait_for_their_turn() throws Exception {
    try (TenantDatabases databases =
        new TenantDatabases(directory, 6, Duration.ofMillis(200), Clock.system(), _ -> {})) {
      String result =
          databases.<String>write(
              "a",
              a -> {
                try {
                  return databases.<String>write(
                      "b",
                      b -> {
                        assertThatThrownBy(() -> databases.write("c", Rows::one))
                            .isInstanceOfSatisfying(
                                ViewException.class,
                                e -> assertThat(e.kind()).isEqualTo(Kind.UNAVAILABLE));
                        return Rows.one(a) + Rows.one(b) + "done";
                      });
                } catch (ViewException unexpected) {
                  throw new AssertionError(unexpected);
                }
              });
      assertThat(result).isEqualTo("done");
      String _ = databases.write("c", Rows::one);
      assertThat(databases.<Long>read("a", reader -> reader.state().seq())).isEqualTo(1);
      assertThat(databases.openFiles()).isLessThanOrEqualTo(6);
    }
  }

  @Test
  void a_closed_pool_refuses() throws Exception {
    TenantDatabases databases = new TenantDatabases(directory, 6);
    String _ = databases.write("a", Rows::one);
    databases.close();
    assertThatThrownBy(() -> databases.read("a", TenantReader::state))
        .isInstanceOfSatisfying(
            ViewException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNAVAILABLE));
    assertThatThrownBy(() -> new TenantDatabases(directory, 5))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_checkpoint_leaves_nothing_in_the_log() throws Exception {
    try (TenantDatabases databases = new TenantDatabases(directory, 64)) {
      String _ = databases.write("a", Rows::one);
      String _ = databases.writeMailbox("a", Rows::oneItem);
      databases.checkpoint("a");
      try (Stream<Path> files = Files.walk(directory)) {
        assertThat(files.filter(file -> file.toString().endsWith("-wal")).map(PoolTest::size))
            .hasSize(2)
            .containsOnly(0L);
      }
      databases.checkpoint("unknown");
      assertThat(databases.exists("unknown")).isFalse();
    }
  }

  private static long size(Path file) {
    return file.toFile().length();
  }
}
