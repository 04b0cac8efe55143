package com.datanadhi.echopost.torture;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A proxy before an HTTP server on loopback that gives some requests a wrong answer, or none: what
/// a faulty network cannot do, since it knows no requests. It serves one request in a connection.
/// Thread-safe.
final class UnreliableProxy implements AutoCloseable {
  /// What happens to a request.
  enum Fault {
    /// The server never sees it: 500 or 503.
    REFUSED,
    /// The server has executed it: 500 or 503.
    DENIED,
    /// The server has executed it, and the connection is closed without an answer.
    ANSWER_LOST,
    /// The server has executed it, and the connection is closed within the answer.
    ANSWER_CUT
  }

  private static final int MAX_HEAD = 64 << 10;
  private static final Pattern LENGTH = Pattern.compile("(?im)^content-length: *([0-9]+)");
  private static final Pattern CONNECTION = Pattern.compile("(?im)^connection:[^\n]*\n");
  private static final Pattern EXPECTS = Pattern.compile("(?im)^expect:");

  private final ServerSocket listener;
  private final int target;
  private final Random random;
  private volatile boolean fails;

  /// Starts without faults.
  ///
  /// @param target the port of the server
  UnreliableProxy(int target, Random random) throws IOException {
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    this.target = target;
    this.random = random;
    Thread.ofVirtual().name("proxy").start(this::accept);
  }

  int port() {
    return listener.getLocalPort();
  }

  /// From now on three of four requests fail, so that a client gives up now and then, or none.
  void setFails(boolean fails) {
    this.fails = fails;
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      InputStream in = new BufferedInputStream(client.getInputStream());
      String head = head(in);
      Fault[] all = Fault.values();
      @Nullable Fault fault =
          fails && random.nextInt(4) > 0 ? all[random.nextInt(all.length)] : null;
      if (fault == Fault.REFUSED) {
        // A client that expects to be told sends no content.
        Matcher length = LENGTH.matcher(head);
        if (length.find() && !EXPECTS.matcher(head).find()) {
          in.skipNBytes(Long.parseLong(length.group(1)));
        }
        client.getOutputStream().write(error());
        return;
      }
      try (Socket server = new Socket(InetAddress.getLoopbackAddress(), target)) {
        String forwarded =
            CONNECTION
                .matcher(head)
                .replaceAll("")
                .replaceFirst("\r\n", "\r\nConnection: close\r\n");
        server.getOutputStream().write(forwarded.getBytes(ISO_8859_1));
        Thread content = Thread.ofVirtual().start(() -> copy(in, server));
        InputStream answer = new BufferedInputStream(server.getInputStream());
        answer(answer, client.getOutputStream(), fault);
        content.interrupt();
      }
    } catch (IOException disconnected) {
      // Faults of the network, and killed programs, are what this is for.
    }
  }

  private static void copy(InputStream in, Socket server) {
    try {
      in.transferTo(server.getOutputStream());
    } catch (IOException disconnected) {
      // The side that reads the answer notices.
    }
  }

  private void answer(InputStream answer, OutputStream out, @Nullable Fault fault)
      throws IOException {
    if (fault == null) {
      answer.transferTo(out);
      return;
    }
    String head = head(answer);
    while (head.startsWith("HTTP/1.1 100")) {
      out.write(head.getBytes(ISO_8859_1));
      head = head(answer);
    }
    byte[] rest = answer.readAllBytes();
    switch (fault) {
      case DENIED -> out.write(error());
      case ANSWER_CUT -> {
        byte[] begin = head.getBytes(ISO_8859_1);
        byte[] whole = Arrays.copyOf(begin, begin.length + rest.length);
        System.arraycopy(rest, 0, whole, begin.length, rest.length);
        out.write(whole, 0, random.nextInt(whole.length));
      }
      default -> {
        // The connection is closed.
      }
    }
  }

  private byte[] error() {
    String status = random.nextBoolean() ? "500 InternalError" : "503 SlowDown";
    String body =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>"
            + status.substring(4)
            + "</Code><Message>try again</Message></Error>";
    return ("HTTP/1.1 "
            + status
            + "\r\nContent-Type: application/xml\r\nContent-Length: "
            + body.length()
            + "\r\nConnection: close\r\n\r\n"
            + body)
        .getBytes(ISO_8859_1);
  }

  /// Reads up to the empty line.
  private static String head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.length() < 4 || !head.substring(head.length() - 4).equals("\r\n\r\n")) {
      int next = in.read();
      if (next == -1 || head.length() == MAX_HEAD) {
        throw new EOFException();
      }
      head.append((char) next);
    }
    return head.toString();
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
