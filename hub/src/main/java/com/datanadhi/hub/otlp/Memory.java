package com.datanadhi.hub.otlp;

import com.datanadhi.hub.intake.Admission;

/// The memory of a request beyond its text. Not thread-safe.
final class Memory {
  private final Admission.Lease lease;
  private long work;

  Memory(Admission.Lease lease) {
    this.lease = lease;
  }

  /// Takes so many bytes until the end of the request.
  void take(long bytes) throws RequestException {
    if (lease.tryGrow(bytes)) {
      return;
    }
    if (lease.couldGrow(bytes)) {
      throw new RequestException(
          RequestException.Kind.NO_MEMORY,
          "The hub has no memory left for this request. Send it again later.");
    }
    throw new RequestException(
        RequestException.Kind.TOO_LARGE,
        "The request takes more memory than the hub has for all requests: each log record is stored"
            + " with its resource and scope. Send fewer log records at once, or start the hub with a"
            + " larger --buffer-bytes.");
  }

  /// Takes so many bytes until the next call.
  void work(long bytes) throws RequestException {
    if (bytes > work) {
      take(bytes - work);
      work = bytes;
    }
  }
}
