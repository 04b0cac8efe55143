package com.datanadhi.hub.http;

/// Is told of requests, for metrics. Called on the thread of the request; must not block.
@FunctionalInterface
public interface RequestListener {
  /// A request was answered, or its connection was lost before.
  ///
  /// @param route its template as in [Routes], or `other`
  /// @param status of the answer
  /// @param nanos since its head was complete
  void answered(String route, int status, long nanos);
}
