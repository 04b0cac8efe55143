package com.datanadhi.hub.query;

import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.SourceState;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What readers ask for. Thread-safe; calls block, so they are made on virtual threads.
public final class Queries {
  /// The records that match, in order of seq.
  public void records(String tenant, EventFilter filter, TenantReader.Sink<StoredEvent> sink)
      throws ViewException, InterruptedException {
    throw new UnsupportedOperationException();
  }

  /// Waits until the tenant has a record with a seq of at least `seq`.
  ///
  /// @return whether it was in time
  public boolean awaitSeq(String tenant, long seq, Duration timeout) throws InterruptedException {
    throw new UnsupportedOperationException();
  }

  /// What is known of a key, or null if it is not known.
  public @Nullable ReceiptState receipt(String tenant, String key)
      throws ViewException, InterruptedException {
    throw new UnsupportedOperationException();
  }

  /// What is known of a key.
  ///
  /// @param sha256 null beyond the key horizon, as are `receivedAt` and `position`
  /// @param seq of the first record; null until applied
  /// @param records 0 if unknown
  public record ReceiptState(
      String tenant,
      String key,
      @Nullable String sha256,
      @Nullable Long seq,
      int records,
      @Nullable String position,
      @Nullable Long receivedAt) {}

  /// All sources of a tenant, or the one named.
  public List<SourceState> sources(String tenant, @Nullable String source)
      throws ViewException, InterruptedException {
    throw new UnsupportedOperationException();
  }
}
