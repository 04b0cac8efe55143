package com.datanadhi.hub.http;

/// How errors are answered.
@FunctionalInterface
interface ProblemForm {
  /// By RFC 9457.
  ProblemForm JSON =
      (exchange, problem) ->
          exchange.answer(problem.status(), "application/problem+json", problem.json());

  /// Ends the exchange with an error.
  void answer(Exchange exchange, Problem problem);
}
