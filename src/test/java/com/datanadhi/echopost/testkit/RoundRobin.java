package com.datanadhi.echopost.testkit;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// A load balancer on loopback: it forwards each TCP connection to the next of its backends, and
/// closes it while that one is down. Thread-safe.
public final class RoundRobin implements AutoCloseable {
  private final ServerSocket listener;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  /// @param backends the ports of the backends; the first connection goes to the first
  public RoundRobin(List<Integer> backends) throws IOException {
    this("127.0.0.1", 0, backends);
  }

  /// As above, on `port` of a loopback address.
  public RoundRobin(String address, int port, List<Integer> backends) throws IOException {
    listener = new ServerSocket(port, 50, InetAddress.getByName(address));
    var _ = Thread.ofVirtual().start(() -> accept(backends));
  }

  private void accept(List<Integer> backends) {
    try {
      int turn = 0;
      while (true) {
        Socket client = listener.accept();
        Socket backend;
        try {
          backend =
              new Socket(InetAddress.getLoopbackAddress(), backends.get(turn % backends.size()));
        } catch (ConnectException down) {
          client.close();
          continue;
        }
        turn++;
        sockets.addAll(List.of(client, backend));
        var _ = Thread.ofVirtual().start(() -> forward(client, backend));
        var _ = Thread.ofVirtual().start(() -> forward(backend, client));
      }
    } catch (IOException closed) {
      // The test is over.
    }
  }

  private static void forward(Socket from, Socket to) {
    try (from;
        to) {
      long _ = from.getInputStream().transferTo(to.getOutputStream());
    } catch (IOException closed) {
      // One of the ends has closed.
    }
  }

  /// Its port.
  public int port() {
    return listener.getLocalPort();
  }

  /// The URL of the balancer.
  public String url() {
    return "http://127.0.0.1:" + port();
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
