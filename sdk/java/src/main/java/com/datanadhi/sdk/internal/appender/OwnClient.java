package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.thread.ProcessEnd;

/** A client that the application has opened, and closes. Thread-safe. */
final class OwnClient implements EventClient {
  private final DataNadhi client;
  private final EventResource resource;
  private final Way way;
  private final Runnable emptyBuffer;
  private volatile boolean closed;

  OwnClient(DataNadhi client, AppenderSettings settings, Runnable emptyBuffer) {
    this.client = client;
    this.resource = new EventResource(client.configuration().serviceName());
    this.way = Way.of(settings);
    this.emptyBuffer = emptyBuffer;
    ProcessEnd.addBuffer(emptyBuffer);
  }

  @Override
  public SubmitResult submit(EventPayload event) {
    return closed ? SubmitResult.CLOSED : way.submit(client, event, resource);
  }

  @Override
  public void close() {
    closed = true;
    ProcessEnd.removeBuffer(emptyBuffer);
  }

  @Override
  public void closeInBackground() {
    close();
  }
}
