package com.datanadhi.sdk.internal.echopost;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.SocketFactory;

/**
 * Opens exactly one connection to a UNIX socket, whatever the address; a second attempt fails. gRPC
 * reconnects by itself when a connection ends: it would send later records on the new connection
 * while earlier ones have failed, out of order.
 *
 * <p>The JDK offers UNIX sockets only as channels (JEP 380), and gRPC's OkHttp transport needs a
 * {@link Socket}: so the channel is adapted to the methods that the transport calls. Thread-safe.
 */
final class UnixSocketFactory extends SocketFactory {
  private final Path path;
  private final AtomicBoolean used = new AtomicBoolean();

  UnixSocketFactory(Path path) {
    this.path = path;
  }

  /** Whether the connection was opened, or an attempt failed. */
  boolean isUsed() {
    return used.get();
  }

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    if (!used.compareAndSet(false, true)) {
      throw new IOException("the connection to " + path + " has ended");
    }
    return new ChannelSocket(SocketChannel.open(UnixDomainSocketAddress.of(path)));
  }

  @Override
  public Socket createSocket(InetAddress host, int port) throws IOException {
    return createSocket("", port);
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress local, int localPort)
      throws IOException {
    return createSocket(host, port);
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort)
      throws IOException {
    return createSocket("", port);
  }

  /** A connected channel as a socket, with the methods that the transport calls. */
  private static final class ChannelSocket extends Socket {
    private static final InetSocketAddress UNIX_ADDRESS =
        InetSocketAddress.createUnresolved("unix", 0);

    private final SocketChannel channel;

    ChannelSocket(SocketChannel channel) {
      this.channel = channel;
    }

    // The streams of java.nio.channels.Channels block a write while another thread reads
    // (JDK-4774871).
    @Override
    public InputStream getInputStream() {
      return new InputStream() {
        @Override
        public int read() throws IOException {
          byte[] one = new byte[1];
          return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
          return length == 0 ? 0 : channel.read(ByteBuffer.wrap(into, offset, length));
        }
      };
    }

    @Override
    public OutputStream getOutputStream() {
      return new OutputStream() {
        @Override
        public void write(int one) throws IOException {
          write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
          ByteBuffer bytes = ByteBuffer.wrap(from, offset, length);
          while (bytes.hasRemaining()) {
            int unused = channel.write(bytes);
          }
        }
      };
    }

    @Override
    public synchronized void close() throws IOException {
      channel.close();
    }

    @Override
    public boolean isClosed() {
      return !channel.isOpen();
    }

    @Override
    public boolean isConnected() {
      return true;
    }

    @Override
    public void setTcpNoDelay(boolean on) {
      // Not TCP.
    }

    @Override
    public synchronized void setSoTimeout(int millis) {
      // gRPC calls have deadlines.
    }

    @Override
    public synchronized int getSoTimeout() {
      return 0;
    }

    @Override
    public SocketAddress getRemoteSocketAddress() {
      return UNIX_ADDRESS;
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
      return UNIX_ADDRESS;
    }

    @Override
    public String toString() {
      return "UNIX socket";
    }
  }
}
