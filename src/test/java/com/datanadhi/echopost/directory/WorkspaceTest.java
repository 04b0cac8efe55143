package com.datanadhi.echopost.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.net.Transport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WorkspaceTest {
  private static final int LONGEST = Transport.ofThisSystem().longestSocketPath();
  private static final String SOCKET = "data-nadhi-agent.sock";

  @TempDir Path parent;

  /// A directory in which the socket's path has `bytes` bytes.
  private Path directoryForSocketOf(int bytes) {
    int room =
        bytes - SOCKET.length() - 2 - parent.toString().getBytes(StandardCharsets.UTF_8).length;
    return parent.resolve("d".repeat(room));
  }

  private static void refused(Path directory, String message) {
    assertThatThrownBy(() -> Workspace.prepare(directory))
        .isInstanceOf(UnusableDirectoryException.class)
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void a_missing_directory_is_created_private() throws Exception {
    Path directory = parent.resolve("a/b");
    assertThat(Workspace.prepare(directory).directory()).isEqualTo(directory);
    assertThat(Files.getPosixFilePermissions(directory))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void missing_directories_before_a_parent_directory_are_created_too() throws Exception {
    Path directory = parent.resolve("missing/../d");
    assertThat(Workspace.prepare(directory).directory()).isEqualTo(directory);
    assertThat(parent.resolve("d")).isDirectory();
  }

  @Test
  void nothing_is_left_of_a_directory_that_cannot_be_created() throws IOException {
    Path file = Files.writeString(parent.resolve("file"), "");
    refused(parent.resolve("a/../file/b"), file.getFileName() + " is not a directory");
    assertThat(parent.resolve("a")).doesNotExist();
  }

  @Test
  void an_existing_directory_and_its_mode_are_left_as_they_are() throws Exception {
    Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxr-x---"));
    Files.writeString(parent.resolve("echopost"), "the program");
    Files.writeString(parent.resolve("agent.lock"), "");
    assertThat(Workspace.prepare(parent).lockFile()).isEqualTo(parent.resolve("agent.lock"));
    assertThat(parent.resolve("echopost")).hasContent("the program");
    assertThat(Files.getPosixFilePermissions(parent))
        .isEqualTo(PosixFilePermissions.fromString("rwxr-x---"));
  }

  @Test
  void a_relative_directory_stays_relative() throws Exception {
    assertThat(Workspace.prepare(Path.of("./target")).directory()).isEqualTo(Path.of("./target"));
  }

  @Test
  void a_socket_path_of_the_systems_longest_length_is_accepted() throws Exception {
    Path directory = directoryForSocketOf(LONGEST);
    assertThat(Workspace.prepare(directory).directory()).isDirectory();
  }

  @Test
  void a_path_too_long_for_a_socket_is_refused_with_both_lengths() {
    Path directory = directoryForSocketOf(LONGEST + 1);
    refused(directory, "has " + (LONGEST + 1) + " bytes, a UNIX socket's path may have " + LONGEST);
    assertThat(directory).doesNotExist();
  }

  @Test
  void the_length_of_the_path_is_counted_in_bytes() {
    Path directory = directoryForSocketOf(LONGEST);
    String name = directory.getFileName().toString();
    refused(parent.resolve("é" + name.substring(1)), "has " + (LONGEST + 1) + " bytes");
  }

  @Test
  void a_path_that_is_not_a_directory_is_refused() throws IOException {
    Path file = Files.writeString(parent.resolve("file"), "");
    refused(file, file + " is not a directory");
    refused(file.resolve("below"), "cannot create " + file.resolve("below"));
  }

  @ParameterizedTest
  @MethodSource("com.datanadhi.echopost.directory.DirectoryLayoutTest#fileNames")
  void a_link_or_a_directory_under_one_of_our_names_is_refused(String name) throws IOException {
    Path ours = parent.resolve(name);
    Files.createSymbolicLink(ours, parent.resolve("nowhere"));
    refused(parent, ours + " is not a plain file and not ours");
    Files.delete(ours);
    Files.createDirectory(ours);
    refused(parent, ours + " is not a plain file and not ours");
  }

  @Test
  void a_link_or_a_file_under_the_name_of_a_session_is_refused() throws IOException {
    Path session = parent.resolve("session-2026-11-21T10-00-00Z");
    Files.createSymbolicLink(session, Files.createDirectory(parent.resolve("elsewhere")));
    refused(parent, session + " is not a plain directory and not ours");
    Files.delete(session);
    Files.createFile(session);
    refused(parent, session + " is not a plain directory and not ours");
  }

  @Test
  void similar_names_are_left_alone() throws Exception {
    Files.createFile(parent.resolve("session-of-somebody"));
    Files.createDirectory(parent.resolve("buffer.db.bak"));
    assertThat(Workspace.prepare(parent).directory()).isEqualTo(parent);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "agent.lock",
        "buffer.db",
        "buffer.db-journal",
        "buffer.db.new",
        "buffer.db.copy",
        "buffer.db.damaged-2026-11-21T10-00-00Z",
        "session-2026-11-21T10-00-00Z-2"
      })
  void a_file_of_another_user_under_one_of_our_names_is_refused(String name) throws Exception {
    Path theirs = parent.resolve(name);
    if (name.startsWith("session")) {
      Files.createDirectory(theirs);
    } else {
      Files.createFile(theirs);
    }
    assertThat(Workspace.prepare(parent).directory()).isEqualTo(parent);
    assumeTrue(
        Files.getAttribute(parent, "unix:uid").equals(0), "skipped: only root can give files away");
    Files.setAttribute(theirs, "unix:uid", 54_321);
    refused(parent, theirs + " belongs to another user");
  }

  @Test
  void the_check_leaves_no_file_behind() throws Exception {
    var _ = Workspace.prepare(parent);
    assertThat(parent).isEmptyDirectory();
  }

  @Test
  void other_users_who_can_write_to_the_directory_are_reported() throws Exception {
    Workspace workspace = Workspace.prepare(parent);
    Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThat(workspace.writableBy()).isNull();
    Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxrwxr-x"));
    assertThat(workspace.writableBy()).isEqualTo("its group");
    Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(workspace.writableBy()).isEqualTo("everyone");
  }

  @Test
  void a_dead_agents_socket_is_removed() throws Exception {
    Path name = Files.createFile(parent.resolve(SOCKET));
    Workspace workspace = Workspace.prepare(parent);
    assertThat(name).exists();
    workspace.removeDeadSocket();
    assertThat(name).doesNotExist();
  }

  @Test
  void a_directory_at_the_sockets_name_is_refused() throws IOException {
    Files.createDirectory(parent.resolve(SOCKET));
    refused(parent, parent.resolve(SOCKET) + " is a directory");
  }

  @Test
  void anything_but_a_directory_at_the_sockets_name_is_accepted() throws Exception {
    Files.createSymbolicLink(parent.resolve(SOCKET), parent.resolve("nowhere"));
    assertThat(Workspace.prepare(parent).directory()).isEqualTo(parent);
  }

  @Test
  void a_link_to_a_directory_is_accepted() throws Exception {
    Path real = Files.createDirectory(parent.resolve("real"));
    Path link = Files.createSymbolicLink(parent.resolve("link"), real);
    assertThat(Workspace.prepare(link).directory()).isEqualTo(link);
  }
}
