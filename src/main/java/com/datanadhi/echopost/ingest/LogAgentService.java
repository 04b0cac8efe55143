package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.record.RecordRules;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The service `logagent.LogAgent` of proto/logagent.proto. Its one method runs on the event loop
/// from the first byte to the last: that is where arrival order is fixed.
final class LogAgentService implements ServerCallHandler<SendLogRequest, byte[]> {
  static final String SERVICE = "logagent.LogAgent";
  private static final Metadata.Key<String> IDEMPOTENCY_KEY =
      Metadata.Key.of("idempotency-key", Metadata.ASCII_STRING_MARSHALLER);

  private final Connections connections;

  private LogAgentService(Connections connections) {
    this.connections = connections;
  }

  static ServerServiceDefinition service(Connections connections) {
    MethodDescriptor<SendLogRequest, byte[]> method =
        MethodDescriptor.<SendLogRequest, byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, "SendLog"))
            .setRequestMarshaller(new SendLogRequest.Reader())
            .setResponseMarshaller(new SendLogRequest.ResponseWriter())
            .build();
    return ServerServiceDefinition.builder(SERVICE)
        .addMethod(method, new LogAgentService(connections))
        .build();
  }

  @Override
  public ServerCall.Listener<SendLogRequest> startCall(
      ServerCall<SendLogRequest, byte[]> call, Metadata headers) {
    @Nullable String origin = headers.get(IDEMPOTENCY_KEY);
    @Nullable Refusal refusal = connections.refusalAtOnce();
    if (refusal == null && origin != null && !RecordRules.isIdempotencyKey(origin)) {
      // Before its turn: what waits for that keeps no more than this in memory.
      refusal = Refusal.invalid("idempotency-key must be 1 to 255 visible ASCII characters");
    }
    if (refusal != null) {
      connections.refusals().count(refusal.reason());
      call.close(refusal.status(), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    ClientConnection connection =
        Objects.requireNonNull(call.getAttributes().get(GrpcConnectionHandler.CLIENT));
    SendLogCall arrival =
        new SendLogCall((GrpcCall<SendLogRequest, byte[]>) call, connection, connections, origin);
    connection.begin(arrival);
    connections.callBegun();
    connection.advance();
    return arrival;
  }
}
