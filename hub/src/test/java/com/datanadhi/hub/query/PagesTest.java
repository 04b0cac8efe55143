package com.datanadhi.hub.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.query.Pages.Held;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PagesTest {
  private static final long MIB = 1 << 20;

  private final Pages pages = new Pages(8);

  private @Nullable Held<Long> read(String tenant, long bytes) throws Exception {
    return pages.read(tenant, Duration.ZERO, page -> page, () -> bytes);
  }

  private Held<Long> held(String tenant, long bytes) throws Exception {
    return Objects.requireNonNull(read(tenant, bytes));
  }

  @Test
  void a_tenant_has_at_most_half_and_another_gets_its_own() throws Exception {
    Held<Long> first = held("acme", 10);
    for (int i = 0; i < 3; i++) {
      assertThat(held("acme", MIB).page()).isEqualTo(MIB);
    }
    assertThat(read("acme", 10)).isNull();
    assertThat(read("beta", 10)).isNotNull();
    first.close();
    assertThat(read("acme", 10)).isNotNull();
  }

  @Test
  void a_page_with_a_large_record_waits_until_there_is_memory_for_it_and_is_read_again()
      throws Exception {
    Held<Long> other = held("beta", 10);
    AtomicInteger reads = new AtomicInteger();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      CompletableFuture<Void> once = new CompletableFuture<>();
      var large =
          threads.submit(() ->
              pages.read(
                  "acme",
                  Duration.ofSeconds(20),
                  page -> page,
                  () -> {
                    int _ = reads.incrementAndGet();
                    once.complete(null);
                    return 4 * MIB;
                  }));
      once.get(20, TimeUnit.SECONDS);
      assertThat(large.isDone()).isFalse();
      other.close();

      Held<Long> page = Objects.requireNonNull(large.get(20, TimeUnit.SECONDS));
      assertThat(reads).hasValue(2);
      assertThat(read("beta", 10)).isNull();
      page.close();
      assertThat(read("beta", 10)).isNotNull();
    }
  }

  @Test
  void a_failed_read_holds_nothing() throws Exception {
    for (int i = 0; i < 20; i++) {
      assertThat(
              org.assertj.core.api.Assertions.catchThrowable(() ->
                  pages.read(
                      "acme",
                      Duration.ZERO,
                      (Long page) -> page,
                      () -> {
                        throw new InvalidQueryException("no");
                      })))
          .isInstanceOf(InvalidQueryException.class);
    }
  }
}
