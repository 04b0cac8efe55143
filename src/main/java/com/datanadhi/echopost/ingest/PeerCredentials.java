package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.net.Transport;
import io.netty.channel.Channel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// Distinguishes the user that the agent runs as, and root, from other users, which a wider socket
/// mode admits. The kernel reports the user of the client's process, so a client cannot pretend to
/// be another. Immutable.
final class PeerCredentials {
  private static final int ROOT = 0;

  private final Transport transport;
  private final Path ownFile;

  /// @param ownFile a file that belongs to the agent's user
  PeerCredentials(Transport transport, Path ownFile) {
    this.transport = transport;
    this.ownFile = ownFile;
  }

  /// Whether the process at the other end of `channel` belongs to this user, or to root. False if
  /// that cannot be determined.
  boolean isOwnUserOrRoot(Channel channel) {
    try {
      int peer = transport.peerUser(channel);
      Object own = Files.getAttribute(ownFile, "unix:uid", LinkOption.NOFOLLOW_LINKS);
      return peer == ROOT || own.equals(peer);
    } catch (IOException unknown) {
      return false;
    }
  }
}
