package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.echopost.record.NewRecord;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// An append whose outcome a test can wait for.
public final class Appended implements AppendRequest {
  private final List<NewRecord> records;
  private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();

  private Appended(List<NewRecord> records) {
    this.records = records;
  }

  /// Appends `records` together without waiting.
  public static Appended to(Buffer buffer, NewRecord... records) {
    Appended append = of(records);
    buffer.append(append);
    return append;
  }

  static Appended of(NewRecord... records) {
    return new Appended(List.of(records));
  }

  /// Appends records with these payloads and waits until all are stored.
  public static void store(Buffer buffer, String... payloads) {
    Appended[] all = new Appended[payloads.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = to(buffer, record(payloads[i], "", null));
    }
    for (Appended one : all) {
      if (!(one.outcome() instanceof Outcome.Stored)) {
        throw new AssertionError("not stored: " + one.outcome());
      }
    }
  }

  /// A record for the pipeline `p`.
  public static NewRecord record(String payload, String apiKey, @Nullable String origin) {
    return new NewRecord(
        1_700_000_000_000L,
        payload.getBytes(UTF_8),
        "[\"p\"]".getBytes(UTF_8),
        apiKey.getBytes(UTF_8),
        origin == null ? null : origin.getBytes(UTF_8));
  }

  @Override
  public List<NewRecord> records() {
    return records;
  }

  @Override
  public void completed(Outcome outcome) {
    if (!this.outcome.complete(outcome)) {
      throw new IllegalStateException("completed twice");
    }
  }

  boolean isCompleted() {
    return outcome.isDone();
  }

  /// Waits for the outcome.
  public Outcome outcome() {
    return outcome.orTimeout(1, TimeUnit.MINUTES).join();
  }
}
