package com.datanadhi.echopost.bench;

import java.util.List;

/// Measures acknowledged records per second when each record uses a new connection, as from
/// programs that send one record and exit. 8 concurrent clients send pre-encoded frames; then 8
/// clients use grpc-java, which dominates that figure.
///
/// Floor: the no-op service.
final class NewConnections implements Benchmark {
  private final TestBed testBed;
  private final RunSize size;
  private final MeasuredValues values = new MeasuredValues();

  NewConnections(TestBed testBed, RunSize size) {
    this.testBed = testBed;
    this.size = size;
  }

  @Override
  public String name() {
    return "ingest, new connection per record";
  }

  @Override
  public void round() throws Exception {
    testBed.onEach(service -> {
      PreEncodedSender preEncoded = new PreEncodedSender(service.socket());
      double _ = preEncoded.reconnecting(size.connections() / 2);
      values.add("connect_rate", service.name(), preEncoded.reconnecting(size.connections()));
      try (GrpcJavaSender grpcJava = new GrpcJavaSender(service.socket())) {
        double _ = grpcJava.reconnecting(size.connections() / 2);
        values.add("connect_rate_grpc", service.name(), grpcJava.reconnecting(size.connections()));
      }
    });
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure(
            "connect_rate",
            "new connection per record, clients with pre-encoded frames",
            "records/s"),
        values.figure(
            "connect_rate_grpc", "new connection per record, clients on grpc-java", "records/s"));
  }
}
