package com.datanadhi.sdk.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A forwarding HTTP proxy on loopback, with tunnels (CONNECT), which can require a user and a
 * password. For it, every name is that of this machine.
 */
public final class ForwardProxy implements AutoCloseable {
  private final ServerSocket listener;
  private final String credentials;
  private final List<String> requestLines = new CopyOnWriteArrayList<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  /** A proxy that requires {@code user:password}; an empty text for none. */
  public ForwardProxy(String userInfo) throws IOException {
    this.credentials =
        userInfo.isEmpty()
            ? ""
            : "Basic "
                + Base64.getEncoder().encodeToString(userInfo.getBytes(StandardCharsets.UTF_8));
    this.listener = new ServerSocket();
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
    start(this::accept);
  }

  /** Host and port. */
  public String authority() {
    return "127.0.0.1:" + listener.getLocalPort();
  }

  /** The first lines of the requests that it has forwarded. */
  public List<String> requestLines() {
    return requestLines;
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "forward-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    try {
      while (true) {
        Socket client = listener.accept();
        sockets.add(client);
        start(() -> serve(client));
      }
    } catch (IOException closed) {
      // The end of this proxy.
    }
  }

  private void serve(Socket client) {
    try (client) {
      String head = head(client.getInputStream());
      OutputStream out = client.getOutputStream();
      if (!head.lines().anyMatch(this::authorizes)) {
        answer(out, "407 Proxy Authentication Required");
        return;
      }
      String line = head.substring(0, head.indexOf("\r\n"));
      String[] parts = line.split(" ", 3);
      boolean tunnel = parts[0].equals("CONNECT");
      URI target = URI.create(tunnel ? "http://" + parts[1] : parts[1]);
      int port = Integer.parseInt(target.getRawAuthority().replaceFirst(".*:", ""));
      try (Socket server = new Socket(InetAddress.getLoopbackAddress(), port)) {
        sockets.add(server);
        requestLines.add(line);
        if (tunnel) {
          out.write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
        } else {
          // One request a connection: the client must not send another server's there.
          String forwarded =
              parts[0]
                  + " "
                  + target.getRawPath()
                  + " "
                  + parts[2]
                  + "\r\nConnection: close"
                  + head.substring(line.length()).replaceFirst("(?i)\r\nConnection: [^\r]*", "");
          server.getOutputStream().write(forwarded.getBytes(StandardCharsets.ISO_8859_1));
        }
        start(() -> copy(client, server));
        copy(server, client);
      } catch (IOException unreachable) {
        answer(out, "502 Bad Gateway");
      }
    } catch (IOException broken) {
      // The client will notice.
    }
  }

  private boolean authorizes(String header) {
    String[] parts = header.split(": ", 2);
    return credentials.isEmpty()
        || (parts[0].equalsIgnoreCase("Proxy-Authorization") && parts[1].equals(credentials));
  }

  private static void answer(OutputStream out, String status) throws IOException {
    out.write(
        ("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (!head.toString().endsWith("\r\n\r\n")) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("no request");
      }
      head.append((char) next);
    }
    return head.toString();
  }

  private static void copy(Socket from, Socket to) {
    try {
      from.getInputStream().transferTo(to.getOutputStream());
      to.shutdownOutput();
    } catch (IOException ended) {
      // Of either side.
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
