package com.datanadhi.echopost.control;

import com.datanadhi.echopost.control.OperatorMessages.MetricsRequest;
import com.datanadhi.echopost.control.OperatorMessages.StatusRequest;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.RejectedRange;
import io.grpc.MethodDescriptor;

/// The service `echopost.Operator` of `proto/operator.proto`: the descriptors of its methods, which
/// the agent serves and the operator's commands call. Its messages are written and read by hand,
/// without protoc's classes, as those of `logagent.LogAgent` are (docs/adr/0004).
public final class OperatorProtocol {
  /// The service's full name.
  public static final String SERVICE = "echopost.Operator";

  /// Returns the agent's status.
  public static final MethodDescriptor<StatusRequest, AgentStatus> STATUS =
      method("Status", OperatorMessages.STATUS_REQUEST, OperatorMessages.STATUS_REPLY);

  /// Returns the agent's metrics as text.
  public static final MethodDescriptor<MetricsRequest, String> METRICS =
      method("Metrics", OperatorMessages.METRICS_REQUEST, OperatorMessages.METRICS_REPLY);

  /// Stores an operator's records and returns their number.
  public static final MethodDescriptor<ImportBatch, Integer> IMPORT =
      method("Import", OperatorMessages.IMPORT_BATCH, OperatorMessages.IMPORT_REPLY);

  private OperatorProtocol() {}

  private static <Q, A> MethodDescriptor<Q, A> method(
      String name,
      MethodDescriptor.Marshaller<Q> request,
      MethodDescriptor.Marshaller<A> response) {
    return MethodDescriptor.<Q, A>newBuilder()
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
        .setRequestMarshaller(request)
        .setResponseMarshaller(response)
        .build();
  }

  /// Redrives or discards the next batch of a range of rejected records.
  public static MethodDescriptor<RejectedRange, RejectedRange.Batch> method(
      RejectedRange.Action action) {
    String name =
        switch (action) {
          case REDRIVE -> "Redrive";
          case DISCARD -> "Discard";
        };
    return method(name, OperatorMessages.rejectedRange(action), OperatorMessages.REJECTED_BATCH);
  }
}
