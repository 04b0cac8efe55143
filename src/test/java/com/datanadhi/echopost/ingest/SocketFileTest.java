package com.datanadhi.echopost.ingest;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketFileTest {
  @TempDir Path directory;
  private final List<ServerSocketChannel> listeners = new ArrayList<>();
  private Path publicName;
  private SocketFile socket;

  @BeforeEach
  void prepare() {
    publicName = directory.resolve("data-nadhi-agent.sock");
    socket = new SocketFile(directory, PosixFilePermissions.fromString("rw-rw----"));
  }

  @AfterEach
  void closeListeners() throws IOException {
    for (ServerSocketChannel listener : listeners) {
      listener.close();
    }
  }

  private ServerSocketChannel bind(Path name) throws IOException {
    ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listeners.add(listener);
    return listener.bind(UnixDomainSocketAddress.of(name));
  }

  private ServerSocketChannel published() throws IOException {
    ServerSocketChannel listener = bind(socket.freshPrivateName());
    socket.publish();
    return listener;
  }

  private void assertServedBy(ServerSocketChannel listener) throws IOException {
    listener.configureBlocking(false);
    try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(publicName));
        SocketChannel accepted = listener.accept()) {
      assertThat(client.isConnected()).isTrue();
      assertThat(accepted).isNotNull();
    }
  }

  @Test
  void nothing_is_public_before_it_is_published() throws IOException {
    ServerSocketChannel listener = bind(socket.freshPrivateName());
    assertThat(publicName).doesNotExist();
    socket.publish();
    assertServedBy(listener);
  }

  @Test
  void the_public_name_has_the_requested_mode() throws IOException {
    ServerSocketChannel _ = published();
    assertThat(Files.getPosixFilePermissions(publicName))
        .isEqualTo(PosixFilePermissions.fromString("rw-rw----"));
  }

  @Test
  void a_dead_agents_sockets_are_replaced() throws IOException {
    bind(publicName).close();
    bind(directory.resolve(".agent-private.sock")).close();
    Files.createFile(directory.resolve(".agent-publish.sock"));
    assertThat(publicName).exists();
    assertServedBy(published());
  }

  @Test
  void any_file_at_the_public_name_is_replaced() throws IOException {
    Path elsewhere = Files.writeString(directory.resolve("elsewhere"), "kept");
    Files.createSymbolicLink(publicName, elsewhere);
    assertServedBy(published());
    assertThat(elsewhere).hasContent("kept");
  }

  @Test
  void publishing_leaves_no_other_name_behind_but_the_private_one() throws IOException {
    ServerSocketChannel _ = published();
    socket.publish();
    try (var names = Files.list(directory)) {
      assertThat(names.map(name -> name.getFileName().toString()))
          .containsExactlyInAnyOrder("data-nadhi-agent.sock", ".agent-private.sock");
    }
  }

  @Test
  void a_deleted_name_is_restored() throws IOException {
    ServerSocketChannel listener = published();
    Files.delete(publicName);
    assertThat(socket.heal()).isTrue();
    assertServedBy(listener);
  }

  @Test
  void a_replaced_name_is_restored() throws IOException {
    ServerSocketChannel listener = published();
    Files.delete(publicName);
    bind(publicName).close();
    assertThat(socket.heal()).isTrue();
    assertServedBy(listener);
  }

  @Test
  void healing_an_intact_name_changes_nothing() throws IOException {
    ServerSocketChannel listener = published();
    Object before = Files.getAttribute(publicName, "unix:ctime", NOFOLLOW_LINKS);
    assertThat(socket.heal()).isTrue();
    assertThat(Files.getAttribute(publicName, "unix:ctime", NOFOLLOW_LINKS)).isEqualTo(before);
    assertServedBy(listener);
  }

  @Test
  void without_its_private_name_a_socket_cannot_be_published_again() throws IOException {
    ServerSocketChannel _ = published();
    Files.delete(directory.resolve(".agent-private.sock"));
    assertThat(socket.heal()).isTrue();
    Files.delete(publicName);
    assertThat(socket.heal()).isFalse();
    assertThat(publicName).doesNotExist();
  }

  @Test
  void a_name_that_is_not_published_is_not_healed() throws IOException {
    assertThat(socket.heal()).isTrue();
    ServerSocketChannel _ = published();
    socket.withdraw();
    assertThat(socket.heal()).isTrue();
    assertThat(publicName).doesNotExist();
  }

  @Test
  void withdrawing_deletes_the_public_name() throws IOException {
    ServerSocketChannel _ = published();
    socket.withdraw();
    assertThat(publicName).doesNotExist();
    socket.withdraw();
  }

  @Test
  void withdrawing_leaves_a_foreign_file_alone() throws IOException {
    ServerSocketChannel _ = published();
    Files.delete(publicName);
    ServerSocketChannel successor = bind(publicName);
    socket.withdraw();
    assertServedBy(successor);
  }

  @Test
  void withdrawing_a_deleted_name_is_no_error() throws IOException {
    ServerSocketChannel _ = published();
    Files.delete(publicName);
    socket.withdraw();
    assertThat(publicName).doesNotExist();
  }

  @Test
  void a_withdrawn_socket_can_be_published_again() throws IOException {
    ServerSocketChannel first = published();
    socket.withdraw();
    socket.publish();
    assertServedBy(first);
    socket.withdraw();
    assertServedBy(published());
  }

  @Test
  void a_directory_at_the_public_name_is_reported_with_a_fix() throws IOException {
    Files.createDirectory(publicName);
    ServerSocketChannel _ = bind(socket.freshPrivateName());
    assertThatThrownBy(socket::publish)
        .isInstanceOf(IOException.class)
        .hasMessage(publicName + " is a directory: move it away, the socket goes there");
    assertThat(publicName).isDirectory();
    Files.delete(publicName);
    socket.publish();
    assertThat(publicName).exists();
  }
}
