package com.datanadhi.sdk;

/**
 * Is told what goes wrong in a client. Set with {@link
 * DataNadhiConfiguration.Builder#failureListener}.
 *
 * <p>It is called by one thread of the client, {@code datanadhi-listener}, and never by one that
 * submits records. While a call runs, and in the 100 ms after it, failures of the same kind and
 * subject are added up to one, so a slow listener neither delays deliveries nor needs memory. An
 * exception that it throws is logged. When the client is closed, it gets what is left, for up to 1
 * s; then its thread is interrupted.
 *
 * <p>Events that it logs are not delivered by the appenders of the SDK, as they could cause further
 * failures.
 */
@FunctionalInterface
public interface FailureListener {
  /** Called for each failure, or several of the same kind and subject. */
  void onFailure(DeliveryFailure failure);
}
