package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.Locale;

/// A connection that sends whatever bytes a test wants.
final class RawClient implements AutoCloseable {
  static final String ENVELOPE = "{\"pipelines\":[],\"log_data\":1}";

  /// A request that stores a record.
  static final String GOOD =
      "POST /log HTTP/1.1\r\nHost: h\r\nDATANADHI-API-KEY: "
          + TestHub.KEY
          + "\r\nContent-Type: application/json\r\nContent-Length: "
          + ENVELOPE.length()
          + "\r\n\r\n"
          + ENVELOPE;

  private static final int TIMEOUT = 20_000;

  private final Socket socket;
  private final InputStream in;

  RawClient(int port) throws IOException {
    this(new Socket(InetAddress.getLoopbackAddress(), port));
  }

  RawClient(Socket socket) throws IOException {
    this.socket = socket;
    this.socket.setSoTimeout(TIMEOUT);
    this.socket.setTcpNoDelay(true);
    this.in = socket.getInputStream();
  }

  RawClient send(String text) throws IOException {
    return send(text.getBytes(ISO_8859_1));
  }

  RawClient send(byte[] bytes) throws IOException {
    OutputStream out = socket.getOutputStream();
    out.write(bytes);
    out.flush();
    return this;
  }

  /// An answer.
  record Answer(int status, String head, String body) {
    boolean has(String header) {
      return head.toLowerCase(Locale.ROOT).contains("\r\n" + header.toLowerCase(Locale.ROOT));
    }
  }

  /// The next answer, whose body has a length.
  Answer answer() throws IOException {
    return answer(true);
  }

  /// The next answer to a HEAD, or its head only.
  Answer headOnly() throws IOException {
    return answer(false);
  }

  private Answer answer(boolean withBody) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    String text = "";
    while (!text.endsWith("\r\n\r\n")) {
      int b = in.read();
      if (b < 0) {
        throw new IOException("closed after: " + text);
      }
      head.write(b);
      text = head.toString(ISO_8859_1);
    }
    int status = Integer.parseInt(text.split(" ", 3)[1]);
    String body = "";
    String lower = text.toLowerCase(Locale.ROOT);
    int length = lower.indexOf("\r\ncontent-length:");
    if (withBody && length >= 0) {
      int from = length + "\r\ncontent-length:".length();
      int size = Integer.parseInt(text.substring(from, text.indexOf('\r', from)).strip());
      body = new String(in.readNBytes(size), ISO_8859_1);
    }
    return new Answer(status, text, body);
  }

  /// A line up to LF.
  String line() throws IOException {
    StringBuilder line = new StringBuilder();
    int b = in.read();
    while (b >= 0 && b != '\n') {
      line.append((char) b);
      b = in.read();
    }
    return line.toString().strip();
  }

  /// All up to the end of the connection.
  String rest() throws IOException {
    try {
      return new String(in.readAllBytes(), ISO_8859_1);
    } catch (SocketException reset) {
      return "";
    }
  }

  /// Whether the other end has closed the connection; waits for that.
  boolean isClosed() throws IOException {
    try {
      return in.read() < 0;
    } catch (SocketException reset) {
      return true;
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
