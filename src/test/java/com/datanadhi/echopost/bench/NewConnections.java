package com.datanadhi.echopost.bench;

import java.util.List;

/// Records a second that are acknowledged when each comes on a connection of its own, as from
/// programs that live for one record: 8 clients side by side, which say their frames, and then the
/// same on grpc-java, where most of what is measured is the clients.
///
/// Floor: the no-op service.
final class NewConnections implements Measurement {
  private final Workbench bench;
  private final Effort effort;
  private final Values values = new Values();

  NewConnections(Workbench bench, Effort effort) {
    this.bench = bench;
    this.effort = effort;
  }

  @Override
  public String name() {
    return "ingest, a new connection per record";
  }

  @Override
  public void round() throws Exception {
    bench.onEach(service -> {
      FrameSender frames = new FrameSender(service.socket());
      double _ = frames.reconnecting(effort.connections() / 2);
      values.add("connect_rate", service.name(), frames.reconnecting(effort.connections()));
      try (Sender sender = new Sender(service.socket())) {
        double _ = sender.reconnecting(effort.connections() / 2);
        values.add("connect_rate_grpc", service.name(), sender.reconnecting(effort.connections()));
      }
    });
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("connect_rate", "a new connection per record", "records/s"),
        values.figure(
            "connect_rate_grpc", "a new connection per record, clients on grpc-java", "records/s"));
  }
}
