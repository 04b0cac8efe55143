package com.datanadhi.echopost.upstream;

/// A batch as it is sent, in memory outside the heap until it is closed. One thread at a time.
public interface EncodedBatch extends AutoCloseable {
  /// Its bytes.
  int length();

  /// Sends it in one request and waits for the response, of which more is read than of others. Can
  /// be repeated. Not while the client delivers something else.
  ///
  /// @throws InterruptedException when interrupted; the batch may have arrived or not
  ServerResponse deliver() throws InterruptedException;

  @Override
  void close();
}
