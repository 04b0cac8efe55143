package com.datanadhi.echopost.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.datanadhi.testkit.Polling;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A NATS server with a JetStream stream in files that are synced before each acknowledgement. Its
/// protocol: <https://docs.nats.io/reference/reference-protocols/nats-protocol>.
final class NatsServer implements AutoCloseable {
  /// Where `scripts/install-tools nats-server` puts it.
  static final Path PROGRAM = Path.of("target/tools/bin/nats-server");

  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final Pattern PORT = Pattern.compile("nats://127\\.0\\.0\\.1:(\\d+)");

  private final Process process;
  private final int port;

  private NatsServer(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  static NatsServer start(Path directory) throws IOException {
    Path configuration = directory.resolve("nats.conf");
    Path _ =
        Files.writeString(
            configuration,
            """
            listen: "127.0.0.1:-1"
            ports_file_dir: "%1$s"
            jetstream { store_dir: "%1$s/store", sync_interval: always }
            """
                .formatted(directory));
    Process process =
        new ProcessBuilder(PROGRAM.toString(), "-c", configuration.toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("nats.log").toFile())
            .start();
    try {
      NatsServer server = new NatsServer(process, awaitPort(directory));
      server.createStream();
      return server;
    } catch (IOException | RuntimeException failed) {
      process.destroyForcibly();
      throw failed;
    }
  }

  private static int awaitPort(Path directory) {
    int[] port = {0};
    long _ =
        Polling.until(
            () -> {
              port[0] = port(directory);
              return port[0] > 0;
            },
            Duration.ofMillis(20),
            LIMIT,
            () -> "nats-server does not listen; see " + directory.resolve("nats.log"));
    return port[0];
  }

  private static int port(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".ports")).toList()) {
        Matcher port = PORT.matcher(Files.readString(file));
        if (port.find()) {
          return Integer.parseInt(port.group(1));
        }
      }
      return 0;
    } catch (IOException notYet) {
      return 0;
    }
  }

  private void createStream() throws IOException {
    String stream =
        "{\"name\":\"bench\",\"subjects\":[\"bench\"],\"storage\":\"file\",\"num_replicas\":1}";
    Publisher request = new Publisher("create", "$JS.API.STREAM.CREATE.bench", stream, 1);
    try (SocketChannel channel =
        SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
      request.begin(channel);
      writeFully(channel, request.next());
      ByteBuffer received = ByteBuffer.allocate(16 << 10);
      while (true) {
        if (channel.read(received) < 0) {
          throw new IOException("nats-server has closed the connection");
        }
        received.flip();
        if (request.answer(received) == LoadLoop.Answer.DONE) {
          return;
        }
        received.compact();
      }
    }
  }

  private static void writeFully(SocketChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      int _ = channel.write(bytes);
    }
  }

  int port() {
    return port;
  }

  ProcessHandle handle() {
    return process.toHandle();
  }

  /// Publishers of records of the size that the hub gets. Each waits until `window` messages are
  /// acknowledged before it sends the next ones.
  static List<Publisher> publishers(int count, int window) {
    String record = "x".repeat(HubRequests.RECORD_BYTES);
    return IntStream.range(0, count)
        .mapToObj(i -> new Publisher("p" + i, "bench", record, window))
        .toList();
  }

  /// Publishes messages with acknowledgement.
  static final class Publisher implements LoadLoop.Conversation {
    private final String inbox;
    private final byte[] request;
    private final int window;
    private int acknowledged;

    Publisher(String name, String subject, String payload, int window) {
      inbox = "_INBOX." + name;
      String message =
          "PUB " + subject + " " + inbox + " " + payload.length() + "\r\n" + payload + "\r\n";
      request = message.repeat(window).getBytes(ISO_8859_1);
      this.window = window;
    }

    @Override
    public void begin(SocketChannel channel) throws IOException {
      writeFully(
          channel,
          ByteBuffer.wrap(
              ("CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"java\",\"version\":\"1\","
                      + "\"protocol\":0}\r\nSUB "
                      + inbox
                      + " 1\r\n")
                  .getBytes(ISO_8859_1)));
    }

    @Override
    public ByteBuffer next() {
      return ByteBuffer.wrap(request);
    }

    @Override
    public LoadLoop.Answer answer(ByteBuffer received) throws IOException {
      String text = ISO_8859_1.decode(received.duplicate()).toString();
      int at = 0;
      for (int end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n", at)) {
        String line = text.substring(at, end);
        int next = end + 2;
        if (line.startsWith("MSG ")) {
          int length = Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1));
          if (text.length() < next + length + 2) {
            break;
          }
          String payload = text.substring(next, next + length);
          if (payload.contains("\"error\"")) {
            throw new IOException("nats-server answered: " + payload);
          }
          next += length + 2;
          acknowledged++;
        } else if (line.startsWith("-ERR")) {
          throw new IOException("nats-server answered: " + line);
        }
        // A PING needs no answer within two minutes, which no measurement takes.
        at = next;
      }
      received.position(received.position() + at);
      if (acknowledged < window) {
        return LoadLoop.Answer.INCOMPLETE;
      }
      acknowledged = 0;
      return LoadLoop.Answer.DONE;
    }
  }

  @Override
  public void close() throws InterruptedException {
    process.destroyForcibly();
    int _ = process.waitFor();
  }
}
