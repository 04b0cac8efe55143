package com.datanadhi.hub.admin;

import com.datanadhi.hub.control.NewApiKey;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.proto.admin.AcceptClockReply;
import com.datanadhi.hub.proto.admin.AcceptClockRequest;
import com.datanadhi.hub.proto.admin.AdminGrpc;
import com.datanadhi.hub.proto.admin.AwaitSeqReply;
import com.datanadhi.hub.proto.admin.AwaitSeqRequest;
import com.datanadhi.hub.proto.admin.ChainAtReply;
import com.datanadhi.hub.proto.admin.ChainAtRequest;
import com.datanadhi.hub.proto.admin.CreateKeyRequest;
import com.datanadhi.hub.proto.admin.CreatedKey;
import com.datanadhi.hub.proto.admin.DrillRequest;
import com.datanadhi.hub.proto.admin.DrillResult;
import com.datanadhi.hub.proto.admin.Key;
import com.datanadhi.hub.proto.admin.KeyList;
import com.datanadhi.hub.proto.admin.ListKeysRequest;
import com.datanadhi.hub.proto.admin.ReadReply;
import com.datanadhi.hub.proto.admin.ReadRequest;
import com.datanadhi.hub.proto.admin.RevokeKeyRequest;
import com.datanadhi.hub.proto.admin.SkipReply;
import com.datanadhi.hub.proto.admin.SkipRequest;
import com.datanadhi.hub.proto.admin.Source;
import com.datanadhi.hub.proto.admin.SourcesRequest;
import com.datanadhi.hub.proto.admin.StatusReply;
import com.datanadhi.hub.proto.admin.StatusRequest;
import com.datanadhi.hub.proto.admin.TakeSnapshotRequest;
import com.datanadhi.hub.proto.admin.TakenSnapshot;
import com.datanadhi.hub.proto.admin.TenantHead;
import com.datanadhi.hub.proto.admin.TenantHeadsRequest;
import com.datanadhi.hub.proto.admin.VerifyLogReply;
import com.datanadhi.hub.proto.admin.VerifyLogRequest;
import com.datanadhi.hub.proto.admin.VerifyTenantsReply;
import com.datanadhi.hub.proto.admin.VerifyTenantsRequest;
import com.datanadhi.hub.view.SourceState;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;

/// The calls of `hub_admin.proto`. They block on virtual threads.
final class AdminService extends AdminGrpc.AdminImplBase {
  private static final long LONGEST_WAIT_MILLIS = 30_000;

  private final Administration administration;
  private final ExecutorService threads;

  /// @param threads for streamed answers
  AdminService(Administration administration, ExecutorService threads) {
    this.administration = administration;
    this.threads = threads;
  }

  @FunctionalInterface
  private interface Work<T> {
    T run() throws AdministrationException, IOException, InterruptedException;
  }

  private static <T> void answer(StreamObserver<T> observer, Work<T> work) {
    T reply;
    try {
      reply = work.run();
    } catch (AdministrationException | IOException | InterruptedException | RuntimeException e) {
      observer.onError(status(e));
      return;
    }
    observer.onNext(reply);
    observer.onCompleted();
  }

  private static StatusRuntimeException status(Exception failed) {
    return switch (failed) {
      case AdministrationException refused -> AdminMessages.status(refused);
      case InterruptedException _ ->
          Status.UNAVAILABLE.withDescription("the hub is shutting down").asRuntimeException();
      default -> {
        Events.severe("admin_call_failed", failed);
        yield Status.INTERNAL
            .withDescription(String.valueOf(failed.getMessage()))
            .asRuntimeException();
      }
    };
  }

  @Override
  public void createKey(CreateKeyRequest request, StreamObserver<CreatedKey> observer) {
    answer(
        observer,
        () -> {
          NewApiKey created =
              administration.createKey(
                  request.getTenant(), request.hasName() ? request.getName() : null);
          CreatedKey.Builder reply =
              CreatedKey.newBuilder()
                  .setId(created.id())
                  .setTenant(created.tenant())
                  .setKey(created.key());
          if (created.name() != null) {
            reply.setName(created.name());
          }
          return reply.build();
        });
  }

  @Override
  public void listKeys(ListKeysRequest request, StreamObserver<KeyList> observer) {
    answer(
        observer,
        () -> {
          KeyList.Builder reply = KeyList.newBuilder();
          administration
              .keys(request.hasTenant() ? request.getTenant() : null)
              .forEach(key -> reply.addKeys(AdminMessages.key(key)));
          return reply.build();
        });
  }

  @Override
  public void revokeKey(RevokeKeyRequest request, StreamObserver<Key> observer) {
    answer(observer, () -> AdminMessages.key(administration.revokeKey(request.getId())));
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusReply> observer) {
    answer(
        observer,
        () -> StatusReply.newBuilder().setJson(StatusJson.write(administration.status())).build());
  }

  @Override
  public void acceptClock(AcceptClockRequest request, StreamObserver<AcceptClockReply> observer) {
    answer(
        observer,
        () -> AcceptClockReply.newBuilder().setAccepted(administration.acceptClock()).build());
  }

  @Override
  public void skip(SkipRequest request, StreamObserver<SkipReply> observer) {
    answer(
        observer,
        () -> {
          administration.skip(request.getPosition(), request.getReason());
          return SkipReply.getDefaultInstance();
        });
  }

  @Override
  public void awaitSeq(AwaitSeqRequest request, StreamObserver<AwaitSeqReply> observer) {
    answer(
        observer,
        () -> {
          Duration timeout =
              Duration.ofMillis(Math.min(LONGEST_WAIT_MILLIS, request.getTimeoutMillis()));
          boolean inTime = administration.awaitSeq(request.getTenant(), request.getSeq(), timeout);
          return AwaitSeqReply.newBuilder().setInTime(inTime).build();
        });
  }

  @Override
  public void verifyLog(VerifyLogRequest request, StreamObserver<VerifyLogReply> observer) {
    answer(
        observer,
        () -> {
          Administration.LogCheck check = administration.verifyLog();
          return VerifyLogReply.newBuilder()
              .setRecords(check.records())
              .setBytes(check.bytes())
              .setSegments(check.segments())
              .addAllFaults(check.faults())
              .build();
        });
  }

  @Override
  public void verifyTenants(
      VerifyTenantsRequest request, StreamObserver<VerifyTenantsReply> observer) {
    answer(
        observer,
        () -> {
          Administration.TenantsCheck check =
              administration.verifyTenants(request.hasTenant() ? request.getTenant() : null);
          return VerifyTenantsReply.newBuilder()
              .setTenants(check.tenants())
              .setRecords(check.records())
              .addAllFaults(check.faults())
              .build();
        });
  }

  @Override
  public void tenantHeads(TenantHeadsRequest request, StreamObserver<TenantHead> observer) {
    stream(
        observer,
        out -> {
          for (Administration.TenantHead head :
              administration.tenantHeads(request.hasTenant() ? request.getTenant() : null)) {
            TenantHead message =
                TenantHead.newBuilder()
                    .setTenant(head.tenant())
                    .setFirstSeq(head.firstSeq())
                    .setSeq(head.seq())
                    .setChain(head.chain())
                    .setArchivedSeq(head.archivedSeq())
                    .build();
            if (!out.send(message)) {
              return;
            }
          }
        });
  }

  @Override
  public void chainAt(ChainAtRequest request, StreamObserver<ChainAtReply> observer) {
    answer(
        observer,
        () -> {
          String chain = administration.chainAt(request.getTenant(), request.getSeq());
          ChainAtReply.Builder reply = ChainAtReply.newBuilder();
          if (chain != null) {
            reply.setChain(chain);
          }
          return reply.build();
        });
  }

  @Override
  public void takeSnapshot(TakeSnapshotRequest request, StreamObserver<TakenSnapshot> observer) {
    answer(
        observer,
        () -> {
          Administration.TakenSnapshot taken = administration.takeSnapshot(request.getTenant());
          return TakenSnapshot.newBuilder()
              .setId(taken.id())
              .setSeq(taken.seq())
              .setBytes(taken.bytes())
              .build();
        });
  }

  @Override
  public void drill(DrillRequest request, StreamObserver<DrillResult> observer) {
    stream(
        observer,
        out ->
            administration.drill(
                request.hasTenant() ? request.getTenant() : null,
                request.getSample(),
                result -> {
                  DrillResult.Builder message =
                      DrillResult.newBuilder()
                          .setTenant(result.tenant())
                          .setSeq(result.seq())
                          .setBytes(result.bytes())
                          .setMillis(result.millis());
                  if (result.fault() != null) {
                    message.setFault(result.fault());
                  }
                  boolean _ = out.send(message.build());
                }));
  }

  @Override
  public void read(ReadRequest request, StreamObserver<ReadReply> observer) {
    stream(
        observer,
        out -> {
          long next =
              administration.records(
                  request.getTenant(),
                  AdminMessages.filter(request),
                  event ->
                      out.send(
                          ReadReply.newBuilder().setEvent(AdminMessages.event(event)).build()));
          boolean _ = out.send(ReadReply.newBuilder().setNext(next).build());
        });
  }

  @Override
  public void sources(SourcesRequest request, StreamObserver<Source> observer) {
    stream(
        observer,
        out -> {
          for (SourceState source :
              administration.sources(
                  request.getTenant(), request.hasSource() ? request.getSource() : null)) {
            if (!out.send(AdminMessages.source(source))) {
              return;
            }
          }
        });
  }

  @FunctionalInterface
  private interface StreamWork<T> {
    void run(Outflow<T> out) throws AdministrationException, InterruptedException;
  }

  /// Runs on a thread of its own, since gRPC reports that the client can take more only when the
  /// method has returned.
  private <T> void stream(StreamObserver<T> observer, StreamWork<T> work) {
    Outflow<T> out = new Outflow<>((ServerCallStreamObserver<T>) observer);
    threads.execute(() -> {
      try {
        work.run(out);
        out.complete();
      } catch (AdministrationException | InterruptedException | RuntimeException failed) {
        out.fail(status(failed));
      }
    });
  }

  /// A streamed answer that waits for a slow client instead of collecting in memory.
  private static final class Outflow<T> {
    private final ServerCallStreamObserver<T> observer;
    private final Semaphore changed = new Semaphore(0);

    Outflow(ServerCallStreamObserver<T> observer) {
      this.observer = observer;
      observer.setOnReadyHandler(changed::release);
      observer.setOnCancelHandler(changed::release);
    }

    /// @return false if the client has left
    boolean send(T message) {
      while (!observer.isReady() && !observer.isCancelled()) {
        try {
          changed.acquire();
        } catch (InterruptedException closing) {
          Thread.currentThread().interrupt();
          return false;
        }
      }
      if (observer.isCancelled()) {
        return false;
      }
      observer.onNext(message);
      return true;
    }

    void complete() {
      if (!observer.isCancelled()) {
        observer.onCompleted();
      }
    }

    void fail(StatusRuntimeException status) {
      if (!observer.isCancelled()) {
        observer.onError(status);
      }
    }
  }
}
