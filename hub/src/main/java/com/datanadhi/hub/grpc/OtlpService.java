package com.datanadhi.hub.grpc;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.otlp.LogsRequest;
import com.datanadhi.hub.otlp.RequestException;
import com.google.rpc.Status;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse;
import io.opentelemetry.proto.collector.logs.v1.LogsServiceGrpc;
import java.util.List;

/// `LogsService` of OTLP (https://opentelemetry.io/docs/specs/otlp/#otlpgrpc).
final class OtlpService {
  private final Appends appends;
  private final Admission admission;

  OtlpService(Appends appends, Admission admission) {
    this.appends = appends;
    this.admission = admission;
  }

  ServerServiceDefinition definition() {
    return ServerServiceDefinition.builder(LogsServiceGrpc.SERVICE_NAME)
        .addMethod(
            HubService.method(LogsServiceGrpc.getExportMethod(), ExportLogsServiceRequest.parser()),
            ServerCalls.asyncUnaryCall(this::export))
        .build();
  }

  private void export(
      Request<ExportLogsServiceRequest> request,
      StreamObserver<ExportLogsServiceResponse> observer) {
    HubService.unary(observer, () -> export(Caller.current(), request));
  }

  private ExportLogsServiceResponse export(Caller caller, Request<ExportLogsServiceRequest> request)
      throws StatusException, InterruptedException {
    String problem = request.problem();
    if (problem != null) {
      throw invalid("the message cannot be read: " + problem);
    }
    LogsRequest logs;
    List<Outcome> outcomes;
    try (Admission.Lease lease =
        Appending.admit(admission, caller.tenant(), request.content().size(), "log records")) {
      logs = LogsRequest.ofProtobuf(request.content(), lease);
      List<Submission> submissions = logs.submissions(caller.idempotencyKey());
      outcomes =
          submissions.isEmpty() ? List.of() : appends.submitEach(caller.tenant(), submissions);
    } catch (RequestException refused) {
      String detail = String.valueOf(refused.getMessage());
      throw switch (refused.kind()) {
        case MALFORMED, TOO_LARGE -> invalid(detail);
        case NO_MEMORY -> Statuses.unavailable(detail, Appending.RETRY);
      };
    }
    Status refused = null;
    for (Outcome outcome : outcomes) {
      switch (outcome) {
        case Outcome.Stored _ -> {}
        case Outcome.Invalid invalid -> refused = Statuses.invalid(invalid);
        case Outcome.Conflict conflict -> refused = Statuses.conflict(conflict);
        case Outcome.Unavailable unavailable -> throw Statuses.unavailable(unavailable);
      }
    }
    if (refused != null) {
      throw StatusProto.toStatusException(refused);
    }
    return logs.response();
  }

  private static StatusException invalid(String detail) {
    return StatusProto.toStatusException(Statuses.invalid(detail));
  }
}
