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

/// Sends records as frames that were put together before, so that the clients take little of the
/// processors that they share with the service: what the service can take, where [Sender]'s
/// clients, on grpc-java, take half of the time for themselves. Insists that every record is
/// acknowledged.
final class FrameSender {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final int FRAME_HEADER_BYTES = 9;
  private static final int FIRST_WINDOW_BYTES = 65_535;
  private static final int WINDOW_STEP_BYTES = 16 << 10;

  /// The fields that the first call of a connection has put into the table (RFC 7541, 6.1 and
  /// 2.3.3): method and scheme, then the last four in the order in which they came.
  private static final byte[] KNOWN_HEADERS = {
    (byte) 0x83, (byte) 0x86, (byte) 0xC1, (byte) 0xC0, (byte) 0xBF, (byte) 0xBE
  };

  private final Path socket;
  private long nextSeq;

  FrameSender(Path socket) {
    this.socket = socket;
  }

  /// Each record on a new connection, from 8 threads.
  ///
  /// @return acknowledged records a second
  double reconnecting(int records) throws InterruptedException, ExecutionException {
    return together(
        Sender.RECONNECTING_CLIENTS,
        records / Sender.RECONNECTING_CLIENTS,
        messages -> {
          List<byte[]> calls = new ArrayList<>();
          for (byte[] message : messages) {
            calls.add(join(beginning(), firstCall(message)));
          }
          return () -> {
            Buffers buffers = new Buffers();
            for (byte[] call : calls) {
              try (Connection connection = new Connection(buffers)) {
                connection.write(ByteBuffer.wrap(call));
                connection.awaitAnswers(1);
              }
            }
            return null;
          };
        });
  }

  /// 4 connections with 64 calls in flight on each.
  ///
  /// @return acknowledged records a second
  double pipelined(int records) throws InterruptedException, ExecutionException {
    return together(
        Sender.CONNECTIONS,
        records / Sender.CONNECTIONS,
        messages ->
            () -> {
              try (Connection connection = new Connection(new Buffers())) {
                connection.write(ByteBuffer.wrap(beginning()));
                connection.sendAll(messages);
              }
              return null;
            });
  }

  private interface Client {
    /// What is timed: sends these.
    Callable<Void> sending(List<byte[]> messages);
  }

  private double together(int clients, int each, Client client)
      throws InterruptedException, ExecutionException {
    List<Callable<Void>> sendings = new ArrayList<>();
    for (int c = 0; c < clients; c++) {
      List<byte[]> messages = new ArrayList<>();
      for (int i = 0; i < each; i++) {
        messages.add(
            prefixed(0, LoadClient.request(0, nextSeq++, Effort.RECORD_BYTES).toByteArray()));
      }
      sendings.add(client.sending(messages));
    }
    return Sender.perSecond(sendings, each);
  }

  private static byte[] beginning() {
    return join(preface(), frame(SETTINGS, ACK, 0, new byte[0]));
  }

  private static byte[] firstCall(byte[] message) {
    return join(
        frame(HEADERS, END_HEADERS, 1, sendLogHeaders()), frame(DATA, END_STREAM, 1, message));
  }

  /// What one thread's connections read and write through, one after the other.
  private record Buffers(ByteBuffer in, ByteBuffer out) {
    Buffers() {
      this(ByteBuffer.allocateDirect(BUFFER_BYTES), ByteBuffer.allocateDirect(BUFFER_BYTES));
    }
  }

  /// One connection of one thread.
  private final class Connection implements AutoCloseable {
    private final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    private final ByteBuffer in;
    private final ByteBuffer out;
    private int window = FIRST_WINDOW_BYTES;
    private int read;
    private int answers;
    private int stored;
    private boolean settled;

    Connection(Buffers buffers) throws IOException {
      this.in = buffers.in().clear();
      this.out = buffers.out().clear();
      boolean _ = channel.connect(UnixDomainSocketAddress.of(socket));
    }

    void sendAll(List<byte[]> messages) throws IOException {
      for (int sent = 0; answers < messages.size(); ) {
        while (sent < messages.size()
            && sent - answers < Sender.IN_FLIGHT
            && window >= messages.get(sent).length) {
          byte[] message = messages.get(sent);
          int stream = 2 * sent + 1;
          put(HEADERS, END_HEADERS, stream, sent == 0 ? sendLogHeaders() : KNOWN_HEADERS);
          put(DATA, END_STREAM, stream, message);
          window -= message.length;
          sent++;
        }
        flush();
        awaitAnswers(answers + 1);
      }
    }

    /// Reads until so many calls have been answered in all.
    void awaitAnswers(int wanted) throws IOException {
      while (answers < wanted) {
        if (channel.read(in) < 0) {
          throw new EOFException("the service closed a connection");
        }
        in.flip();
        while (in.remaining() >= FRAME_HEADER_BYTES) {
          int length = in.getInt(in.position()) >>> 8;
          if (in.remaining() < FRAME_HEADER_BYTES + length) {
            break;
          }
          heed(length);
          in.position(in.position() + FRAME_HEADER_BYTES + length);
        }
        in.compact();
      }
    }

    private void heed(int length) throws IOException {
      int at = in.position();
      int type = in.get(at + 3);
      int flags = in.get(at + 4);
      int payload = at + FRAME_HEADER_BYTES;
      switch (type) {
        case DATA -> {
          // LogResponse, behind its prefix: success = true.
          if (length < 7 || in.getShort(payload + 5) != 0x0801) {
            throw new IOException("a record was not acknowledged");
          }
          stored++;
          heedRoom(length);
        }
        case HEADERS -> {
          answers += flags & END_STREAM;
          if (answers > stored) {
            throw new IOException("a record was refused");
          }
        }
        case SETTINGS -> {
          // The first are acknowledged ahead of them.
          if ((flags & ACK) == 0 && settled) {
            put(SETTINGS, ACK, 0, new byte[0]);
            flush();
          }
          settled = true;
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
            window += in.getInt(payload);
          }
        }
        default -> throw new IOException("a frame of type " + type + " where none was expected");
      }
    }

    private void heedRoom(int length) throws IOException {
      read += length;
      if (read >= WINDOW_STEP_BYTES) {
        put(WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(read).array());
        read = 0;
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
