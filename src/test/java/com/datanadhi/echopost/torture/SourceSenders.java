package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.HubProcess;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// The senders of a round.
final class SourceSenders implements AutoCloseable {
  private static final long POLL_NANOS = 5_000_000;

  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();
  private final Supplier<String> url;
  private final CampaignResult result;
  private final List<SourceSender> senders = new ArrayList<>();

  SourceSenders(Supplier<String> url, CampaignResult result) {
    this.url = url;
    this.result = result;
  }

  /// Starts another sender; the parameters are those of [SourceSender].
  SourceSender add(
      String tenant, String apiKey, UUID source, int lines, int bytes, long pauseNanos) {
    return addIdle(tenant, apiKey, source, lines, bytes, pauseNanos).start();
  }

  /// As above, but the sender sends only when it is told to.
  SourceSender addIdle(
      String tenant, String apiKey, UUID source, int lines, int bytes, long pauseNanos) {
    SourceSender sender =
        new SourceSender(client, url, tenant, apiKey, source, lines, bytes, pauseNanos, result);
    senders.add(sender);
    return sender;
  }

  List<SourceSender> all() {
    return List.copyOf(senders);
  }

  private static boolean await(BooleanSupplier condition, Duration limit) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > limit.toNanos()) {
        return false;
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
    return true;
  }

  private long acknowledged() {
    return senders.stream().mapToLong(SourceSender::acknowledged).sum();
  }

  private long refusals() {
    return senders.stream().mapToLong(SourceSender::refusals).sum();
  }

  /// Waits until so many more records are acknowledged.
  void awaitMore(long records, Duration limit) throws TimeoutException {
    long before = acknowledged();
    if (!await(() -> acknowledged() >= before + records, limit)) {
      throw new TimeoutException("only " + acknowledged() + " records were acknowledged");
    }
  }

  /// Waits until a call is answered with 503.
  void awaitRefusal(Duration limit, String round) {
    long before = refusals();
    if (!await(() -> refusals() > before, limit)) {
      result.addViolation(round + ": no call was refused");
    }
  }

  /// Whether each sender has another record acknowledged within `limit`.
  boolean isEachAnswered(Duration limit) {
    List<Long> before = senders.stream().map(SourceSender::acknowledged).toList();
    return await(
        () -> {
          for (int i = 0; i < senders.size(); i++) {
            if (senders.get(i).acknowledged() == before.get(i)) {
              return false;
            }
          }
          return true;
        },
        limit);
  }

  /// What each sender was refused with last.
  String lastRefusals() {
    return senders.stream().map(SourceSender::lastRefusal).distinct().toList() + " ";
  }

  /// Ends the senders, waits until all is applied, and stops the hub.
  ///
  /// @return the senders
  List<SourceSender> close(CampaignHub hub, String round, Duration limit) throws Exception {
    close();
    if (!hub.awaitAppliedAll(limit)) {
      result.addViolation(
          round + ": not everything is applied: " + hub.status() + hub.process().output());
    }
    HubProcess process = hub.process();
    process.terminate();
    int exit = process.awaitExit(limit);
    if (exit != 0) {
      result.addViolation(round + ": exit " + exit + " after SIGTERM: " + process.output());
    }
    process.close();
    return all();
  }

  @Override
  public void close() throws InterruptedException {
    for (SourceSender sender : senders) {
      sender.close();
    }
  }
}
