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
 * Makes one connection to a UNIX socket, whatever address is asked for: gRPC would make another by
 * itself where one ends, and send what comes behind by that while what went before has failed. The
 * JDK has UNIX sockets as channels alone (JEP 380), gRPC's OkHttp transport wants them as sockets.
 */
final class UnixSocketFactory extends SocketFactory {
  private final Path path;
  private final AtomicBoolean made = new AtomicBoolean();

  UnixSocketFactory(Path path) {
    this.path = path;
  }

  /** Whether it has made its connection, or tried to. */
  boolean isUsed() {
    return made.get();
  }

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    if (!made.compareAndSet(false, true)) {
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

  /** A connected channel as far as the transport uses a socket. */
  private static final class ChannelSocket extends Socket {
    private static final InetSocketAddress NOWHERE = InetSocketAddress.createUnresolved("unix", 0);

    private final SocketChannel channel;

    ChannelSocket(SocketChannel channel) {
      this.channel = channel;
    }

    // The streams of java.nio.channels.Channels let nobody write while somebody reads
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
      // There is no TCP here.
    }

    @Override
    public synchronized void setSoTimeout(int millis) {
      // Calls have deadlines.
    }

    @Override
    public synchronized int getSoTimeout() {
      return 0;
    }

    @Override
    public SocketAddress getRemoteSocketAddress() {
      return NOWHERE;
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
      return NOWHERE;
    }

    @Override
    public String toString() {
      return "UNIX socket";
    }
  }
}
