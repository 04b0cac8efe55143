package com.datanadhi.echopost.bench;

import static com.datanadhi.echopost.testkit.FrameClient.ACK;
import static com.datanadhi.echopost.testkit.FrameClient.DATA;
import static com.datanadhi.echopost.testkit.FrameClient.END_HEADERS;
import static com.datanadhi.echopost.testkit.FrameClient.END_STREAM;
import static com.datanadhi.echopost.testkit.FrameClient.HEADERS;
import static com.datanadhi.echopost.testkit.FrameClient.PING;
import static com.datanadhi.echopost.testkit.FrameClient.SETTINGS;
import static com.datanadhi.echopost.testkit.FrameClient.WINDOW_UPDATE;
import static com.datanadhi.echopost.testkit.RawConnection.frame;
import static com.datanadhi.echopost.testkit.RawConnection.join;
import static com.datanadhi.echopost.testkit.RawConnection.preface;
import static com.datanadhi.echopost.testkit.RawConnection.prefixed;
import static com.datanadhi.echopost.testkit.RawConnection.sendLogHeaders;

import com.datanadhi.echopost.testkit.LoadClient;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/// Sends records as HTTP/2 frames that are encoded in advance, so that the clients use little of
/// the CPU time that they share with the service; the clients of [GrpcJavaSender] use half of it.
/// Throws if a record is not acknowledged. Not thread-safe.
final class PreEncodedSender {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final int FRAME_HEADER_BYTES = 9;
  private static final int INITIAL_WINDOW_BYTES = 65_535;
  private static final int WINDOW_UPDATE_BYTES = 16 << 10;

  /// The headers of all calls after the first on a connection, as indexes into HPACK's tables (RFC
  /// 7541, 6.1 and 2.3.3): method and scheme, then the four fields that the first call added to the
  /// dynamic table, in the order of their insertion.
  private static final byte[] INDEXED_HEADERS = {
    (byte) 0x83, (byte) 0x86, (byte) 0xC1, (byte) 0xC0, (byte) 0xBF, (byte) 0xBE
  };

  private final Path socket;
  private long nextSeq;

  PreEncodedSender(Path socket) {
    this.socket = socket;
  }

  /// Sends each record on a new connection, from 8 threads.
  ///
  /// @return acknowledged records per second
  double reconnecting(int records) throws InterruptedException, ExecutionException {
    return runClients(
        GrpcJavaSender.RECONNECTING_CLIENTS,
        records / GrpcJavaSender.RECONNECTING_CLIENTS,
        messages -> {
          List<byte[]> calls = new ArrayList<>();
          for (byte[] message : messages) {
            calls.add(join(connectionStart(), firstCall(message)));
          }
          return () -> {
            Buffers buffers = new Buffers();
            for (byte[] call : calls) {
              try (Connection connection = new Connection(buffers)) {
                connection.write(ByteBuffer.wrap(call));
                connection.awaitAnswered(1);
              }
            }
            return null;
          };
        });
  }

  /// Sends on 4 connections with 64 calls in flight on each.
  ///
  /// @return acknowledged records per second
  double pipelined(int records) throws InterruptedException, ExecutionException {
    return runClients(
        GrpcJavaSender.CONNECTIONS,
        records / GrpcJavaSender.CONNECTIONS,
        messages ->
            () -> {
              try (Connection connection = new Connection(new Buffers())) {
                connection.write(ByteBuffer.wrap(connectionStart()));
                connection.sendAll(messages);
              }
              return null;
            });
  }

  private interface ClientFactory {
    /// A client that sends these messages; running it is what is timed.
    Callable<Void> create(List<byte[]> messages);
  }

  private double runClients(int count, int recordsPerClient, ClientFactory factory)
      throws InterruptedException, ExecutionException {
    List<Callable<Void>> clients = new ArrayList<>();
    for (int c = 0; c < count; c++) {
      List<byte[]> messages = new ArrayList<>();
      for (int i = 0; i < recordsPerClient; i++) {
        messages.add(
            prefixed(0, LoadClient.request(0, nextSeq++, RunSize.RECORD_BYTES).toByteArray()));
      }
      clients.add(factory.create(messages));
    }
    return GrpcJavaSender.runConcurrently(clients, recordsPerClient);
  }

  private static byte[] connectionStart() {
    return join(preface(), frame(SETTINGS, ACK, 0, new byte[0]));
  }

  private static byte[] firstCall(byte[] message) {
    return join(
        frame(HEADERS, END_HEADERS, 1, sendLogHeaders()), frame(DATA, END_STREAM, 1, message));
  }

  /// The buffers of one thread, which its connections use one after the other.
  private record Buffers(ByteBuffer in, ByteBuffer out) {
    Buffers() {
      this(ByteBuffer.allocateDirect(BUFFER_BYTES), ByteBuffer.allocateDirect(BUFFER_BYTES));
    }
  }

  /// A client connection. Confined to one thread.
  private final class Connection implements AutoCloseable {
    private final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    private final ByteBuffer in;
    private final ByteBuffer out;
    private int sendWindow = INITIAL_WINDOW_BYTES;
    private int bytesToCredit;
    private int answered;
    private int stored;
    private boolean settingsReceived;

    Connection(Buffers buffers) throws IOException {
      this.in = buffers.in().clear();
      this.out = buffers.out().clear();
      boolean _ = channel.connect(UnixDomainSocketAddress.of(socket));
    }

    void sendAll(List<byte[]> messages) throws IOException {
      for (int sent = 0; answered < messages.size(); ) {
        while (sent < messages.size()
            && sent - answered < GrpcJavaSender.IN_FLIGHT
            && sendWindow >= messages.get(sent).length) {
          byte[] message = messages.get(sent);
          int stream = 2 * sent + 1;
          put(HEADERS, END_HEADERS, stream, sent == 0 ? sendLogHeaders() : INDEXED_HEADERS);
          put(DATA, END_STREAM, stream, message);
          sendWindow -= message.length;
          sent++;
        }
        flush();
        awaitAnswered(answered + 1);
      }
    }

    /// Reads until `wanted` calls of this connection are answered.
    void awaitAnswered(int wanted) throws IOException {
      while (answered < wanted) {
        if (channel.read(in) < 0) {
          throw new EOFException("the service closed a connection");
        }
        in.flip();
        while (in.remaining() >= FRAME_HEADER_BYTES) {
          int length = in.getInt(in.position()) >>> 8;
          if (in.remaining() < FRAME_HEADER_BYTES + length) {
            break;
          }
          handleFrame(length);
          in.position(in.position() + FRAME_HEADER_BYTES + length);
        }
        in.compact();
      }
    }

    private void handleFrame(int length) throws IOException {
      int at = in.position();
      int type = in.get(at + 3);
      int flags = in.get(at + 4);
      int payload = at + FRAME_HEADER_BYTES;
      switch (type) {
        case DATA -> {
          // After the gRPC prefix: LogResponse.success = true.
          if (length < 7 || in.getShort(payload + 5) != 0x0801) {
            throw new IOException("a record was not acknowledged");
          }
          stored++;
          creditWindow(length);
        }
        case HEADERS -> {
          answered += flags & END_STREAM;
          if (answered > stored) {
            throw new IOException("a record was refused");
          }
        }
        case SETTINGS -> {
          // The first SETTINGS are acknowledged in advance, by connectionStart().
          if ((flags & ACK) == 0 && settingsReceived) {
            put(SETTINGS, ACK, 0, new byte[0]);
            flush();
          }
          settingsReceived = true;
        }
        case PING -> {
          if ((flags & ACK) == 0) {
            byte[] echo = new byte[length];
            in.get(payload, echo);
            put(PING, ACK, 0, echo);
            flush();
          }
        }
        case WINDOW_UPDATE -> {
          if (in.getInt(at + 5) == 0) {
            sendWindow += in.getInt(payload);
          }
        }
        default -> throw new IOException("unexpected frame of type " + type);
      }
    }

    private void creditWindow(int length) throws IOException {
      bytesToCredit += length;
      if (bytesToCredit >= WINDOW_UPDATE_BYTES) {
        put(WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(bytesToCredit).array());
        bytesToCredit = 0;
        flush();
      }
    }

    private void put(int type, int flags, int stream, byte[] payload) throws IOException {
      if (out.remaining() < FRAME_HEADER_BYTES + payload.length) {
        flush();
      }
      out.putInt((payload.length << 8) | type).put((byte) flags).putInt(stream).put(payload);
    }

    private void flush() throws IOException {
      write(out.flip());
      out.clear();
    }

    void write(ByteBuffer bytes) throws IOException {
      while (bytes.hasRemaining()) {
        int _ = channel.write(bytes);
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
