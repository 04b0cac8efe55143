package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Admission;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.thread.Invocable;
import org.jspecify.annotations.Nullable;

/// The body of a request in memory, unpacked. Its bytes are admitted before they are read, and
/// given back on close.
final class Body implements AutoCloseable {
  private static final int FIRST = 16 * 1024;

  private final Admission.Lease lease;
  private final byte[] bytes;

  private Body(Admission.Lease lease, byte[] bytes) {
    this.lease = lease;
    this.bytes = bytes;
  }

  /// Reads the body.
  ///
  /// @param limit of the body as it is sent and as it is unpacked, in bytes
  /// @throws IOException the connection is lost
  static Body read(Exchange exchange, String tenant, int limit)
      throws ProblemException, IOException, InterruptedException {
    Request request = exchange.request();
    long declared = request.getLength();
    Admission.Lease lease =
        exchange.services().memory().tryAcquire(tenant, declared < 0 ? FIRST : declared);
    if (lease == null) {
      throw NoMemoryException.heldByOthers();
    }
    boolean done = false;
    try {
      byte[] bytes = new Reading(exchange, lease, limit).all(declared);
      if (exchange.isGzip()) {
        bytes = Gunzip.unpack(bytes, limit, lease);
      }
      done = true;
      return new Body(lease, bytes);
    } finally {
      if (!done) {
        lease.close();
      }
    }
  }

  /// Reads the rest of a body and throws it away.
  ///
  /// @param most bytes
  /// @return whether the body has come to its end within the bounds
  static boolean discard(Exchange exchange, long most) throws InterruptedException {
    Awaiting awaiting = new Awaiting(exchange);
    long deadline = exchange.nanoTime() + exchange.settings().bodyProgress().toNanos();
    long left = most;
    try {
      while (left >= 0 && exchange.nanoTime() < deadline) {
        Content.Chunk chunk = exchange.request().read();
        if (chunk == null) {
          awaiting.await();
        } else if (Content.Chunk.isFailure(chunk)) {
          return false;
        } else {
          left -= chunk.remaining();
          chunk.release();
          if (chunk.isLast()) {
            return true;
          }
        }
      }
      return false;
    } finally {
      awaiting.end();
    }
  }

  byte[] bytes() {
    return bytes;
  }

  Admission.Lease lease() {
    return lease;
  }

  @Override
  public void close() {
    lease.close();
  }

  static ProblemException tooLarge(int limit) {
    return new ProblemException(
        Problem.tooLarge("The body is larger than %d bytes. Send less at once.".formatted(limit)));
  }

  /// Waits for parts of a body. A pause ends by the idle time-out of the connection, which is
  /// shortened meanwhile; single bytes that keep coming end by the deadline of [Connections].
  private static final class Awaiting {
    private final Exchange exchange;
    private final EndPoint endPoint;
    private final Semaphore available = new Semaphore(0);
    private boolean begun;

    Awaiting(Exchange exchange) {
      this.exchange = exchange;
      this.endPoint = exchange.request().getConnectionMetaData().getConnection().getEndPoint();
    }

    void await() throws InterruptedException {
      if (!begun) {
        begun = true;
        exchange.connection().bodyBegins();
        endPoint.setIdleTimeout(exchange.settings().bodyProgress().toMillis());
      }
      exchange
          .request()
          .demand(Invocable.from(Invocable.InvocationType.NON_BLOCKING, available::release));
      available.acquire();
    }

    void end() {
      if (begun) {
        endPoint.setIdleTimeout(exchange.settings().idle().toMillis());
        exchange.connection().bodyEnded();
      }
    }
  }

  /// One reading.
  private static final class Reading {
    private final Exchange exchange;
    private final Admission.Lease lease;
    private final int limit;
    private final Awaiting awaiting;
    private byte[] bytes = new byte[0];
    private int length;

    Reading(Exchange exchange, Admission.Lease lease, int limit) {
      this.exchange = exchange;
      this.lease = lease;
      this.limit = limit;
      this.awaiting = new Awaiting(exchange);
    }

    byte[] all(long declared) throws ProblemException, IOException, InterruptedException {
      bytes = new byte[declared < 0 ? FIRST : (int) declared];
      try {
        boolean last = false;
        while (!last) {
          Content.Chunk chunk = exchange.request().read();
          if (chunk == null) {
            awaiting.await();
          } else if (Content.Chunk.isFailure(chunk)) {
            throw failure(chunk.getFailure());
          } else {
            last = chunk.isLast();
            take(chunk);
          }
          if (!last && exchange.connection().isBodyLate()) {
            throw late();
          }
        }
        exchange.markBodyRead();
      } finally {
        awaiting.end();
      }
      return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
    }

    private void take(Content.Chunk chunk) throws ProblemException {
      try {
        ByteBuffer more = chunk.getByteBuffer();
        int size = more.remaining();
        if (size > limit - length) {
          throw tooLarge(limit);
        }
        if (size > bytes.length - length) {
          int grown = (int) Math.min(limit, Math.max(2L * bytes.length, (long) length + size));
          if (!lease.tryGrow(grown - bytes.length)) {
            throw NoMemoryException.of(lease, grown - bytes.length);
          }
          bytes = Arrays.copyOf(bytes, grown);
        }
        more.get(bytes, length, size);
        length += size;
      } finally {
        chunk.release();
      }
    }

    private ProblemException failure(@Nullable Throwable failure) throws IOException {
      if (failure instanceof TimeoutException) {
        return late();
      }
      if (failure instanceof HttpException bad) {
        return new ProblemException(
            Problem.badRequest(
                "The body cannot be read: %s. Send it by RFC 9112.".formatted(bad.getReason())));
      }
      throw failure instanceof IOException lost ? lost : new IOException(failure);
    }

    private ProblemException late() {
      return new ProblemException(
          new Problem(
              408,
              "Request timeout",
              "The body came too slowly. Send it within %d s, without pauses of %d s."
                  .formatted(
                      exchange.settings().bodyTotal().toSeconds(),
                      exchange.settings().bodyProgress().toSeconds()),
              "",
              null));
    }
  }
}
