package com.datanadhi.hub.hub;

import com.datanadhi.hub.grpc.Appends;
import com.datanadhi.hub.health.AppendHealth;
import com.datanadhi.hub.http.Appender;
import com.datanadhi.hub.intake.Intake;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The way from the doors to intake: refuses what the machine cannot take now, and notes for the
/// hub's health whether appends succeed. Thread-safe.
final class AppendGate implements Appender, Appends {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private static final Duration DISK_RETRY_AFTER = Duration.ofSeconds(5);

  private final Intake intake;
  private final AppendHealth health;
  private final DiskRoom disk;
  private final Function<String, @Nullable String> heldBack;
  private final Map<String, Long> refused = new TreeMap<>();
  private volatile boolean open;

  /// @param heldBack why nothing more is accepted for a parked tenant, or null
  AppendGate(
      Intake intake,
      AppendHealth health,
      DiskRoom disk,
      Function<String, @Nullable String> heldBack) {
    this.intake = intake;
    this.health = health;
    this.disk = disk;
    this.heldBack = heldBack;
  }

  /// Lets appends through from now on.
  void open() {
    open = true;
  }

  /// Why no append is accepted, or null.
  @Nullable String problem() {
    if (!open) {
      return "the hub is starting";
    }
    String full = disk.problem();
    return full == null ? health.problem() : full;
  }

  /// Transactions that were refused here, by reason.
  Map<String, Long> refused() {
    synchronized (refused) {
      return new TreeMap<>(refused);
    }
  }

  @Override
  public Outcome submit(String tenant, Submission transaction) throws InterruptedException {
    Outcome.Unavailable closed = closed(tenant, 1);
    return closed == null ? noted(intake.submit(tenant, transaction)) : closed;
  }

  @Override
  public List<Outcome> submitEach(String tenant, List<Submission> transactions)
      throws InterruptedException {
    Outcome.Unavailable closed = closed(tenant, transactions.size());
    return closed == null
        ? noted(intake.submitEach(tenant, transactions))
        : Collections.nCopies(transactions.size(), closed);
  }

  @Override
  public List<Outcome> submitTogether(String tenant, List<Submission> transactions)
      throws InterruptedException {
    Outcome.Unavailable closed = closed(tenant, transactions.size());
    return closed == null
        ? noted(intake.submitTogether(tenant, transactions))
        : Collections.nCopies(transactions.size(), closed);
  }

  private Outcome.@Nullable Unavailable closed(String tenant, int transactions) {
    if (!open) {
      return refuse(transactions, "starting", "the hub is starting: send it again", RETRY_AFTER);
    }
    String full = disk.problem();
    if (full != null) {
      return refuse(transactions, "disk_nearly_full", full, DISK_RETRY_AFTER);
    }
    String held = heldBack.apply(tenant);
    return held == null ? null : refuse(transactions, "tenant_parked", held, DISK_RETRY_AFTER);
  }

  private Outcome.Unavailable refuse(
      int transactions, String reason, String detail, Duration retryAfter) {
    synchronized (refused) {
      refused.merge(reason, (long) transactions, Long::sum);
    }
    return new Outcome.Unavailable(reason, detail, retryAfter);
  }

  private List<Outcome> noted(List<Outcome> outcomes) {
    for (Outcome outcome : outcomes) {
      if (outcome instanceof Outcome.Stored(_, boolean replayed, _) && !replayed) {
        health.succeeded();
        return outcomes;
      }
    }
    return outcomes;
  }

  private Outcome noted(Outcome outcome) {
    return noted(List.of(outcome)).getFirst();
  }
}
