package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/// The data directory of a hub that is started again and again on the same port.
///
/// @param apiKeys by tenant
record HubDirectory(Path data, int port, Map<String, String> apiKeys, List<String> flags) {
  private static final long POLL_NANOS = 20_000_000;

  /// Reserves a port. There is no hub yet.
  ///
  /// @param flags more flags of `serve`
  static HubDirectory create(Path data, String... flags) throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return new HubDirectory(data, free.getLocalPort(), new LinkedHashMap<>(), List.of(flags));
    }
  }

  /// Creates an API key for each tenant. The hub must have run on the directory.
  void createKeys(String... tenants) throws IOException, InterruptedException {
    for (String tenant : tenants) {
      apiKeys.put(tenant, HubProcess.createKey(data, tenant));
    }
  }

  /// The same flags, port and keys with another data directory.
  HubDirectory at(Path other) {
    return new HubDirectory(other, port, apiKeys, flags);
  }

  /// The same directory with more flags.
  HubDirectory with(String... more) {
    List<String> all = new ArrayList<>(flags);
    all.addAll(List.of(more));
    return new HubDirectory(data, port, apiKeys, all);
  }

  String url() {
    return "http://127.0.0.1:" + port;
  }

  /// Spawns a hub, which is not ready yet.
  ///
  /// @param environment additional environment variables
  HubProcess spawn(Map<String, String> environment) throws IOException {
    List<String> all = new ArrayList<>(List.of("--listen", "127.0.0.1:" + port));
    all.addAll(List.of("--grpc-listen", "off"));
    all.addAll(flags);
    return HubProcess.spawn(
        List.of(PackagedProgram.hub().toString()), data, environment, all.toArray(String[]::new));
  }

  /// Waits until a hub that is ready has applied everything that is in its log.
  ///
  /// @return the time since the call, in nanoseconds
  /// @throws IllegalStateException if that takes longer than `limit`
  long awaitApplied(HubProcess hub, Duration limit) throws InterruptedException {
    // Metrics need no key.
    try (HubClient client = new HubClient(url(), "")) {
      long start = System.nanoTime();
      while (!client.hasAppliedAll()) {
        if (System.nanoTime() - start > limit.toNanos()) {
          throw new IllegalStateException("the hub has not applied its log: " + hub.output());
        }
        LockSupport.parkNanos(POLL_NANOS);
      }
      return System.nanoTime() - start;
    }
  }

  HubClient client(String tenant) {
    String apiKey = apiKeys.get(tenant);
    if (apiKey == null) {
      throw new IllegalArgumentException("no API key of " + tenant);
    }
    return new HubClient(url(), apiKey);
  }
}
