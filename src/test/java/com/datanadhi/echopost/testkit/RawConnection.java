package com.datanadhi.echopost.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.GZIPOutputStream;

/// A client connection that can violate the protocol. Bytes that do not fit into the socket buffer
/// are not sent.
public final class RawConnection implements AutoCloseable {
  private static final byte[] MAGIC =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  /// HEADERS, RST_STREAM, GOAWAY.
  private static final Set<Integer> RESPONSES = Set.of(1, 3, 7);

  private final SocketChannel channel;
  private final ByteBuffer received = ByteBuffer.allocate(1 << 10);

  /// Connects to the agent.
  ///
  /// @throws IOException if there is no listener, or its backlog is full
  public RawConnection(Path socket) throws IOException {
    this(SocketChannel.open(StandardProtocolFamily.UNIX), UnixDomainSocketAddress.of(socket));
  }

  /// Starts to connect to a TCP port of this machine. What is sent before the connection exists is
  /// lost: see [#awaitConnected].
  ///
  /// @throws IOException if there is no local port or descriptor left
  public RawConnection(int port) throws IOException {
    this(SocketChannel.open(), new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
  }

  private RawConnection(SocketChannel channel, SocketAddress address) throws IOException {
    this.channel = channel;
    try {
      channel.configureBlocking(false);
      boolean _ = channel.connect(address);
    } catch (IOException refused) {
      channel.close();
      throw refused;
    }
  }

  /// Waits until the connection exists; the only method that waits.
  ///
  /// @return whether it does within `limit`
  public boolean awaitConnected(Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    try {
      while (!channel.finishConnect()) {
        if (System.nanoTime() - end > 0) {
          return false;
        }
        LockSupport.parkNanos(100_000);
      }
      return true;
    } catch (IOException refused) {
      return false;
    }
  }

  /// Sends as many bytes as the socket buffer accepts without blocking.
  ///
  /// @return whether all bytes were sent
  public boolean send(byte[] bytes) {
    try {
      return channel.write(ByteBuffer.wrap(bytes)) == bytes.length;
    } catch (IOException closed) {
      return false;
    }
  }

  /// Whether the agent has sent HEADERS, RST_STREAM or GOAWAY.
  public boolean isAnswered() throws IOException {
    int _ = channel.read(received);
    ByteBuffer frames = received.duplicate().flip();
    while (frames.remaining() >= 9) {
      int lengthAndType = frames.getInt();
      if (RESPONSES.contains(lengthAndType & 0xFF)) {
        return true;
      }
      int rest = 5 + (lengthAndType >>> 8);
      frames.position(frames.position() + Math.min(frames.remaining(), rest));
    }
    return false;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /// The connection preface of an HTTP/2 client (RFC 9113, 3.4).
  ///
  /// @param settings the payload of its SETTINGS
  public static byte[] preface(byte... settings) {
    return join(MAGIC, frame(4, 0, 0, settings));
  }

  /// A message with its prefix (gRPC over HTTP/2, "Length-Prefixed-Message").
  ///
  /// @param flag 1 if the message is compressed
  public static byte[] prefixed(int flag, byte[] message) {
    return ByteBuffer.allocate(5 + message.length)
        .put((byte) flag)
        .putInt(message.length)
        .put(message)
        .array();
  }

  /// Compresses `bytes` with gzip.
  public static byte[] gzip(byte[] bytes) {
    ByteArrayOutputStream compressed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
      gzip.write(bytes);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return compressed.toByteArray();
  }

  /// A frame (RFC 9113, 4.1).
  public static byte[] frame(int type, int flags, int stream, byte[] payload) {
    ByteBuffer frame = ByteBuffer.allocate(9 + payload.length);
    frame.put((byte) (payload.length >> 16)).putShort((short) payload.length);
    frame.put((byte) type).put((byte) flags).putInt(stream).put(payload);
    return frame.array();
  }

  /// The header block of a SendLog call, as literals without Huffman coding that enter the dynamic
  /// table (RFC 7541, 6.2.1).
  public static byte[] sendLogHeaders() {
    return callHeaders("/logagent.LogAgent/SendLog");
  }

  /// The same for a call of another method.
  public static byte[] callHeaders(String path) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    block.write(0x83); // :method POST
    block.write(0x86); // :scheme http
    literal(block, 0x44, path); // :path
    literal(block, 0x41, "localhost"); // :authority
    literal(block, 0x5F, "application/grpc"); // content-type
    block.writeBytes(header("te", "trailers"));
    return block.toByteArray();
  }

  /// A header field as a literal without Huffman coding (RFC 7541, 6.2.1).
  public static byte[] header(String name, String value) {
    ByteArrayOutputStream field = new ByteArrayOutputStream();
    literal(field, 0x40, name);
    literal(field, -1, value);
    return field.toByteArray();
  }

  /// A whole connection with one call, whose message is small on the wire and 12 MiB after
  /// decompression.
  public static byte[] bomb() {
    return bomb(sendLogHeaders());
  }

  /// The same for a call with other headers.
  public static byte[] bomb(byte[] callHeaders) {
    byte[] headers = join(callHeaders, header("grpc-encoding", "gzip"));
    return join(
        preface(), frame(1, 4, 1, headers), frame(0, 1, 1, prefixed(1, gzip(new byte[12 << 20]))));
  }

  private static void literal(ByteArrayOutputStream block, int prefix, String value) {
    if (prefix >= 0) {
      block.write(prefix);
    }
    block.write(value.length());
    block.writeBytes(value.getBytes(StandardCharsets.US_ASCII));
  }

  /// Concatenates `parts`.
  public static byte[] join(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /// Between one and `most` random bytes.
  public static byte[] random(Random random, int most) {
    byte[] bytes = new byte[1 + random.nextInt(most)];
    random.nextBytes(bytes);
    return bytes;
  }
}
