package com.datanadhi.hub.log;

/// The reference keeps the contract too, so the kit asks for nothing that only files have.
final class ListLogTest extends LogContract {
  private final ListLog.Store store = new ListLog.Store();

  @Override
  protected Log open(long waitingBytes) {
    return new ListLog(store, waitingBytes);
  }

  @Override
  protected Log kill(Log old, long waitingBytes) {
    return open(waitingBytes);
  }
}
