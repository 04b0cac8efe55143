package com.datanadhi.hub.http;

/// Ends a request with a problem. Without a stack trace: it is an ordinary answer.
class ProblemException extends Exception {
  private static final long serialVersionUID = 1;

  private final transient Problem problem;

  ProblemException(Problem problem) {
    super(problem.detail(), null, false, false);
    this.problem = problem;
  }

  Problem problem() {
    return problem;
  }
}
