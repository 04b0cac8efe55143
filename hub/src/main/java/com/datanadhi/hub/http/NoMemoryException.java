package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Admission;

/// The memory for requests does not suffice for one. It concerns the request as a whole, and never
/// a single line of it: fewer lines can fit.
final class NoMemoryException extends ProblemException {
  private static final long serialVersionUID = 1;

  private NoMemoryException(Problem problem) {
    super(problem);
  }

  /// Other requests hold it.
  static NoMemoryException heldByOthers() {
    return new NoMemoryException(
        Problem.unavailable("The hub has no memory left for this request. Send it again later."));
  }

  /// A lease could not grow by `more` bytes: later it can, or never.
  static NoMemoryException of(Admission.Lease lease, long more) {
    return lease.couldGrow(more)
        ? heldByOthers()
        : new NoMemoryException(
            Problem.tooLarge(
                "The request takes more memory than the hub has for all requests."
                    + " Send fewer records or names of pipelines at once, or start the hub with a"
                    + " larger --buffer-bytes."));
  }
}
