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

  /// The page that is being read; its value is null if it cannot be read now.
  private @Nullable CompletableFuture<Pages.@Nullable Held<RecordPage<EventLine>>> ahead;

  PageReader(Pages pages, RecordSource records, String tenant) {
    this.pages = pages;
    this.records = records;
    this.tenant = tenant;
  }

  /// The page of these records.
  ///
  /// @param patience how long to wait for memory
  /// @return null if there was none in time
  Pages.@Nullable Held<RecordPage<EventLine>> read(EventFilter filter, Duration patience)
      throws ViewException, InvalidQueryException, InterruptedException {
    var begun = ahead;
    ahead = null;
    Pages.Held<RecordPage<EventLine>> page = begun == null ? null : begun.join();
    if (page != null) {
      return page;
    }
    return pages.read(tenant, patience, RecordPage::bytes, () -> records.records(tenant, filter));
  }

  /// Begins to read a page, which the next call of [#read] is for.
  void readAhead(EventFilter filter) {
    ahead =
        CompletableFuture.supplyAsync(
            () -> readUnlessFailing(filter),
            task -> {
              Thread _ = Thread.ofVirtual().name("read-ahead").start(task);
            });
  }

  private Pages.@Nullable Held<RecordPage<EventLine>> readUnlessFailing(EventFilter filter) {
    try {
      return pages.readAhead(tenant, RecordPage::bytes, () -> records.records(tenant, filter));
    } catch (ViewException | InvalidQueryException | RuntimeException failed) {
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
    var begun = ahead;
    ahead = null;
    Pages.Held<RecordPage<EventLine>> page = begun == null ? null : begun.join();
    if (page != null) {
      page.close();
    }
  }
}
