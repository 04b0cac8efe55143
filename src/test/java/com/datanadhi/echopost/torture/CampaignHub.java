package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.net.Transport;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.PackagedProgram;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The hub of a round: one directory, on which the program is started again and again.
///
/// Operators' requests go through `hub.sock`, since a command for each would take a second.
final class CampaignHub implements AutoCloseable {
  private static final Pattern EVENTS_STREAM =
      Pattern.compile("\"name\":\"events-0\"[^}]*\"waiting\":(\\d+)");

  private final Path data;
  private final String[] flags;
  private final Map<String, String> environment;
  private final EventLoopGroup loop = Transport.ofThisSystem().newEventLoop("hub-admin");
  private @Nullable HubProcess process;
  private volatile String url = "http://127.0.0.1:1";

  /// @param environment additional variables
  CampaignHub(Path data, Map<String, String> environment, String... flags) {
    this.data = data;
    this.environment = new HashMap<>(environment);
    this.flags = flags.clone();
  }

  /// Starts the program without waiting.
  HubProcess spawn() throws IOException {
    HubProcess started =
        HubProcess.spawn(List.of(PackagedProgram.hub().toString()), data, environment, flags);
    process = started;
    return started;
  }

  /// Starts the program, and waits until it serves.
  ///
  /// @throws IllegalStateException with its output if it ends before
  HubProcess start() throws IOException {
    HubProcess started = spawn();
    started.awaitReady();
    url = started.url();
    return started;
  }

  /// Waits until a spawned program serves.
  ///
  /// @return false if it has ended
  boolean awaitServing() {
    try {
      process().awaitReady();
      url = process().url();
      return true;
    } catch (IllegalStateException notReady) {
      if (process().isAlive()) {
        throw notReady;
      }
      return false;
    }
  }

  HubProcess process() {
    HubProcess running = process;
    if (running == null) {
      throw new IllegalStateException("the hub was not started");
    }
    return running;
  }

  Path data() {
    return data;
  }

  /// Where its HTTP server is now.
  String url() {
    return url;
  }

  /// Ends it with SIGTERM.
  ///
  /// @return the exit status
  int stop() throws IOException, InterruptedException, TimeoutException {
    try (HubProcess ending = process()) {
      ending.terminate();
      return ending.awaitExit(Duration.ofSeconds(30));
    }
  }

  /// Creates an API key of `tenant` in the running hub.
  String createKey(String tenant) {
    return createKeys(List.of(tenant)).getFirst();
  }

  /// Creates an API key of each tenant in the running hub, several at a time.
  List<String> createKeys(List<String> tenants) {
    ManagedChannel channel = channel();
    try (ExecutorService threads = Executors.newFixedThreadPool(16, Thread.ofVirtual().factory())) {
      List<Future<String>> keys = new ArrayList<>();
      for (String tenant : tenants) {
        byte[] request = ofTenant(tenant);
        keys.add(threads.submit(() -> field(call(channel, "CreateKey", request), 4)));
      }
      threads.shutdown();
      boolean _ = threads.awaitTermination(1, TimeUnit.MINUTES);
      return keys.stream().map(Future::resultNow).toList();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    } finally {
      channel.shutdownNow();
    }
  }

  /// A message whose first field is the name of a tenant.
  private static byte[] ofTenant(String tenant) {
    byte[] name = tenant.getBytes(StandardCharsets.UTF_8);
    byte[] request = new byte[name.length + 2];
    request[0] = 0x0a;
    request[1] = (byte) name.length;
    System.arraycopy(name, 0, request, 2, name.length);
    return request;
  }

  /// Takes a snapshot of each tenant, one after another.
  void takeSnapshots(List<String> tenants) {
    ManagedChannel channel = channel();
    try {
      for (String tenant : tenants) {
        byte[] _ = call(channel, "TakeSnapshot", ofTenant(tenant));
      }
    } finally {
      channel.shutdownNow();
    }
  }

  /// The status as JSON.
  String status() {
    ManagedChannel channel = channel();
    try {
      return field(call(channel, "Status", new byte[0]), 1);
    } finally {
      channel.shutdownNow();
    }
  }

  /// Whether all that the log has is in the databases, and no tenant is parked.
  boolean hasAppliedAll() {
    String status = status();
    Matcher stream = EVENTS_STREAM.matcher(status);
    return status.contains("\"parked\":[]")
        && status.contains("\"unapplied_records\":0,")
        && (!stream.find() || stream.group(1).equals("0"));
  }

  /// Waits until all is applied.
  ///
  /// @return false if that takes longer than `limit`
  boolean awaitAppliedAll(Duration limit) {
    long start = System.nanoTime();
    while (System.nanoTime() - start < limit.toNanos()) {
      if (hasAppliedAll()) {
        return true;
      }
      LockSupport.parkNanos(50_000_000);
    }
    return hasAppliedAll();
  }

  /// The result of a command.
  record Ran(int status, String output) {}

  /// Runs a command of the program on this directory, with the variables of the hub.
  Ran command(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(PackagedProgram.hub().toString()));
    command.addAll(List.of(arguments));
    command.addAll(List.of("--data", data.toString()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder
        .environment()
        .put(PackagedProgram.RUNTIME_DIR, PackagedProgram.runtimeDirectory().toString());
    builder.environment().putAll(environment);
    Process ran = builder.start();
    ran.getOutputStream().close();
    String output = new String(ran.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ran(ran.waitFor(), output);
  }

  private ManagedChannel channel() {
    Path socket = data.resolve("hub.sock");
    try {
      if (Files.isSymbolicLink(socket)) {
        socket = data.resolve(Files.readSymbolicLink(socket));
      }
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
    return NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
        .overrideAuthority("localhost")
        .eventLoopGroup(loop)
        .channelFactory(Transport.ofThisSystem().unixChannels())
        .withOption(ChannelOption.SO_KEEPALIVE, null)
        .usePlaintext()
        .directExecutor()
        .build();
  }

  private static byte[] call(ManagedChannel channel, String method, byte[] request) {
    return ClientCalls.blockingUnaryCall(
        channel,
        MethodDescriptor.<byte[], byte[]>newBuilder(Bytes.OF, Bytes.OF)
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("hub.admin.v1.Admin/" + method)
            .build(),
        CallOptions.DEFAULT.withDeadlineAfter(Duration.ofSeconds(30)),
        request);
  }

  private enum Bytes implements MethodDescriptor.Marshaller<byte[]> {
    OF;

    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException impossible) {
        throw new UncheckedIOException(impossible);
      }
    }
  }

  /// A text field of a protobuf message that has only such fields.
  private static String field(byte[] message, int number) {
    int at = 0;
    while (at < message.length) {
      int tag = message[at++] & 0xff;
      int length = 0;
      int shift = 0;
      int next;
      do {
        next = message[at++];
        length |= (next & 0x7f) << shift;
        shift += 7;
      } while ((next & 0x80) != 0);
      if (tag >> 3 == number) {
        return new String(Arrays.copyOfRange(message, at, at + length), StandardCharsets.UTF_8);
      }
      at += length;
    }
    throw new IllegalStateException("no field " + number);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    HubProcess running = process;
    if (running != null) {
      running.close();
    }
    var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
