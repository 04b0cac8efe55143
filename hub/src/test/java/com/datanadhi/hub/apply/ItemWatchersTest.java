package com.datanadhi.hub.apply;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ItemWatchersTest {
  private final ItemWatchers watchers = new ItemWatchers();

  @Test
  void an_item_that_arrives_before_the_wait_is_not_missed() throws Exception {
    try (ItemWatchers.Watch watch = watchers.watch("acme", "orders")) {
      watchers.arrived("acme", Set.of("orders", "audit"));
      watchers.arrived("acme", Set.of("orders"));
      assertThat(watch.await(Duration.ZERO)).isTrue();
      assertThat(watch.await(Duration.ZERO)).isFalse();
    }
  }

  @Test
  void items_of_other_pipelines_and_tenants_wake_nobody() throws Exception {
    try (ItemWatchers.Watch watch = watchers.watch("acme", "orders")) {
      watchers.arrived("acme", Set.of("audit"));
      watchers.arrived("other", Set.of("orders"));
      assertThat(watch.await(Duration.ZERO)).isFalse();
    }
  }

  @Test
  void all_readers_of_a_pipeline_are_woken_and_none_is_left_behind() throws Exception {
    ItemWatchers.Watch first = watchers.watch("acme", "orders");
    try (ItemWatchers.Watch second = watchers.watch("acme", "orders")) {
      first.close();
      first.close();
      watchers.arrived("acme", Set.of("orders"));
      assertThat(second.await(Duration.ZERO)).isTrue();
      assertThat(first.await(Duration.ZERO)).isFalse();
    }
    assertThat(watchers.isEmpty()).isTrue();
  }

  @Test
  void the_follower_of_the_mailboxes_tells_of_the_items_that_it_adds(@TempDir Path directory)
      throws Exception {
    MemoryLog log = new MemoryLog(new UUID(1, 1));
    Hub.append(log, "acme", "k-1", "1");
    try (Hub hub = new Hub(directory, log, new Decided(), new TestClock());
        ItemWatchers.Watch watch = hub.loop.watchItems("acme", "p")) {
      hub.drain();
      assertThat(watch.await(Duration.ZERO)).isFalse();
      hub.follow();
      assertThat(watch.await(Duration.ZERO)).isTrue();
      assertThat(hub.databases.<Long>readMailbox("acme", m -> m.lastItem("p"))).isEqualTo(1);
    }
  }
}
