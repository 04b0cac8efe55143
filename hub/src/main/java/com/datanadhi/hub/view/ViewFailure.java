package com.datanadhi.hub.view;

/// Carries a [ViewException] through the caller's work on a database, whose methods declare none.
final class ViewFailure extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final ViewException failure;

  ViewFailure(ViewException failure) {
    super(failure);
    this.failure = failure;
  }

  ViewException failure() {
    return failure;
  }
}
