package com.datanadhi.hub.http;

import com.datanadhi.hub.query.InvalidQueryException;
import com.datanadhi.hub.query.Pages;
import com.datanadhi.hub.query.RecordPage;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.EventLine;
import com.datanadhi.hub.view.ViewException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Reads the pages of one answer; while one is sent, the next one is read in another thread, if
/// there is memory to spare. For one thread at a time.
final class PageReader implements AutoCloseable {
  private final Pages pages;
  private final RecordSource records;
  private final String tenant;
  private @Nullable Ahead ahead;

  PageReader(Pages pages, RecordSource records, String tenant) {
    this.pages = pages;
    this.records = records;
    this.tenant = tenant;
  }

  /// A page that is being read; null if it cannot be read now.
  private record Ahead(
      EventFilter filter, CompletableFuture<Pages.@Nullable Held<RecordPage<EventLine>>> page) {}

  /// The page of these records.
  ///
  /// @param patience how long to wait for memory
  /// @return null if there was none in time
  Pages.@Nullable Held<RecordPage<EventLine>> read(EventFilter filter, Duration patience)
      throws ViewException, InvalidQueryException, InterruptedException {
    Ahead begun = ahead;
    if (begun != null && begun.filter.equals(filter)) {
      ahead = null;
      Pages.Held<RecordPage<EventLine>> page = begun.page.join();
      if (page != null) {
        return page;
      }
    }
    return pages.read(tenant, patience, RecordPage::bytes, () -> records.records(tenant, filter));
  }

  /// Begins to read the page that is read next.
  void begin(EventFilter filter) {
    close();
    CompletableFuture<Pages.@Nullable Held<RecordPage<EventLine>>> page =
        CompletableFuture.supplyAsync(
            () -> readAhead(filter),
            task -> {
              Thread _ = Thread.ofVirtual().name("read-ahead").start(task);
            });
    ahead = new Ahead(filter, page);
  }

  private Pages.@Nullable Held<RecordPage<EventLine>> readAhead(EventFilter filter) {
    try {
      return pages.readAhead(tenant, RecordPage::bytes, () -> records.records(tenant, filter));
    } catch (ViewException | InvalidQueryException failed) {
      // Whoever needs the page reads it then, and meets the failure if there still is one.
      return null;
    } catch (InterruptedException nobodyInterrupts) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  /// Gives back what was read and not taken.
  @Override
  public void close() {
    Ahead begun = ahead;
    ahead = null;
    if (begun != null) {
      Pages.Held<RecordPage<EventLine>> page = begun.page.join();
      if (page != null) {
        page.close();
      }
    }
  }
}
