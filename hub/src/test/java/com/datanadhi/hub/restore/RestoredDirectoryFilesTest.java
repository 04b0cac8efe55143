package com.datanadhi.hub.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.restore.Continuations.Continuation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RestoredDirectoryFilesTest {
  private static final String CHAIN = "ab".repeat(32);

  @TempDir private Path directory;

  private static RestoredFile restored(long seq, long archiveSeq) {
    return new RestoredFile(
        "file:/objects",
        Instant.parse("2026-11-30T20:00:00Z"),
        Map.of(
            "acme", new RestoredFile.Tenant("epoch", seq, CHAIN, archiveSeq),
            "_control", new RestoredFile.Tenant("epoch", seq, CHAIN, archiveSeq),
            "empty", new RestoredFile.Tenant(null, 0, CHAIN, 0)));
  }

  @Test
  void what_a_directory_was_restored_from_is_read_as_it_was_written() throws Exception {
    restored(5, 9).write(directory);

    assertThat(RestoredFile.read(directory)).isEqualTo(restored(5, 9));
    assertThat(Files.getPosixFilePermissions(directory.resolve(RestoredFile.NAME)))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));

    RestoredFile.markAdopted(directory);
    assertThat(RestoredFile.read(directory)).isNull();
  }

  @Test
  void a_hub_must_not_give_seqs_of_the_archive_to_new_records() {
    assertThatThrownBy(() -> restored(5, 9).checkContinues("file:/objects", true))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("tenant acme was restored to seq 5")
        .hasMessageContaining("goes on to 9")
        .hasMessageContaining("--objects");
    assertThatCode(() -> restored(5, 9).checkContinues("file:/other", true))
        .doesNotThrowAnyException();
    assertThatCode(() -> restored(5, 9).checkContinues("file:/objects", false))
        .doesNotThrowAnyException();
    assertThatCode(() -> restored(9, 9).checkContinues("file:/objects", true))
        .doesNotThrowAnyException();
  }

  @Test
  void where_histories_go_on_is_kept() throws Exception {
    Continuation first = new Continuation(5, CHAIN, "epoch", -1);
    Continuation second = new Continuation(7, CHAIN, "other", 41);
    Continuations.of(directory).put(Map.of("acme", first));
    Continuations.of(directory).put(Map.of("globex", second));

    Continuations read = Continuations.of(directory);
    assertThat(read.get("acme")).isEqualTo(first);
    assertThat(read.get("globex")).isEqualTo(second);
    assertThat(read.get("initech")).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "{}", "{\"format\":2}", "{\"format\":1,\"tenants\":{\"a\":{}}}"})
  void damaged_files_are_named_with_what_to_do(String content) throws Exception {
    Files.writeString(directory.resolve(RestoredFile.NAME), content);
    Files.writeString(directory.resolve(Continuations.NAME), content);

    assertThatThrownBy(() -> RestoredFile.read(directory))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(RestoredFile.NAME)
        .hasMessageMatching("(?s).*(restore the directory again|the version that wrote it).*");
    assertThatThrownBy(() -> Continuations.of(directory))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(Continuations.NAME)
        .hasMessageMatching("(?s).*(restore the directory again|the version that wrote it).*");
  }

  @Test
  void an_output_directory_appears_when_it_is_complete() throws Exception {
    Path output = directory.resolve("new/out");
    OutputDirectory interrupted = OutputDirectory.prepare(output);
    Files.writeString(interrupted.unfinished().resolve("half"), "x");
    assertThat(output).doesNotExist();

    OutputDirectory again = OutputDirectory.prepare(output);
    assertThat(again.unfinished()).isEmptyDirectory();
    Files.createDirectories(output);
    Files.writeString(again.unfinished().resolve("whole"), "x");
    again.finish();

    assertThat(output.resolve("whole")).exists();
    assertThatThrownBy(() -> OutputDirectory.prepare(output))
        .isInstanceOf(RestoreException.class)
        .hasMessageContaining("is not empty");
  }
}
