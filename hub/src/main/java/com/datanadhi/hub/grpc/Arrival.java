package com.datanadhi.hub.grpc;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.time.Clock;
import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.StatusException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The requests of one call while they arrive. The bytes of a request that is not complete yet
/// count against the buffer, and a request that makes no progress for [#STALL_NANOS] ends the call:
/// else many clients that send the begin of large requests and nothing more would fill the memory.
/// Thread-safe.
final class Arrival extends ServerStreamTracer {
  /// A request without progress for this long ends its call.
  static final long STALL_NANOS = 10_000_000_000L;

  /// Bytes of an incomplete request that do not count.
  private static final int FREE_BYTES = 64 * 1024;

  private static final Context.Key<Arrival> CURRENT = Context.key("hub-arrival");
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final Arrivals all;
  private @Nullable OneClose<?, ?> call;
  private @Nullable Admission admission;
  private String tenant = "";
  private boolean unary;
  private Admission.@Nullable Lease lease;
  private long bytes;
  private long counted;
  private boolean complete;
  private boolean handled;
  private long progressAt;
  private @Nullable Runnable onEnd;
  private @Nullable Runnable whenClosed;
  private boolean closed;

  /// All calls of a door. Thread-safe.
  static final class Arrivals extends Factory {
    private final Set<Arrival> open = ConcurrentHashMap.newKeySet();

    @Override
    public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
      return new Arrival(this);
    }

    /// Ends calls whose request makes no progress.
    ///
    /// @param now by `System.nanoTime`
    void turn(long now) {
      open.forEach(arrival -> arrival.endIfStalled(now));
    }
  }

  private Arrival(Arrivals all) {
    this.all = all;
  }

  static Arrival current() {
    return CURRENT.get();
  }

  @Override
  public Context filterContext(Context context) {
    return context.withValue(CURRENT, this);
  }

  /// Begins to watch a call, before its first request is asked for.
  synchronized <Q, R> ServerCall<Q, R> watch(
      ServerCall<Q, R> watched, String tenantName, Admission bounds) {
    OneClose<Q, R> closing = new OneClose<>(watched);
    call = closing;
    tenant = tenantName;
    admission = bounds;
    unary = watched.getMethodDescriptor().getType().clientSendsOneMessage();
    progressAt = Clock.system().nanoTime();
    all.open.add(this);
    return closing;
  }

  /// Has `wake` called when the call is ended here.
  synchronized void onEnd(Runnable wake) {
    onEnd = wake;
  }

  /// Has `then` called when the call has ended in whatever way, at once if it has.
  synchronized void whenClosed(Runnable then) {
    if (closed) {
      then.run();
    } else {
      whenClosed = then;
    }
  }

  @Override
  public synchronized void inboundWireSize(long more) {
    progressAt = Clock.system().nanoTime();
    bytes += more;
    if (bytes > FREE_BYTES && bytes > counted && !grow(bytes - counted)) {
      end(Statuses.unavailable("the buffer of requests is full", RETRY));
    }
  }

  private boolean grow(long more) {
    if (admission == null) {
      return true;
    }
    if (lease == null) {
      lease = admission.tryAcquire(tenant, more);
      if (lease == null) {
        return false;
      }
    } else if (!lease.tryGrow(more)) {
      return false;
    }
    counted += more;
    return true;
  }

  @Override
  public synchronized void inboundMessageRead(int number, long wireSize, long size) {
    complete = true;
    if (!unary) {
      release();
    }
  }

  @Override
  public synchronized void inboundUncompressedSize(long more) {
    // A single request waits for the end of the client's stream, after it was unpacked.
    if (unary && complete && !handled && !grow(more)) {
      end(Statuses.unavailable("the buffer of requests is full", RETRY));
    }
  }

  /// The only request of the call has come, and its method counts its bytes from now on.
  synchronized void handled() {
    handled = true;
    release();
  }

  private void release() {
    bytes = 0;
    counted = 0;
    if (lease != null) {
      lease.close();
      lease = null;
    }
  }

  private synchronized void endIfStalled(long now) {
    boolean inTheMiddle = unary ? !handled : bytes > 0;
    if (inTheMiddle && now - progressAt >= STALL_NANOS) {
      end(Statuses.unavailable("the request made no progress for 10 s", RETRY));
    }
  }

  private void end(StatusException status) {
    all.open.remove(this);
    release();
    if (call != null) {
      Metadata trailers = status.getTrailers();
      call.end(status.getStatus(), trailers == null ? new Metadata() : trailers);
    }
    if (onEnd != null) {
      onEnd.run();
    }
  }

  @Override
  public synchronized void streamClosed(Status status) {
    all.open.remove(this);
    release();
    closed = true;
    if (whenClosed != null) {
      whenClosed.run();
    }
  }

  /// A call that the door can end while its handler answers: the first of both counts.
  private static final class OneClose<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private boolean closed;
    private volatile boolean ended;

    OneClose(ServerCall<Q, R> call) {
      super(call);
    }

    synchronized void end(Status status, Metadata trailers) {
      ended = true;
      close(status, trailers);
    }

    @Override
    public boolean isCancelled() {
      return ended || super.isCancelled();
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (!closed) {
        closed = true;
        super.close(status, trailers);
      }
    }

    @Override
    public synchronized void sendHeaders(Metadata headers) {
      if (!closed) {
        super.sendHeaders(headers);
      }
    }

    @Override
    public synchronized void sendMessage(R message) {
      if (!closed) {
        super.sendMessage(message);
      }
    }
  }
}
