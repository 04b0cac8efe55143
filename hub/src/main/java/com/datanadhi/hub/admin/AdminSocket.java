package com.datanadhi.hub.admin;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Where the socket of a data directory is.
///
/// The socket is bound in a directory that only its owner can enter, gets the mode 0600 there, and
/// is then renamed to `hub.sock`: no other user can connect at any moment, whatever the umask is.
///
/// The path of a UNIX socket has at most 107 bytes. If `DIR/hub.sock` is longer, the socket is in a
/// private directory below `java.io.tmpdir`, and `hub.sock` is a symbolic link to it.
final class AdminSocket {
  /// The socket, or the link to it.
  static final String NAME = "hub.sock";

  /// Not longer than [#NAME], so that both paths fit or neither does.
  private static final String PRIVATE_DIRECTORY = ".admin";

  private static final String PRIVATE_NAME = "s";

  /// `sun_path` of `struct sockaddr_un` has 108 bytes with the final NUL (unix(7)).
  private static final int MAX_PATH_BYTES = 107;

  private AdminSocket() {}

  /// The address to connect to.
  ///
  /// @return null if there is none
  static @Nullable UnixDomainSocketAddress address(Path directory) throws IOException {
    Path socket = directory.resolve(NAME);
    try {
      return fitting(
          Files.isSymbolicLink(socket)
              ? directory.resolve(Files.readSymbolicLink(socket))
              : Files.exists(socket, LinkOption.NOFOLLOW_LINKS) ? socket : null);
    } catch (NoSuchFileException justRemoved) {
      return null;
    }
  }

  /// A path that is too long to be a socket's is no socket's.
  private static @Nullable UnixDomainSocketAddress fitting(@Nullable Path socket) {
    return socket == null || !fits(socket) ? null : UnixDomainSocketAddress.of(socket);
  }

  private static boolean fits(Path socket) {
    return socket.toString().getBytes(StandardCharsets.UTF_8).length <= MAX_PATH_BYTES;
  }

  /// Whether a process accepts connections there.
  static boolean isListening(UnixDomainSocketAddress address) throws IOException {
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return probe.connect(address);
    } catch (ConnectException nobody) {
      return false;
    } catch (IOException failed) {
      if (!Files.exists(address.getPath())) {
        return false;
      }
      throw new IOException(
          "cannot connect to " + address.getPath() + ": " + failed.getMessage(), failed);
    }
  }

  /// Fails if a process listens at `hub.sock`, or if it is something else than a socket.
  static void checkFree(Path directory) throws IOException {
    Path socket = directory.resolve(NAME);
    UnixDomainSocketAddress address = address(directory);
    if (address == null) {
      return;
    }
    if (!Files.isSymbolicLink(socket)
        && !Files.readAttributes(socket, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
            .isOther()) {
      throw new FileAlreadyExistsException(
          socket.toString(), null, "it is not a socket; remove or rename it");
    }
    if (isListening(address)) {
      throw new IOException("another process listens at " + socket);
    }
  }

  /// A private place to bind the socket at.
  static Path placeToBind(Path directory) throws IOException {
    Path inside = directory.resolve(PRIVATE_DIRECTORY);
    Path place = inside.resolve(PRIVATE_NAME);
    if (fits(place)) {
      removePrivate(place);
      Files.createDirectory(
          inside,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      return place;
    }
    Path elsewhere = Files.createTempDirectory("echopost-hub-").resolve(PRIVATE_NAME);
    if (!fits(elsewhere)) {
      Files.deleteIfExists(Objects.requireNonNull(elsewhere.getParent()));
      throw new IOException(
          "the path of a UNIX socket has at most "
              + MAX_PATH_BYTES
              + " bytes, and both "
              + place
              + " and "
              + elsewhere
              + " are longer: choose a shorter --data");
    }
    return elsewhere;
  }

  /// Gives the bound socket its name.
  static void publish(Path place, Path directory) throws IOException {
    Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rw-------"));
    Path socket = directory.resolve(NAME);
    if (place.startsWith(directory)) {
      move(place, socket);
      removePrivate(place);
    } else {
      Path link = directory.resolve(PRIVATE_DIRECTORY);
      Files.deleteIfExists(link);
      Files.createSymbolicLink(link, place);
      move(link, socket);
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException impossible) {
      throw new IOException("cannot rename " + from + " to " + to, impossible);
    }
  }

  /// Removes what [#placeToBind] made, also if an earlier process left it behind.
  static void removePrivate(Path place) throws IOException {
    Files.deleteIfExists(place);
    Files.deleteIfExists(Objects.requireNonNull(place.getParent()));
  }
}
