package com.datanadhi.hub.admin;

import com.datanadhi.hub.control.ApiKey;
import com.datanadhi.hub.control.NewApiKey;
import com.datanadhi.hub.proto.admin.AcceptClockRequest;
import com.datanadhi.hub.proto.admin.AdminGrpc;
import com.datanadhi.hub.proto.admin.AwaitSeqRequest;
import com.datanadhi.hub.proto.admin.ChainAtReply;
import com.datanadhi.hub.proto.admin.ChainAtRequest;
import com.datanadhi.hub.proto.admin.CreateKeyRequest;
import com.datanadhi.hub.proto.admin.CreatedKey;
import com.datanadhi.hub.proto.admin.DrillRequest;
import com.datanadhi.hub.proto.admin.ListKeysRequest;
import com.datanadhi.hub.proto.admin.ReadReply;
import com.datanadhi.hub.proto.admin.RevokeKeyRequest;
import com.datanadhi.hub.proto.admin.SkipReply;
import com.datanadhi.hub.proto.admin.SkipRequest;
import com.datanadhi.hub.proto.admin.Source;
import com.datanadhi.hub.proto.admin.SourcesRequest;
import com.datanadhi.hub.proto.admin.StatusRequest;
import com.datanadhi.hub.proto.admin.TakeSnapshotRequest;
import com.datanadhi.hub.proto.admin.TenantHeadsRequest;
import com.datanadhi.hub.proto.admin.VerifyLogReply;
import com.datanadhi.hub.proto.admin.VerifyLogRequest;
import com.datanadhi.hub.proto.admin.VerifyTenantsReply;
import com.datanadhi.hub.proto.admin.VerifyTenantsRequest;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.SourceState;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantReader;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The running hub of a directory, by its socket. Thread-safe.
public final class AdminClient implements Administration, AutoCloseable {
  /// Largest record, its pipelines, and the rest of the message.
  private static final int MAX_REPLY_BYTES = 16 << 20;

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final EventLoopGroup loop;
  private final ManagedChannel channel;
  private final AdminGrpc.AdminBlockingStub stub;

  private AdminClient(UnixDomainSocketAddress address) {
    this.loop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("admin-client", true), NioIoHandler.newFactory());
    this.channel =
        NettyChannelBuilder.forAddress(new NamedAddress())
            .overrideAuthority("localhost")
            .eventLoopGroup(loop)
            .channelFactory(() -> {
              NioDomainSocketChannel channel = new NioDomainSocketChannel();
              channel.pipeline().addFirst(new ConnectTo(address));
              return channel;
            })
            // grpc-java would set it, and Netty would warn: a UNIX socket has no such option.
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .maxInboundMessageSize(MAX_REPLY_BYTES)
            .usePlaintext()
            .build();
    this.stub = AdminGrpc.newBlockingStub(channel);
  }

  /// gRPC makes a URI of an address, and fails on characters that a path can have.
  private static final class NamedAddress extends SocketAddress {
    private static final long serialVersionUID = 1;

    @Override
    public String toString() {
      return "hub";
    }
  }

  private static final class ConnectTo extends ChannelOutboundHandlerAdapter {
    private final UnixDomainSocketAddress address;

    ConnectTo(UnixDomainSocketAddress address) {
      this.address = address;
    }

    @Override
    public void connect(
        ChannelHandlerContext context,
        SocketAddress named,
        @Nullable SocketAddress local,
        ChannelPromise promise) {
      var _ = context.connect(address, local, promise);
    }
  }

  /// Connects to the hub that runs on `dataDirectory`.
  ///
  /// @return null if none listens there
  /// @throws IOException somebody listens there, but this user may not connect
  public static @Nullable AdminClient connect(Path dataDirectory) throws IOException {
    UnixDomainSocketAddress address =
        AdminSocket.address(dataDirectory.toAbsolutePath().normalize());
    return address == null || !AdminSocket.isListening(address) ? null : new AdminClient(address);
  }

  @FunctionalInterface
  private interface Call<T> {
    T run();
  }

  private static <T> T call(Call<T> call) throws AdministrationException, InterruptedException {
    try {
      return call.run();
    } catch (StatusRuntimeException failed) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      throw AdminMessages.failure(failed);
    }
  }

  private AdminGrpc.AdminBlockingStub soon() {
    return stub.withDeadlineAfter(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public NewApiKey createKey(String tenant, @Nullable String name)
      throws AdministrationException, InterruptedException {
    CreateKeyRequest.Builder request = CreateKeyRequest.newBuilder().setTenant(tenant);
    if (name != null) {
      request.setName(name);
    }
    CreatedKey created = call(() -> soon().createKey(request.build()));
    return new NewApiKey(
        created.getId(),
        created.getTenant(),
        created.hasName() ? created.getName() : null,
        created.getKey());
  }

  @Override
  public List<ApiKey> keys(@Nullable String tenant)
      throws AdministrationException, InterruptedException {
    ListKeysRequest.Builder request = ListKeysRequest.newBuilder();
    if (tenant != null) {
      request.setTenant(tenant);
    }
    return call(() -> soon().listKeys(request.build())).getKeysList().stream()
        .map(AdminMessages::key)
        .toList();
  }

  @Override
  public ApiKey revokeKey(String id) throws AdministrationException, InterruptedException {
    RevokeKeyRequest request = RevokeKeyRequest.newBuilder().setId(id).build();
    return AdminMessages.key(call(() -> soon().revokeKey(request)));
  }

  @Override
  public HubStatus status() throws AdministrationException, InterruptedException {
    return StatusJson.read(call(() -> soon().status(StatusRequest.getDefaultInstance())).getJson());
  }

  @Override
  public boolean acceptClock() throws AdministrationException, InterruptedException {
    return call(() -> soon().acceptClock(AcceptClockRequest.getDefaultInstance())).getAccepted();
  }

  @Override
  public void skip(String position, String reason)
      throws AdministrationException, InterruptedException {
    SkipRequest request = SkipRequest.newBuilder().setPosition(position).setReason(reason).build();
    SkipReply _ = call(() -> soon().skip(request));
  }

  @Override
  public long records(String tenant, EventFilter filter, TenantReader.Sink<StoredEvent> sink)
      throws AdministrationException, InterruptedException {
    try (Context.CancellableContext context = Context.current().withCancellation()) {
      return call(() ->
          inContext(
              context,
              () -> {
                long next = filter.from();
                Iterator<ReadReply> replies = stub.read(AdminMessages.read(tenant, filter));
                while (replies.hasNext()) {
                  ReadReply reply = replies.next();
                  if (reply.hasNext()) {
                    return reply.getNext();
                  }
                  next = reply.getEvent().getSeq() + 1;
                  if (!sink.accept(AdminMessages.event(reply.getEvent()))) {
                    context.cancel(new CancellationException("the reader wants no more"));
                    return next;
                  }
                }
                return next;
              }));
    }
  }

  private static <T> T inContext(Context context, Call<T> call) {
    Context before = context.attach();
    try {
      return call.run();
    } finally {
      context.detach(before);
    }
  }

  @Override
  public boolean awaitSeq(String tenant, long seq, Duration timeout)
      throws AdministrationException, InterruptedException {
    AwaitSeqRequest request =
        AwaitSeqRequest.newBuilder()
            .setTenant(tenant)
            .setSeq(seq)
            .setTimeoutMillis((int) Math.min(TIMEOUT.toMillis(), timeout.toMillis()))
            .build();
    return call(() ->
            stub.withDeadlineAfter(TIMEOUT.multipliedBy(2).toMillis(), TimeUnit.MILLISECONDS)
                .awaitSeq(request))
        .getInTime();
  }

  @Override
  public List<SourceState> sources(String tenant, @Nullable String source)
      throws AdministrationException, InterruptedException {
    SourcesRequest.Builder request = SourcesRequest.newBuilder().setTenant(tenant);
    if (source != null) {
      request.setSource(source);
    }
    return call(() -> {
      List<SourceState> sources = new ArrayList<>();
      Iterator<Source> replies = stub.sources(request.build());
      replies.forEachRemaining(reply -> sources.add(AdminMessages.source(reply)));
      return sources;
    });
  }

  @Override
  public LogCheck verifyLog() throws AdministrationException, InterruptedException {
    VerifyLogReply reply = call(() -> stub.verifyLog(VerifyLogRequest.getDefaultInstance()));
    return new LogCheck(
        reply.getRecords(), reply.getBytes(), reply.getSegments(), reply.getFaultsList());
  }

  @Override
  public TenantsCheck verifyTenants(@Nullable String tenant)
      throws AdministrationException, InterruptedException {
    VerifyTenantsRequest.Builder request = VerifyTenantsRequest.newBuilder();
    if (tenant != null) {
      request.setTenant(tenant);
    }
    VerifyTenantsReply reply = call(() -> stub.verifyTenants(request.build()));
    return new TenantsCheck(reply.getTenants(), reply.getRecords(), reply.getFaultsList());
  }

  @Override
  public List<TenantHead> tenantHeads(@Nullable String tenant)
      throws AdministrationException, InterruptedException {
    TenantHeadsRequest.Builder request = TenantHeadsRequest.newBuilder();
    if (tenant != null) {
      request.setTenant(tenant);
    }
    return call(() -> {
      List<TenantHead> heads = new ArrayList<>();
      stub.tenantHeads(request.build())
          .forEachRemaining(head ->
              heads.add(
                  new TenantHead(
                      head.getTenant(),
                      head.getFirstSeq(),
                      head.getSeq(),
                      head.getChain(),
                      head.getArchivedSeq())));
      return heads;
    });
  }

  @Override
  public @Nullable String chainAt(String tenant, long seq)
      throws AdministrationException, InterruptedException {
    ChainAtRequest request = ChainAtRequest.newBuilder().setTenant(tenant).setSeq(seq).build();
    ChainAtReply reply = call(() -> stub.chainAt(request));
    return reply.hasChain() ? reply.getChain() : null;
  }

  @Override
  public TakenSnapshot takeSnapshot(String tenant)
      throws AdministrationException, InterruptedException {
    TakeSnapshotRequest request = TakeSnapshotRequest.newBuilder().setTenant(tenant).build();
    var taken = call(() -> stub.takeSnapshot(request));
    return new TakenSnapshot(taken.getId(), taken.getSeq(), taken.getBytes());
  }

  @Override
  public void drill(@Nullable String tenant, int sample, Consumer<DrillResult> results)
      throws AdministrationException, InterruptedException {
    DrillRequest.Builder request = DrillRequest.newBuilder().setSample(sample);
    if (tenant != null) {
      request.setTenant(tenant);
    }
    boolean _ =
        call(() -> {
          stub.drill(request.build())
              .forEachRemaining(result ->
                  results.accept(
                      new DrillResult(
                          result.getTenant(),
                          result.getSeq(),
                          result.getBytes(),
                          result.getMillis(),
                          result.hasFault() ? result.getFault() : null)));
          return true;
        });
  }

  @Override
  public void close() {
    channel.shutdownNow();
    var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
