package com.datanadhi.hub.grpc;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.proto.AppendRequest;
import com.datanadhi.hub.proto.AppendResponse;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One stream of appends. gRPC's calls check each request and put it into a queue; one virtual
/// thread takes everything that has come, in order, appends it in one call, and answers in order.
/// While it waits for the disk, the next requests are received and checked, so that a client that
/// does not wait for responses has as many requests in one commit as it likes.
///
/// The queue is bounded: the client is given credit for as many requests as make about 1 MiB.
final class AppendStream implements StreamObserver<Request<AppendRequest>> {
  private static final int FIRST_CREDIT = 64;
  private static final int MIN_CREDIT = 4;
  private static final int MAX_CREDIT = 1_000;
  private static final long CREDIT_BYTES = 1 << 20;

  private final Caller caller;
  private final Appends appends;
  private final Appending appending;
  private final Stopping stopping;
  private final ServerCallStreamObserver<AppendResponse> call;
  private final Outbound<AppendResponse> outbound;
  private final Runnable wake = this::wake;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Item> queue = new ArrayDeque<>();
  private boolean halfClosed;
  private boolean ended;

  // Only the thread of `run` uses these.
  private int credit = FIRST_CREDIT;
  private long answered;

  /// A request in the queue.
  ///
  /// @param lease null if nothing was acquired
  private record Item(Verdict verdict, int bytes, Admission.@Nullable Lease lease)
      implements AutoCloseable {
    @Override
    public void close() {
      if (lease != null) {
        lease.close();
      }
    }
  }

  private sealed interface Verdict {}

  private record Append(Submission submission, Duration patience) implements Verdict {}

  private record Refuse(com.google.rpc.Status status) implements Verdict {}

  /// It cannot be stored now: the stream ends here.
  private record End(StatusException status) implements Verdict {}

  AppendStream(
      Caller caller,
      Appends appends,
      Appending appending,
      Stopping stopping,
      ServerCallStreamObserver<AppendResponse> call) {
    this.caller = caller;
    this.appends = appends;
    this.appending = appending;
    this.stopping = stopping;
    this.call = call;
    call.disableAutoRequest();
    this.outbound = new Outbound<>(call, wake);
    Arrival.current().onEnd(wake);
  }

  /// Begins to receive.
  void start() {
    call.request(FIRST_CREDIT);
    Thread.ofVirtual().name("append-stream").start(this::run);
  }

  @Override
  public void onNext(Request<AppendRequest> request) {
    Item item = item(request);
    boolean late;
    lock.lock();
    try {
      late = ended;
      if (!late) {
        queue.add(item);
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
    if (late) {
      item.close();
    }
  }

  private Item item(Request<AppendRequest> request) {
    Admission.Lease lease;
    try {
      lease = appending.admit(caller.tenant(), request);
    } catch (StatusException refused) {
      boolean temporary = refused.getStatus().getCode() == Status.Code.UNAVAILABLE;
      return new Item(
          temporary ? new End(refused) : new Refuse(StatusProto.fromThrowable(refused)),
          request.content().size(),
          null);
    }
    Verdict verdict =
        switch (Appending.parse(request)) {
          case Appending.Valid valid -> new Append(valid.submission(), valid.patience());
          case Appending.Refused refused -> new Refuse(refused.status());
        };
    return new Item(verdict, request.content().size(), lease);
  }

  @Override
  public void onError(Throwable cancelled) {
    wake();
  }

  @Override
  public void onCompleted() {
    lock.lock();
    try {
      halfClosed = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void wake() {
    lock.lock();
    try {
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    stopping.add(wake);
    try {
      while (true) {
        List<Item> batch = take();
        if (batch.isEmpty()) {
          end();
          return;
        }
        try {
          caller.check();
          handle(batch);
        } finally {
          batch.forEach(Item::close);
        }
      }
    } catch (Exception failure) {
      outbound.fail(Statuses.of(failure));
    } finally {
      stopping.remove(wake);
      discard();
    }
  }

  private void end() {
    if (stopping.begun() && !isDrained()) {
      outbound.fail(Stopping.refusal());
    } else {
      outbound.complete();
    }
  }

  private boolean isDrained() {
    lock.lock();
    try {
      return halfClosed && queue.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /// Waits for requests.
  ///
  /// @return what has come, or nothing at the end
  private List<Item> take() throws InterruptedException {
    List<Item> batch = new ArrayList<>();
    lock.lockInterruptibly();
    try {
      while (queue.isEmpty() && !halfClosed && !call.isCancelled() && !stopping.begun()) {
        changed.await();
      }
      if (!call.isCancelled()) {
        batch.addAll(queue);
        queue.clear();
      }
    } finally {
      lock.unlock();
    }
    grant(batch);
    return batch;
  }

  /// Lets the client send on while `batch` is being appended.
  private void grant(List<Item> batch) {
    if (batch.isEmpty()) {
      return;
    }
    long bytes = batch.stream().mapToLong(Item::bytes).sum();
    int target =
        Math.clamp(CREDIT_BYTES * batch.size() / Math.max(1, bytes), MIN_CREDIT, MAX_CREDIT);
    int open = credit - batch.size();
    if (open < target) {
      call.request(target - open);
      credit = target;
    } else {
      credit = open;
    }
  }

  private void handle(List<Item> batch) throws InterruptedException, StatusException {
    List<Submission> submissions = new ArrayList<>(batch.size());
    for (Item item : batch) {
      if (item.verdict() instanceof End) {
        break;
      }
      if (item.verdict() instanceof Append append) {
        submissions.add(append.submission());
      }
    }
    List<Outcome> outcomes =
        submissions.isEmpty() ? List.of() : appends.submitEach(caller.tenant(), submissions);
    int next = 0;
    for (Item item : batch) {
      AppendResponse.Builder response = AppendResponse.newBuilder().setNumber(answered + 1);
      switch (item.verdict()) {
        case Append append -> answer(response, outcomes.get(next++), append.patience());
        case Refuse refuse -> response.setStatus(refuse.status());
        case End end -> throw end.status();
      }
      if (!outbound.send(response.build())) {
        return;
      }
      answered++;
    }
  }

  private void answer(AppendResponse.Builder response, Outcome outcome, Duration wait)
      throws InterruptedException, StatusException {
    switch (outcome) {
      case Outcome.Stored stored -> response.setReceipt(appending.receipt(stored, wait));
      case Outcome.Invalid invalid -> response.setStatus(Statuses.invalid(invalid));
      case Outcome.Conflict conflict -> response.setStatus(Statuses.conflict(conflict));
      case Outcome.Unavailable unavailable -> throw Statuses.unavailable(unavailable);
    }
  }

  private void discard() {
    lock.lock();
    try {
      ended = true;
      queue.forEach(Item::close);
      queue.clear();
    } finally {
      lock.unlock();
    }
  }
}
