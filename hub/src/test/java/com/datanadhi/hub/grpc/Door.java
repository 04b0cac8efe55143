package com.datanadhi.hub.grpc;

import com.datanadhi.hub.control.ApiKeys;
import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.proto.AppendRequest;
import com.datanadhi.hub.proto.HubGrpc;
import com.datanadhi.hub.proto.NewRecord;
import com.datanadhi.hub.query.Queries;
import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A door on loopback with a channel to it. The key `secret` belongs to the tenant acme, and
/// `other` to the tenant beta.
final class Door implements AutoCloseable {
  static final String KEY = "secret";
  static final int MAX_CONNECTIONS = 64;

  final ReferenceAppends appends = new ReferenceAppends();
  final Admission admission;
  final GrpcDoor server;
  final ManagedChannel channel;
  final Set<String> revoked = ConcurrentHashMap.newKeySet();
  volatile boolean starting;
  volatile boolean ready = true;

  Door(Queries queries) throws IOException {
    this(queries, 64 << 20, null);
  }

  Door(Queries queries, long bufferBytes, @Nullable Appends instead) throws IOException {
    admission = new Admission(bufferBytes);
    server =
        new GrpcDoor(
            new GrpcSettings(loopback(), MAX_CONNECTIONS, null),
            this::identify,
            instead == null ? appends : instead,
            admission,
            queries,
            () -> ready);
    channel = NettyChannelBuilder.forAddress(server.address()).usePlaintext().build();
  }

  static InetSocketAddress loopback() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  private ApiKeys.Identity identify(@Nullable String key) {
    if (starting) {
      return new ApiKeys.NotReady();
    }
    if (key == null || revoked.contains(key)) {
      return new ApiKeys.Unknown("send an API key in the metadata datanadhi-api-key");
    }
    return switch (key) {
      case KEY -> new ApiKeys.Known("acme");
      case "other" -> new ApiKeys.Known("beta");
      default -> new ApiKeys.Unknown("the API key is unknown");
    };
  }

  HubGrpc.HubBlockingStub blocking() {
    return with(HubGrpc.newBlockingStub(channel), "datanadhi-api-key", KEY);
  }

  HubGrpc.HubStub async() {
    return with(HubGrpc.newStub(channel), "datanadhi-api-key", KEY);
  }

  static <S extends AbstractStub<S>> S with(S stub, String name, String value) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
    return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  static AppendRequest request(String key, String... logData) {
    AppendRequest.Builder request = AppendRequest.newBuilder().setIdempotencyKey(key);
    for (String each : logData) {
      request.addRecords(
          NewRecord.newBuilder().setLogData(ByteString.copyFromUtf8(each)).addPipelines("p"));
    }
    return request.build();
  }

  @Override
  public void close() throws InterruptedException {
    channel.shutdownNow();
    server.close();
    channel.awaitTermination(5, TimeUnit.SECONDS);
  }
}
