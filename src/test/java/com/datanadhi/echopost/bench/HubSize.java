package com.datanadhi.echopost.bench;

/// The amount of work in a run that measures the hub.
///
/// @param rounds each measures the hub and every floor
/// @param warmUp records sent before the measured ones, not measured: what a hub that runs for
///   months does once, the compilation of its code above all, takes some hundred thousand records
/// @param requests with one record each, on many connections
/// @param singles requests one at a time
/// @param burst records in lines, as many as the hub takes before they are applied
/// @param starts after a kill
/// @param tenants with an API key and a database each
/// @param rows of the large database
/// @param backlog records that are applied and not archived
record HubSize(
    int rounds,
    int warmUp,
    int requests,
    int singles,
    int burst,
    int starts,
    int tenants,
    long rows,
    int backlog) {
  /// The connections of the load with one record a request.
  static final int CONNECTIONS = 64;

  static final HubSize FULL =
      new HubSize(5, 400_000, 200_000, 5_000, 300_000, 5, 1_000, 10_000_000, 1_000_000);
  static final HubSize QUICK =
      new HubSize(1, 40_000, 60_000, 1_000, 100_000, 2, 200, 300_000, 100_000);

  HubSize withRounds(int newRounds) {
    return new HubSize(newRounds, warmUp, requests, singles, burst, starts, tenants, rows, backlog);
  }
}
