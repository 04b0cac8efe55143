package com.datanadhi.echopost.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.ManualClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryLockTest {
  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void lockFile() {
    file = DirectoryLayout.lock(directory);
  }

  /// A clock that advances a second at each read, so that the wait ends at once.
  private static Clock fastClock() {
    ManualClock clock = new ManualClock();
    return new Clock() {
      @Override
      public long millis() {
        return clock.millis();
      }

      @Override
      public long nanos() {
        clock.advance(Duration.ofSeconds(1));
        return clock.nanos();
      }
    };
  }

  private static Process holderOf(Path file, Path... alsoOpen) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-preview");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(LockHolder.class.getName());
    command.add(file.toString());
    for (Path other : alsoOpen) {
      command.add(other.toString());
    }
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private Process holder() throws IOException {
    Process holder = holderOf(file);
    assertThat(holder.inputReader().readLine()).startsWith("held");
    return holder;
  }

  @Test
  void the_lock_file_is_private_and_names_its_owner() throws Exception {
    try (DirectoryLock lock = DirectoryLock.take(file, Clock.system())) {
      assertThat(lock).isNotNull();
      assertThat(file).hasContent(ProcessHandle.current().pid() + "\n");
      assertThat(Files.getPosixFilePermissions(file))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }
    assertThat(file).exists();
  }

  @Test
  void a_closed_lock_can_be_taken_again() throws Exception {
    Files.writeString(file, "an older and much longer owner\n");
    for (int i = 0; i < 2; i++) {
      try (DirectoryLock lock = DirectoryLock.take(file, Clock.system())) {
        assertThat(lock).isNotNull();
        assertThat(file).hasContent(ProcessHandle.current().pid() + "\n");
      }
    }
  }

  @Test
  void while_another_process_holds_the_lock_it_cannot_be_taken_and_the_file_keeps_the_owner()
      throws Exception {
    Process holder = holder();
    try {
      assertThat(DirectoryLock.take(file, fastClock())).isNull();
      assertThat(file).hasContent(holder.pid() + "\n");
    } finally {
      var _ = holder.destroyForcibly().waitFor();
    }
  }

  @Test
  void the_lock_of_a_killed_process_is_free() throws Exception {
    Process holder = holder();
    var _ = holder.destroyForcibly().waitFor();
    try (DirectoryLock lock = DirectoryLock.take(file, fastClock())) {
      assertThat(lock).isNotNull();
    }
  }

  @Test
  void a_lock_that_is_released_during_the_wait_is_taken() throws Exception {
    Process holder = holder();
    try {
      // The clock stands still: the wait has no end.
      Thread leaving = Thread.ofVirtual().start(() -> closeInput(holder));
      try (DirectoryLock lock = DirectoryLock.take(file, new ManualClock())) {
        assertThat(lock).isNotNull();
      }
      leaving.join();
    } finally {
      var _ = holder.destroyForcibly().waitFor();
    }
  }

  @Test
  void a_lock_whose_file_was_deleted_or_replaced_is_not_taken_by_another_process()
      throws Exception {
    assumeTrue(Files.exists(Path.of("/proc/locks")), "skipped: this system has no /proc/locks");
    Process holder = holder();
    try {
      Files.delete(file);
      assertThat(DirectoryLock.tryTake(directory, Clock.system())).isNull();
      Files.writeString(file, "other\n");
      assertThat(DirectoryLock.take(file, fastClock())).isNull();
    } finally {
      var _ = holder.destroyForcibly().waitFor();
    }
    try (DirectoryLock lock = DirectoryLock.tryTake(directory, Clock.system())) {
      assertThat(lock).isNotNull();
    }
  }

  /// As a monitoring program does that has locked its own process id file.
  @Test
  void a_process_that_reads_the_buffer_and_locks_a_file_elsewhere_does_not_hold_the_lock(
      @TempDir Path elsewhere) throws Exception {
    Path buffer = Files.createFile(DirectoryLayout.buffer(directory));
    Process reader = holderOf(elsewhere.resolve("monitor.pid"), buffer);
    try {
      assertThat(reader.inputReader().readLine()).startsWith("held");
      try (DirectoryLock lock = DirectoryLock.tryTake(directory, Clock.system())) {
        assertThat(lock).isNotNull();
      }
    } finally {
      var _ = reader.destroyForcibly().waitFor();
    }
  }

  @Test
  void the_holder_takes_the_lock_of_a_deleted_file_again() throws Exception {
    try (DirectoryLock lock = Objects.requireNonNull(DirectoryLock.take(file, Clock.system()))) {
      assertThat(lock.keep()).isTrue();
      Files.delete(file);
      assertThat(lock.keep()).isTrue();
      Process other = holderOf(file);
      assertThat(other.waitFor()).isNotZero();
      // Closing the file ends the lock of this process, so it is read last.
      assertThat(file).hasContent(ProcessHandle.current().pid() + "\n");
    }
  }

  @Test
  void the_holder_notices_that_another_process_has_the_lock_of_a_new_file() throws Exception {
    Path elsewhere = directory.resolve("elsewhere");
    try (DirectoryLock lock = Objects.requireNonNull(DirectoryLock.take(file, Clock.system()))) {
      Process other = holderOf(elsewhere);
      try {
        assertThat(other.inputReader().readLine()).startsWith("held");
        Files.move(elsewhere, file, StandardCopyOption.REPLACE_EXISTING);
        assertThat(lock.keep()).isFalse();
      } finally {
        var _ = other.destroyForcibly().waitFor();
      }
      assertThat(lock.keep()).isTrue();
    }
  }

  private static void closeInput(Process process) {
    try {
      process.getOutputStream().close();
    } catch (IOException failed) {
      throw new java.io.UncheckedIOException(failed);
    }
  }

  @Test
  void a_symbolic_link_is_not_followed() throws Exception {
    Path elsewhere = Files.writeString(directory.resolve("elsewhere"), "kept");
    Files.createSymbolicLink(file, elsewhere);
    assertThatThrownBy(() -> DirectoryLock.take(file, Clock.system()))
        .isInstanceOf(IOException.class);
    assertThat(elsewhere).hasContent("kept");
  }
}
