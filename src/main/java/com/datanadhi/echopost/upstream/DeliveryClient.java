package com.datanadhi.echopost.upstream;

import java.util.List;
import java.util.function.Predicate;

/// Delivers records to the main server. One thread at a time, unless a method says otherwise.
public interface DeliveryClient {
  /// Delivers records in order, each after the response to the one before, until `continueAfter`
  /// returns false.
  ///
  /// @param continueAfter takes each response and returns whether to send the next record; called
  ///   on another thread, must not block, and is not called after this method has returned
  /// @throws InterruptedException when interrupted; the record whose response was awaited may have
  ///   arrived or not
  void deliver(List<DeliveryRequest> deliveries, Predicate<ServerResponse> continueAfter)
      throws InterruptedException;

  /// Encodes records that are to be delivered in one request. Any thread; the caller closes it.
  ///
  /// @param batch at least one record, all with the same API key; without line ends in them
  /// @param gzip whether to pack them
  EncodedBatch encode(List<DeliveryRequest> batch, boolean gzip);

  /// What the server offers, by its newest 2xx response. Any thread.
  Offer offer();

  /// The number of probes that have succeeded. Any thread.
  long successfulProbes();
}
