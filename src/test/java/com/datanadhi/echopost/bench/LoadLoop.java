package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;

/// A load on a server: connections of which each has at most one request in flight. All of them are
/// served by the calling thread, so that the load takes little of the machine from the server. Not
/// thread-safe.
final class LoadLoop implements AutoCloseable {
  private static final long SILENCE_NANOS = Duration.ofSeconds(60).toNanos();

  private final Selector selector = Selector.open();
  private final List<Connection> connections = new ArrayList<>();

  /// What is sent on one connection, and how a response looks.
  interface Conversation {
    /// Prepares a new connection, which is still in blocking mode.
    default void begin(SocketChannel channel) throws IOException {}

    /// The next request. It stays unchanged until the response has come.
    ByteBuffer next();

    /// Looks for the response in what has been received and not been consumed.
    ///
    /// @param received from its position to its limit; what is consumed must be skipped, also if
    ///   the response is not complete
    /// @throws IOException the response is not a success
    Answer answer(ByteBuffer received) throws IOException;
  }

  /// What a conversation has found.
  enum Answer {
    INCOMPLETE,
    /// The request has succeeded.
    DONE,
    /// The server wants the request again later.
    AGAIN
  }

  /// What a load has measured.
  ///
  /// @param requests that have succeeded
  /// @param seconds that they have taken together
  /// @param refusals requests that were sent again
  @SuppressWarnings("ArrayRecordComponent")
  record Result(long requests, double seconds, long refusals, long[] sortedNanos) {
    double perSecond() {
      return requests / seconds;
    }

    double latencyMillis(double quantile) {
      return sortedNanos[(int) Math.min(sortedNanos.length - 1, quantile * sortedNanos.length)]
          / 1e6;
    }
  }

  private static final class Connection {
    private final SocketChannel channel;
    private final Conversation conversation;
    private ByteBuffer request = ByteBuffer.allocate(0);
    private ByteBuffer received = ByteBuffer.allocate(16 << 10);
    private long sentNanos;

    Connection(SocketChannel channel, Conversation conversation) {
      this.channel = channel;
      this.conversation = conversation;
    }
  }

  /// @param conversations one a connection
  LoadLoop(int port, List<? extends Conversation> conversations) throws IOException {
    for (Conversation conversation : conversations) {
      SocketChannel channel =
          SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      conversation.begin(channel);
      channel.configureBlocking(false);
      Connection connection = new Connection(channel, conversation);
      channel.register(selector, SelectionKey.OP_READ, connection);
      connections.add(connection);
    }
  }

  /// Sends `requests` requests, each as soon as its connection is free.
  Result run(long requests) throws IOException {
    return run(requests, 0);
  }

  /// Sends `requests` requests, `rate` a second. A latency counts from when the request was due,
  /// also if no connection was free then.
  ///
  /// @param rate 0: as soon as a connection is free
  Result run(long requests, double rate) throws IOException {
    long[] nanos = new long[(int) requests];
    int done = 0;
    long begun = 0;
    long refusals = 0;
    Queue<Connection> idle = new ArrayDeque<>(connections);
    long start = System.nanoTime();
    long lastProgress = start;
    while (done < requests) {
      long now = System.nanoTime();
      while (begun < requests && !idle.isEmpty()) {
        long due = rate == 0 ? now : start + (long) (begun * 1e9 / rate);
        if (due > now) {
          break;
        }
        Connection connection = idle.remove();
        connection.request = connection.conversation.next();
        connection.sentNanos = due;
        write(connection);
        begun++;
      }
      int ready = rate == 0 || begun == requests ? selector.select(1_000) : selector.select(1);
      if (ready == 0 && System.nanoTime() - lastProgress > SILENCE_NANOS) {
        throw new IOException("no response for a minute");
      }
      for (SelectionKey key : selector.selectedKeys()) {
        Connection connection = (Connection) key.attachment();
        if (key.isWritable()) {
          write(connection);
        }
        if (key.isReadable()) {
          switch (read(connection)) {
            case INCOMPLETE -> {}
            case DONE -> {
              lastProgress = System.nanoTime();
              nanos[done++] = lastProgress - connection.sentNanos;
              idle.add(connection);
            }
            case AGAIN -> {
              refusals++;
              lastProgress = System.nanoTime();
              connection.request.rewind();
              write(connection);
            }
          }
        }
      }
      selector.selectedKeys().clear();
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    Arrays.sort(nanos);
    return new Result(requests, seconds, refusals, nanos);
  }

  private void write(Connection connection) throws IOException {
    connection.channel.write(connection.request);
    connection
        .channel
        .keyFor(selector)
        .interestOps(
            connection.request.hasRemaining()
                ? SelectionKey.OP_READ | SelectionKey.OP_WRITE
                : SelectionKey.OP_READ);
  }

  private static Answer read(Connection connection) throws IOException {
    ByteBuffer received = connection.received;
    if (!received.hasRemaining()) {
      received = ByteBuffer.allocate(2 * received.capacity()).put(received.flip());
      connection.received = received;
    }
    if (connection.channel.read(received) < 0) {
      throw new IOException("the server has closed the connection");
    }
    received.flip();
    Answer answer = connection.conversation.answer(received);
    received.compact();
    return answer;
  }

  @Override
  public void close() throws IOException {
    for (Connection connection : connections) {
      connection.channel.close();
    }
    selector.close();
  }
}
