package com.datanadhi.echopost.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;

/// A connection to the socket by a client that keeps no rules. Nothing here waits: what the agent
/// does not take is not sent.
public final class RawConnection implements AutoCloseable {
  private static final byte[] PREFACE =
      join(
          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
          frame(4, 0, 0, new byte[0]));

  private final SocketChannel channel;

  /// @throws IOException when nobody listens, or the backlog is full
  public RawConnection(Path socket) throws IOException {
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.configureBlocking(false);
      boolean _ = channel.connect(UnixDomainSocketAddress.of(socket));
    } catch (IOException refused) {
      channel.close();
      throw refused;
    }
  }

  /// Sends what the agent takes at once.
  ///
  /// @return whether that was all
  public boolean send(byte[] bytes) {
    try {
      return channel.write(ByteBuffer.wrap(bytes)) == bytes.length;
    } catch (IOException closed) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /// How a client of HTTP/2 begins (RFC 9113, 3.4).
  public static byte[] preface() {
    return PREFACE.clone();
  }

  /// A frame (RFC 9113, 4.1).
  public static byte[] frame(int type, int flags, int stream, byte[] payload) {
    ByteBuffer frame = ByteBuffer.allocate(9 + payload.length);
    frame.put((byte) (payload.length >> 16)).putShort((short) payload.length);
    frame.put((byte) type).put((byte) flags).putInt(stream).put(payload);
    return frame.array();
  }

  /// The headers of a call of SendLog, without their compression (RFC 7541, 6.2.2).
  public static byte[] sendLogHeaders() {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    block.write(0x83); // :method POST
    block.write(0x86); // :scheme http
    literal(block, 0x44, "/logagent.LogAgent/SendLog"); // :path
    literal(block, 0x41, "localhost"); // :authority
    literal(block, 0x5F, "application/grpc"); // content-type
    block.writeBytes(header("te", "trailers"));
    return block.toByteArray();
  }

  /// A header field, without compression (RFC 7541, 6.2.2).
  public static byte[] header(String name, String value) {
    ByteArrayOutputStream field = new ByteArrayOutputStream();
    literal(field, 0x40, name);
    literal(field, -1, value);
    return field.toByteArray();
  }

  private static void literal(ByteArrayOutputStream block, int prefix, String value) {
    if (prefix >= 0) {
      block.write(prefix);
    }
    block.write(value.length());
    block.writeBytes(value.getBytes(StandardCharsets.US_ASCII));
  }

  /// One after the other.
  public static byte[] join(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /// At most `most` bytes, one at least.
  public static byte[] random(Random random, int most) {
    byte[] bytes = new byte[1 + random.nextInt(most)];
    random.nextBytes(bytes);
    return bytes;
  }
}
