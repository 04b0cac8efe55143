package com.datanadhi.hub.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.query.Tenants;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.StatusProto;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse;
import io.opentelemetry.proto.collector.logs.v1.LogsServiceGrpc;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.logs.v1.ResourceLogs;
import io.opentelemetry.proto.logs.v1.ScopeLogs;
import io.opentelemetry.proto.resource.v1.Resource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OtlpServiceTest {
  @TempDir Path directory;
  private Tenants tenants;
  private Door door;

  @BeforeEach
  void open() throws Exception {
    tenants = new Tenants(directory);
    door = new Door(tenants.queries());
  }

  @AfterEach
  void close() throws Exception {
    door.close();
    tenants.close();
  }

  private LogsServiceGrpc.LogsServiceBlockingStub stub() {
    return Door.with(LogsServiceGrpc.newBlockingStub(door.channel), "datanadhi-api-key", Door.KEY);
  }

  private static ExportLogsServiceRequest request(String... severities) {
    ScopeLogs.Builder scope = ScopeLogs.newBuilder();
    for (String severity : severities) {
      scope.addLogRecords(LogRecord.newBuilder().setSeverityText(severity));
    }
    return ExportLogsServiceRequest.newBuilder()
        .addResourceLogs(ResourceLogs.newBuilder().addScopeLogs(scope))
        .build();
  }

  private static StatusRuntimeException failure(
      LogsServiceGrpc.LogsServiceBlockingStub stub, ExportLogsServiceRequest request) {
    return Objects.requireNonNull(
        catchThrowableOfType(StatusRuntimeException.class, () -> stub.export(request)));
  }

  @Test
  void log_records_are_stored_each_under_a_key_of_its_own() {
    assertThat(stub().export(request("a", "b")))
        .isEqualTo(ExportLogsServiceResponse.getDefaultInstance());
    assertThat(door.appends.order()).hasSize(2);
    assertThat(stub().withCompression("gzip").export(request("c"))).isNotNull();
    assertThat(door.appends.calls()).containsExactly(2, 1);
    assertThat(stub().export(request())).isNotNull();
  }

  @Test
  void a_key_makes_one_transaction_of_the_request() {
    var keyed = Door.with(stub(), "idempotency-key", "k");

    assertThat(keyed.export(request("a", "b"))).isNotNull();
    assertThat(keyed.export(request("a", "b"))).isNotNull();
    assertThat(door.appends.order()).containsExactly("k");
    assertThat(failure(keyed, request("c")).getStatus().getCode())
        .isEqualTo(Status.Code.ALREADY_EXISTS);
  }

  @Test
  void a_key_is_needed() {
    assertThat(failure(LogsServiceGrpc.newBlockingStub(door.channel), request("a")).getStatus())
        .extracting(Status::getCode)
        .isEqualTo(Status.Code.UNAUTHENTICATED);
  }

  @Test
  void what_is_temporary_is_unavailable_with_a_time_to_wait() throws Exception {
    door.appends.fault(
        "k", new Outcome.Unavailable("log_full", "the disk is full", Duration.ofSeconds(3)));

    StatusRuntimeException failure =
        failure(Door.with(stub(), "idempotency-key", "k"), request("a"));

    assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(
            Objects.requireNonNull(StatusProto.fromThrowable(failure))
                .getDetails(0)
                .unpack(RetryInfo.class)
                .getRetryDelay()
                .getSeconds())
        .isEqualTo(3);
  }

  @Test
  void a_request_that_is_not_otlp_is_invalid_and_takes_no_memory() {
    // Field 1 of the request is a message of ResourceLogs that is cut.
    ExportLogsServiceRequest cut =
        ExportLogsServiceRequest.newBuilder()
            .setUnknownFields(
                UnknownFieldSet.newBuilder()
                    .addField(
                        1,
                        UnknownFieldSet.Field.newBuilder()
                            .addLengthDelimited(ByteString.fromHex("12ff"))
                            .build())
                    .build())
            .build();

    assertThat(failure(stub(), cut).getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(door.admission.heldBytes()).isZero();
  }

  @Test
  void a_request_that_grows_beyond_the_memory_is_invalid() {
    Resource large =
        Resource.newBuilder()
            .addAttributes(KeyValue.newBuilder().setKey("x".repeat(1_000_000)))
            .build();
    ExportLogsServiceRequest.Builder request =
        request("a,".repeat(1_000).split(",", -1)).toBuilder();
    request.getResourceLogsBuilder(0).setResource(large);

    StatusRuntimeException failure = failure(stub(), request.build());

    assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(failure.getStatus().getDescription()).contains("--buffer-bytes");
    assertThat(door.admission.heldBytes()).isZero();
    assertThat(door.appends.order()).isEmpty();
  }

  @Test
  void health_names_the_service() {
    var health = HealthGrpc.newBlockingStub(door.channel);

    assertThat(
            health
                .check(
                    HealthCheckRequest.newBuilder()
                        .setService(LogsServiceGrpc.SERVICE_NAME)
                        .build())
                .getStatus())
        .isEqualTo(ServingStatus.SERVING);
  }
}
