package com.datanadhi.echopost.testkit;

import static com.datanadhi.echopost.testkit.RawConnection.frame;
import static com.datanadhi.echopost.testkit.RawConnection.join;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/// A client that sends HTTP/2 frame by frame, and waits for frames. Not thread-safe.
public final class FrameClient implements AutoCloseable {
  /// RFC 9113, 6.
  public static final int DATA = 0;

  /// RFC 9113, 6.2.
  public static final int HEADERS = 1;

  /// RFC 9113, 6.3.
  public static final int PRIORITY = 2;

  /// RFC 9113, 6.4.
  public static final int RST_STREAM = 3;

  /// RFC 9113, 6.5.
  public static final int SETTINGS = 4;

  /// RFC 9113, 6.7.
  public static final int PING = 6;

  /// RFC 9113, 6.8.
  public static final int GOAWAY = 7;

  /// RFC 9113, 6.9.
  public static final int WINDOW_UPDATE = 8;

  /// RFC 9113, 6.10.
  public static final int CONTINUATION = 9;

  /// Of SETTINGS and PING.
  public static final int ACK = 1;

  /// Of DATA and HEADERS.
  public static final int END_STREAM = 1;

  /// Of HEADERS and CONTINUATION.
  public static final int END_HEADERS = 4;

  /// Of DATA.
  public static final int PADDED = 8;

  /// A frame that was received.
  ///
  /// @param fields the decoded fields of HEADERS; empty for others
  @SuppressWarnings("ArrayRecordComponent")
  public record Frame(int type, int flags, int stream, byte[] payload, Map<String, String> fields) {
    /// The 32-bit number at `offset` of the payload.
    public int number(int offset) {
      return ByteBuffer.wrap(payload).getInt(offset);
    }
  }

  /// The response to a call.
  ///
  /// @param headers all fields, trailers included
  /// @param message the bytes of all its DATA
  /// @param reset the error code of an RST_STREAM, -1 without one
  @SuppressWarnings("ArrayRecordComponent")
  public record Answer(Map<String, String> headers, byte[] message, int reset) {
    /// gRPC's status code, -1 without one.
    public int status() {
      return Integer.parseInt(headers.getOrDefault("grpc-status", "-1"));
    }

    /// The status's description, as it is on the wire.
    public String why() {
      return headers.getOrDefault("grpc-message", "");
    }
  }

  private final SocketChannel channel;
  private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder();
  private final List<Frame> unclaimed = new ArrayList<>();

  /// Connects and sends nothing.
  public FrameClient(Path socket) throws IOException {
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      // A test's SETTINGS may ask for any table size.
      decoder.configuration().maxHeaderTableSize(1 << 30);
    } catch (Http2Exception impossible) {
      throw new IllegalStateException(impossible);
    }
    boolean _ = channel.connect(UnixDomainSocketAddress.of(socket));
  }

  /// Connects, sends the preface with `settings` as the payload of its SETTINGS, and acknowledges
  /// the agent's SETTINGS.
  public static FrameClient connect(Path socket, byte... settings) throws IOException {
    FrameClient client = new FrameClient(socket);
    client.send(RawConnection.preface(settings), frame(SETTINGS, ACK, 0, new byte[0]));
    return client;
  }

  /// Sends frames, one after the other.
  public void send(byte[]... frames) throws IOException {
    ByteBuffer all = ByteBuffer.wrap(join(frames));
    while (all.hasRemaining()) {
      int _ = channel.write(all);
    }
  }

  /// Sends as much as the socket accepts within about 100 ms, and drops the rest.
  ///
  /// @return whether everything was sent
  public boolean offer(byte[]... frames) throws IOException {
    ByteBuffer all = ByteBuffer.wrap(join(frames));
    channel.configureBlocking(false);
    try {
      for (int tries = 0; all.hasRemaining() && tries < 100; tries++) {
        if (channel.write(all) == 0) {
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
      }
      return !all.hasRemaining();
    } catch (IOException closed) {
      return false;
    } finally {
      channel.configureBlocking(true);
    }
  }

  /// Offers the same frames until they do not fit into the socket, at most `most` times.
  ///
  /// @return how often all of them were sent
  public int offerUntilNotRead(byte[] frames, int most) throws IOException {
    int taken = 0;
    while (taken < most && offer(frames)) {
      taken++;
    }
    return taken;
  }

  /// Sends the first `length` bytes of a message as DATA, as the stream's window allows.
  ///
  /// @param flags the flags of the last frame
  public void sendBounded(int stream, byte[] message, int flags, int length) throws IOException {
    int window = 8 << 10;
    for (int sent = 0; sent < length; ) {
      while (window == 0) {
        window +=
            await(frame -> frame.type() == WINDOW_UPDATE && frame.stream() == stream).number(0);
      }
      int next = Math.min(window, length - sent);
      byte[] piece = Arrays.copyOfRange(message, sent, sent + next);
      sent += next;
      window -= next;
      send(frame(DATA, sent == length ? flags : 0, stream, piece));
    }
  }

  /// Waits for the next frame that `wanted` accepts. Later calls get the other frames.
  ///
  /// @throws EOFException if the agent closes the connection first
  public Frame await(Predicate<Frame> wanted) throws IOException {
    for (Frame frame : unclaimed) {
      if (wanted.test(frame)) {
        unclaimed.remove(frame);
        return frame;
      }
    }
    while (true) {
      Frame next = read();
      if (wanted.test(next)) {
        return next;
      }
      unclaimed.add(next);
    }
  }

  /// Waits for the next frame of a type.
  public Frame await(int type) throws IOException {
    return await(frame -> frame.type() == type);
  }

  /// Waits for the end of the call on `stream`.
  public Answer answer(int stream) throws IOException {
    Map<String, String> headers = new LinkedHashMap<>();
    byte[] message = {};
    while (true) {
      Frame next = await(frame -> frame.stream() == stream && frame.type() != WINDOW_UPDATE);
      if (next.type() == RST_STREAM) {
        return new Answer(headers, message, next.number(0));
      }
      headers.putAll(next.fields());
      if (next.type() == DATA) {
        message = join(message, next.payload());
      }
      if ((next.flags() & END_STREAM) != 0) {
        return new Answer(headers, message, -1);
      }
    }
  }

  /// Waits until the agent closes the connection. Frames that arrive before are available to later
  /// calls.
  public boolean isClosedByTheAgent() throws IOException {
    try {
      while (true) {
        unclaimed.add(read());
      }
    } catch (EOFException closed) {
      return true;
    }
  }

  private Frame read() throws IOException {
    ByteBuffer head = read(9);
    int lengthAndType = head.getInt();
    int flags = head.get();
    int stream = head.getInt();
    byte[] payload = read(lengthAndType >>> 8).array();
    int type = lengthAndType & 0xFF;
    return new Frame(
        type, flags, stream, payload, type == HEADERS ? fields(stream, payload) : Map.of());
  }

  private Map<String, String> fields(int stream, byte[] block) {
    Map<String, String> fields = new LinkedHashMap<>();
    try {
      decoder
          .decodeHeaders(stream, Unpooled.wrappedBuffer(block))
          .forEach(field -> fields.put(field.getKey().toString(), field.getValue().toString()));
    } catch (Http2Exception unreadable) {
      throw new IllegalStateException(unreadable);
    }
    return fields;
  }

  private ByteBuffer read(int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException("the agent has closed the connection");
      }
    }
    return buffer.flip();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
