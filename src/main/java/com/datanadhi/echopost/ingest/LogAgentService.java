package com.datanadhi.echopost.ingest;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.datanadhi.echopost.grpc.ClientConnection;
import com.datanadhi.echopost.grpc.DecompressionLimiter;
import com.datanadhi.echopost.grpc.GrpcCall;
import com.datanadhi.echopost.grpc.GrpcMethod;
import com.datanadhi.echopost.grpc.GrpcServer;
import com.datanadhi.echopost.record.RecordRules;
import com.datanadhi.echopost.time.AdaptiveSpin;
import com.datanadhi.echopost.time.Clock;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The service `logagent.LogAgent` of proto/logagent.proto. Its one method runs on the event loop
/// from the first byte of a call to its response: that is where arrival order is fixed.
///
/// Confined to the event loop, except methods that are documented otherwise.
final class LogAgentService implements ServerCallHandler<SendLogRequest, byte[]> {
  static final String SERVICE = "logagent.LogAgent";

  /// The method's full name.
  static final String SEND_LOG = SERVICE + "/SendLog";

  private static final Metadata.Key<String> IDEMPOTENCY_KEY =
      Metadata.Key.of("idempotency-key", Metadata.ASCII_STRING_MARSHALLER);

  private final GrpcMethod<SendLogRequest, byte[]> sendLog =
      new GrpcMethod<>(
          MethodDescriptor.<SendLogRequest, byte[]>newBuilder()
              .setType(MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(SEND_LOG)
              .setRequestMarshaller(new SendLogRequest.Reader())
              .setResponseMarshaller(new SendLogResponseMarshaller())
              .build(),
          this,
          SendLogRequest.MAX_BYTES,
          SendLogRequest.MAX_BYTES,
          // BackPressure limits its calls.
          false);

  private final Availability availability;
  private final Clock clock;
  private final RefusalMetrics refusals = new RefusalMetrics();
  private final DecompressionLimiter decompression;
  private final BackPressure pressure;
  private final RecordIntake intake;
  private final Set<CallQueue> queues = new LinkedHashSet<>();

  /// Any thread.
  ///
  /// @param spin keeps the server's loop awake for a commit
  LogAgentService(GrpcServer server, Availability availability, AdaptiveSpin spin, Clock clock) {
    this.availability = availability;
    this.clock = clock;
    this.decompression = new DecompressionLimiter(server.loop());
    this.pressure = new BackPressure(server, availability, clock);
    this.intake = new RecordIntake(server.loop(), availability, pressure, spin, clock);
  }

  /// Any thread.
  GrpcMethod<SendLogRequest, byte[]> sendLog() {
    return sendLog;
  }

  @Override
  public ServerCall.Listener<SendLogRequest> startCall(
      ServerCall<SendLogRequest, byte[]> call, Metadata headers) {
    @Nullable String origin = headers.get(IDEMPOTENCY_KEY);
    @Nullable Refusal refusal = availability.refusal();
    if (refusal == null && origin != null && !RecordRules.isIdempotencyKey(origin)) {
      // Checked before the call is queued, so that no waiting call holds a larger key in memory.
      refusal = Refusal.invalid("idempotency-key must be 1 to 255 visible ASCII characters");
    }
    if (refusal != null) {
      refusals.count(refusal.reason());
      call.close(refusal.status(), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    GrpcCall<SendLogRequest, byte[]> grpcCall = (GrpcCall<SendLogRequest, byte[]>) call;
    CallQueue queue = queueOf(grpcCall.connection());
    SendLogCall started =
        new SendLogCall(grpcCall, queue, origin == null ? null : origin.getBytes(US_ASCII));
    queue.add(started);
    return started;
  }

  private CallQueue queueOf(ClientConnection connection) {
    if (connection.attachment() instanceof CallQueue known) {
      return known;
    }
    CallQueue queue = new CallQueue(connection, intake, pressure, decompression, refusals);
    connection.attach(queue);
    queues.add(queue);
    return queue;
  }

  void connectionClosed(ClientConnection connection) {
    if (connection.attachment() instanceof CallQueue queue) {
      queue.close();
      queues.remove(queue);
    }
  }

  /// Handles time-outs. Has to be called after the server's upkeep, see [GrpcServer#tickSoon].
  void tick() {
    if (pressure.tick()) {
      refuseIncomplete();
    }
    long now = clock.nanos();
    // Copies, since refusing a call can close its connection.
    List.copyOf(queues).forEach(queue -> queue.tick(now));
  }

  /// Refuses incomplete requests until there is room for others, those of the connections with the
  /// most calls first: a client with few calls is not refused because of one with many.
  private void refuseIncomplete() {
    List<CallQueue> longestFirst = new ArrayList<>(queues);
    longestFirst.sort(Comparator.comparingInt(CallQueue::size).reversed());
    for (CallQueue queue : longestFirst) {
      if (!pressure.hasTooManyOpenCalls()) {
        return;
      }
      queue.refuseIncomplete(Refusal.TOO_MANY_OPEN_CALLS);
    }
  }

  /// Refuses every call whose record is not appended yet. To be called after [Availability#stop].
  void refuseAll() {
    List.copyOf(queues).forEach(queue -> queue.refuseAll(availability.stopRefusal()));
  }

  /// Whether a call has started and is not answered. Any thread.
  boolean hasOpenCalls() {
    return pressure.hasOpenCalls();
  }

  /// The intervals between records. Any thread.
  ArrivalIntervals intervals() {
    return intake.intervals();
  }

  /// The number of refused records. Any thread.
  RefusalMetrics refusals() {
    return refusals;
  }
}
