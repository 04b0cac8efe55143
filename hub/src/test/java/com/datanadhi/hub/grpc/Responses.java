package com.datanadhi.hub.grpc;

import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a streaming call has received.
final class Responses<Q, R> implements ClientResponseObserver<Q, R> {
  private final List<R> received = new ArrayList<>();
  private @Nullable Status status;
  private @Nullable Throwable failure;
  private @Nullable ClientCallStreamObserver<Q> call;

  @Override
  public void beforeStart(ClientCallStreamObserver<Q> stream) {
    call = stream;
  }

  @Override
  public synchronized void onNext(R value) {
    received.add(value);
  }

  @Override
  public synchronized void onError(Throwable error) {
    status = Status.fromThrowable(error);
    failure = error;
  }

  @Override
  public synchronized void onCompleted() {
    status = Status.OK;
  }

  synchronized List<R> received() {
    return List.copyOf(received);
  }

  synchronized @Nullable Throwable failure() {
    return failure;
  }

  private synchronized @Nullable Status status() {
    return status;
  }

  Status end() {
    await().atMost(Duration.ofSeconds(20)).until(() -> status() != null);
    return java.util.Objects.requireNonNull(status());
  }

  void cancel() {
    java.util.Objects.requireNonNull(call).cancel("enough", null);
  }

  void awaitCount(int count) {
    await().atMost(Duration.ofSeconds(20)).until(() -> received().size() >= count);
  }
}
