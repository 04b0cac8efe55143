package com.datanadhi.echopost.grpc;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// An application with the one method SendLog, which answers at once, unless it is told to wait,
/// and stores nothing.
final class UnaryApplication
    implements GrpcApplication,
        ServerCallHandler<byte[], byte[]>,
        MethodDescriptor.Marshaller<byte[]> {
  static final int MAX_BYTES = 1 << 10;

  private static final String SEND_LOG = "logagent.LogAgent/SendLog";

  /// `LogResponse{success=true}` on the wire.
  private static final byte[] SUCCESS = {8, 1};

  private final AtomicInteger allCalls = new AtomicInteger();
  private final AtomicInteger openCalls = new AtomicInteger();
  private final List<Runnable> heldAnswers = new ArrayList<>();
  private volatile boolean prefers;
  private volatile boolean holds;
  private final GrpcMethod<byte[], byte[]> sendLog =
      new GrpcMethod<>(
          MethodDescriptor.newBuilder(this, this)
              .setType(MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(SEND_LOG)
              .build(),
          this,
          MAX_BYTES,
          MAX_BYTES,
          true);

  /// The number of calls that have started. Any thread.
  int allCalls() {
    return allCalls.get();
  }

  /// The number of calls that have started and not ended. Any thread.
  int openCalls() {
    return openCalls.get();
  }

  /// Whether clients that sent a message are preferred from now on. Any thread.
  void setPrefers(boolean prefers) {
    this.prefers = prefers;
  }

  /// Whether answers wait for [#sendHeldAnswers] from now on. Any thread.
  void setHolds(boolean holds) {
    this.holds = holds;
  }

  /// On the event loop.
  void sendHeldAnswers() {
    heldAnswers.forEach(Runnable::run);
    heldAnswers.clear();
  }

  @Override
  public @Nullable GrpcMethod<?, ?> method(String fullName) {
    return fullName.equals(SEND_LOG) ? sendLog : null;
  }

  @Override
  public void connectionClosed(ClientConnection connection) {
    // It keeps nothing for a connection.
  }

  @Override
  public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], byte[]> call, Metadata headers) {
    allCalls.incrementAndGet();
    openCalls.incrementAndGet();
    call.request(2);
    return new ServerCall.Listener<>() {
      private boolean hasMessage;

      @Override
      public void onMessage(byte[] message) {
        hasMessage = true;
      }

      @Override
      public void onHalfClose() {
        if (holds) {
          heldAnswers.add(this::answer);
        } else {
          answer();
        }
      }

      private void answer() {
        call.sendHeaders(new Metadata());
        if (hasMessage) {
          call.sendMessage(SUCCESS);
          if (prefers) {
            ((GrpcCall<byte[], byte[]>) call).connection().prefer();
          }
        }
        call.close(hasMessage ? Status.OK : Status.INVALID_ARGUMENT, new Metadata());
      }

      @Override
      public void onComplete() {
        openCalls.decrementAndGet();
      }

      @Override
      public void onCancel() {
        openCalls.decrementAndGet();
      }
    };
  }

  @Override
  public InputStream stream(byte[] message) {
    return new ByteArrayInputStream(message);
  }

  @Override
  public byte[] parse(InputStream message) {
    try {
      return message.readAllBytes();
    } catch (IOException unexpected) {
      throw new UncheckedIOException(unexpected);
    }
  }
}
