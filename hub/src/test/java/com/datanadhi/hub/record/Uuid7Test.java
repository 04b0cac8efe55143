package com.datanadhi.hub.record;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class Uuid7Test {
  private static final long NOW = 1_700_000_000_000L;

  private final Uuid7 uuids = new Uuid7();

  @Test
  void it_has_the_version_the_variant_and_the_time_of_the_rfc() {
    UUID uuid = uuids.next(NOW);
    assertThat(uuid.version()).isEqualTo(7);
    assertThat(uuid.variant()).isEqualTo(2);
    assertThat(uuid.getMostSignificantBits() >>> 16).isEqualTo(NOW);
  }

  @Test
  void each_is_larger_than_the_one_before_also_when_the_clock_steps_back() {
    List<String> all =
        Stream.concat(
                Stream.generate(() -> uuids.next(NOW)).limit(10_000),
                Stream.generate(() -> uuids.next(NOW - 1_000)).limit(10))
            .map(UUID::toString)
            .toList();
    assertThat(all).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void threads_get_different_ones() throws Exception {
    List<Future<UUID>> made = new ArrayList<>();
    try (var threads = Executors.newFixedThreadPool(8)) {
      for (int i = 0; i < 10_000; i++) {
        made.add(threads.submit(() -> uuids.next(NOW)));
      }
    }
    Set<Long> order = new HashSet<>();
    for (Future<UUID> one : made) {
      order.add(one.get().getMostSignificantBits());
    }
    assertThat(order).hasSize(10_000);
  }
}
