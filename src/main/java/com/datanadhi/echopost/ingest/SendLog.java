package com.datanadhi.echopost.ingest;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import org.jspecify.annotations.Nullable;

/// The service `logagent.LogAgent` of proto/logagent.proto. Its one method runs on the event loop
/// from the first byte to the last: that is where arrival order is fixed.
final class SendLog implements ServerCallHandler<Request, byte[]> {
  static final String SERVICE = "logagent.LogAgent";
  private static final Metadata.Key<String> IDEMPOTENCY_KEY =
      Metadata.Key.of("idempotency-key", Metadata.ASCII_STRING_MARSHALLER);

  private static final Metadata.Key<String> ENCODING =
      Metadata.Key.of("grpc-encoding", Metadata.ASCII_STRING_MARSHALLER);

  private final Connections connections;

  private SendLog(Connections connections) {
    this.connections = connections;
  }

  static ServerServiceDefinition service(Connections connections) {
    MethodDescriptor<Request, byte[]> method =
        MethodDescriptor.<Request, byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, "SendLog"))
            .setRequestMarshaller(new Request.Reader())
            .setResponseMarshaller(new Request.ResponseWriter())
            .build();
    return ServerServiceDefinition.builder(SERVICE)
        .addMethod(method, new SendLog(connections))
        .build();
  }

  @Override
  public ServerCall.Listener<Request> startCall(
      ServerCall<Request, byte[]> call, Metadata headers) {
    @Nullable Refusal refusal = connections.refusalAtOnce();
    if (refusal != null) {
      connections.refusals().count(refusal.reason());
      call.close(refusal.status(), new Metadata());
      return new ServerCall.Listener<>() {};
    }
    Connection connection = connections.current();
    Arrival arrival =
        new Arrival(
            call,
            connection,
            connections,
            headers.get(IDEMPOTENCY_KEY),
            isCompressed(headers),
            connections.receiving());
    connection.begin(arrival);
    connections.callBegun();
    connection.advance();
    return arrival;
  }

  private static boolean isCompressed(Metadata headers) {
    @Nullable String encoding = headers.get(ENCODING);
    return encoding != null && !encoding.equals("identity");
  }
}
