package com.datanadhi.hub.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What each engine of [Log] promises.
public abstract class LogContract {
  protected static final String EVENTS = "events-0";
  protected static final long BOUND = 256 * 1024;

  private Log log;

  /// Opens the log of this test. Records of earlier calls are still there.
  ///
  /// @param waitingBytes bound
  protected abstract Log open(long waitingBytes) throws Exception;

  /// Ends the log as a killed process would, and opens what is left. All appends are stable.
  protected abstract Log kill(Log old, long waitingBytes) throws Exception;

  protected LogContract() {
    log = new ListLog(new ListLog.Store(), 0);
  }

  @BeforeEach
  void openLog() throws Exception {
    log = open(BOUND);
  }

  @AfterEach
  void closeLog() throws Exception {
    log.close();
  }

  private void reopen() throws Exception {
    log.close();
    log = open(BOUND);
  }

  private static NewEntry entry(String text) {
    return new NewEntry(1, 5, text.getBytes(StandardCharsets.UTF_8));
  }

  private static Durability level(int number) {
    return List.of(Durability.values()).get(number % 3);
  }

  private static String text(LogEntry entry) {
    return new String(entry.payload(), StandardCharsets.UTF_8);
  }

  protected static long stored(Append append) throws InterruptedException {
    assertThat(append).isInstanceOf(Append.Accepted.class);
    Append.Outcome outcome = ((Append.Accepted) append).await();
    assertThat(outcome).isInstanceOf(Append.Stored.class);
    return ((Append.Stored) outcome).firstOffset();
  }

  private long append(String... texts) throws InterruptedException {
    return stored(
        log.append(
            EVENTS, Arrays.stream(texts).map(LogContract::entry).toList(), Durability.FSYNC));
  }

  @Test
  void an_empty_stream_ends_at_0() throws Exception {
    assertThat(log.read(EVENTS, 0, 10, 100)).isEmpty();
    assertThat(log.stableEnd(EVENTS)).isZero();
    assertThat(log.end(EVENTS)).isZero();
    assertThat(log.start(EVENTS)).isZero();
    assertThat(log.segments(EVENTS)).isEmpty();
    assertThat(log.streams()).isEmpty();
  }

  @Test
  void a_record_is_read_as_it_was_appended() throws Exception {
    assertThat(append("a", "", "c")).isZero();
    assertThat(
            stored(
                log.append(
                    EVENTS, List.of(new NewEntry(255, -7, new byte[300])), Durability.FSYNC)))
        .isEqualTo(3);

    List<LogEntry> entries = log.read(EVENTS, 0, 10, 1000);

    assertThat(entries).extracting(LogEntry::offset).containsExactly(0L, 1L, 2L, 3L);
    assertThat(entries.subList(0, 3)).extracting(LogContract::text).containsExactly("a", "", "c");
    assertThat(entries.get(3).type()).isEqualTo(255);
    assertThat(entries.get(3).time()).isEqualTo(-7);
    assertThat(entries.get(3).payload()).isEqualTo(new byte[300]);
    assertThat(entries).extracting(LogEntry::epoch).containsOnly(log.epoch());
  }

  @Test
  void streams_have_offsets_of_their_own() throws Exception {
    append("a");
    assertThat(stored(log.append("control", List.of(entry("k")), Durability.FSYNC))).isZero();
    assertThat(append("b")).isEqualTo(1);

    assertThat(log.read("control", 0, 9, 99)).extracting(LogContract::text).containsExactly("k");
    assertThat(log.streams()).containsExactly("control", EVENTS);
  }

  @Test
  void a_read_stays_in_its_limits_but_returns_one_record() throws Exception {
    append("12345", "1234567890", "1");

    assertThat(log.read(EVENTS, 0, 1, 100)).hasSize(1);
    assertThat(log.read(EVENTS, 0, 9, 14)).hasSize(1);
    assertThat(log.read(EVENTS, 0, 9, 15)).hasSize(2);
    assertThat(log.read(EVENTS, 1, 9, 0)).hasSize(1);
    assertThat(log.read(EVENTS, 3, 9, 9)).isEmpty();
    assertThat(log.read(EVENTS, 99, 9, 9)).isEmpty();
  }

  @Test
  void an_invalid_append_uses_no_offset() throws Exception {
    assertThatThrownBy(() -> log.append(EVENTS, List.of(), Durability.FSYNC))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() ->
            log.append(
                EVENTS, List.of(entry("a"), new NewEntry(0, 0, new byte[0])), Durability.FSYNC))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() ->
            log.append(
                EVENTS,
                List.of(new NewEntry(1, 0, new byte[Log.MAX_PAYLOAD + 1])),
                Durability.FSYNC))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(append("a")).isZero();
  }

  @Test
  void an_append_beyond_the_bound_is_refused_counted_and_uses_no_offset() throws Exception {
    Append refused =
        log.append(EVENTS, List.of(new NewEntry(1, 0, new byte[(int) BOUND])), Durability.FSYNC);

    assertThat(refused).isInstanceOf(Append.Refused.class);
    assertThat(((Append.Refused) refused).cause()).isEqualTo(Append.Cause.FULL);
    assertThat(append("a")).isZero();
    assertThat(log.stats().refusedAppends()).isEqualTo(1);
    assertThat(log.stats().appendedRecords()).isEqualTo(1);
    assertThat(log.stats().appendedBytes()).isEqualTo(30);
  }

  @Test
  void the_largest_payload_comes_back() throws Exception {
    log.close();
    log = open(11L << 20);
    byte[] payload = new byte[Log.MAX_PAYLOAD];
    new Random(1).nextBytes(payload);
    append("before");
    long _ = stored(log.append(EVENTS, List.of(new NewEntry(1, 0, payload)), Durability.FSYNC));
    append("after");

    assertThat(log.read(EVENTS, 1, 1, 1).getFirst().payload()).isEqualTo(payload);
    reopen();
    assertThat(log.read(EVENTS, 1, 1, 1).getFirst().payload()).isEqualTo(payload);
    assertThat(log.read(EVENTS, 2, 1, 1)).extracting(LogContract::text).containsExactly("after");
  }

  @Test
  void each_durability_is_visible_within_a_second() throws Exception {
    for (Durability durability : Durability.values()) {
      long before = System.nanoTime();
      long offset = stored(log.append(EVENTS, List.of(entry(durability.text())), durability));
      assertThat(log.awaitStable(EVENTS, offset, Duration.ofSeconds(10))).isTrue();
      assertThat(System.nanoTime() - before).isLessThan(1_000_000_000L);
      assertThat(text(log.read(EVENTS, offset, 1, 9).getFirst())).isEqualTo(durability.text());
    }
  }

  @Test
  void waiting_for_a_record_ends_when_it_comes_when_time_is_over_or_at_close() throws Exception {
    assertThat(log.awaitStable(EVENTS, 0, Duration.ofMillis(1))).isFalse();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Boolean> waiting =
          executor.submit(() -> log.awaitStable(EVENTS, 1, Duration.ofSeconds(30)));
      append("a", "b");
      assertThat(waiting.get()).isTrue();
      Future<Boolean> forever =
          executor.submit(() -> log.awaitStable(EVENTS, 9, Duration.ofDays(200_000)));
      log.close();
      assertThat(forever.get()).isFalse();
    }
  }

  @Test
  void rotation_seals_what_is_there() throws Exception {
    append("a", "b");
    log.rotate(EVENTS);
    log.rotate(EVENTS);
    append("c");

    List<SegmentInfo> segments = log.segments(EVENTS);

    assertThat(segments).extracting(SegmentInfo::firstOffset).containsExactly(0L, 2L);
    assertThat(segments).extracting(SegmentInfo::endOffset).containsExactly(2L, 3L);
    assertThat(segments).extracting(SegmentInfo::isSealed).containsExactly(true, false);
    assertThat(segments).extracting(SegmentInfo::bytes).containsExactly(60L, 30L);
    assertThat(log.read(EVENTS, 1, 9, 99)).extracting(LogContract::text).containsExactly("b", "c");
  }

  @Test
  void the_oldest_segment_can_be_deleted_once_it_is_sealed() throws Exception {
    append("a", "b");
    assertThatThrownBy(() -> log.deleteSegment(EVENTS, 0)).isInstanceOf(Exception.class);
    log.rotate(EVENTS);
    append("c");
    log.deleteSegment(EVENTS, 0);

    assertThat(log.start(EVENTS)).isEqualTo(2);
    assertThatThrownBy(() -> log.read(EVENTS, 1, 9, 9))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(log.read(EVENTS, 2, 9, 9)).extracting(LogContract::text).containsExactly("c");
    reopen();
    assertThat(log.start(EVENTS)).isEqualTo(2);
    assertThat(append("d")).isEqualTo(3);
  }

  @Test
  void offsets_continue_over_a_new_epoch() throws Exception {
    append("a");
    var first = log.epoch();
    log.beginEpoch();
    assertThat(log.epoch()).isNotEqualTo(first);
    assertThat(append("b")).isEqualTo(1);

    assertThat(log.read(EVENTS, 0, 9, 9))
        .extracting(LogEntry::epoch)
        .containsExactly(first, log.epoch());
    var second = log.epoch();
    reopen();
    assertThat(log.epoch()).isEqualTo(second);
    assertThat(log.read(EVENTS, 0, 9, 9))
        .extracting(LogEntry::epoch)
        .containsExactly(first, second);
  }

  @Test
  void after_close_an_append_is_refused_and_everything_accepted_is_there() throws Exception {
    List<Append> accepted = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      accepted.add(log.append(EVENTS, List.of(entry("r" + i)), level(i)));
    }
    log.close();
    log.close();

    Append late = log.append(EVENTS, List.of(entry("late")), Durability.FSYNC);
    assertThat(late).isInstanceOf(Append.Refused.class);
    assertThat(((Append.Refused) late).cause()).isEqualTo(Append.Cause.CLOSED);
    for (int i = 0; i < 100; i++) {
      assertThat(stored(accepted.get(i))).isEqualTo(i);
    }
    log = open(BOUND);
    assertThat(log.read(EVENTS, 0, 1000, BOUND)).hasSize(100);
    assertThat(append("next")).isEqualTo(100);
  }

  @Test
  void many_callers_get_offsets_without_gaps_in_the_order_of_return() throws Exception {
    int callers = 32;
    int appends = 100;
    ConcurrentSkipListMap<Long, String> expected = new ConcurrentSkipListMap<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (int caller = 0; caller < callers; caller++) {
        int id = caller;
        all.add(
            executor.submit(() -> {
              long last = -1;
              for (int i = 0; i < appends; i++) {
                Append one = log.append(EVENTS, List.of(entry(id + "-" + i)), Durability.FSYNC);
                Append two = log.append(EVENTS, List.of(entry(id + "+" + i)), Durability.WAL);
                long first = stored(one);
                long second = stored(two);
                assertThat(first).isGreaterThan(last);
                assertThat(second).isGreaterThan(first);
                expected.put(first, id + "-" + i);
                expected.put(second, id + "+" + i);
                last = second;
              }
              return null;
            }));
      }
      List<String> read = new ArrayList<>();
      while (read.size() < 2 * callers * appends) {
        assertThat(log.awaitStable(EVENTS, read.size(), Duration.ofSeconds(10))).isTrue();
        log.read(EVENTS, read.size(), 77, 1 << 20).forEach(entry -> read.add(text(entry)));
      }
      for (Future<?> one : all) {
        Object _ = one.get();
      }
      assertThat(expected.keySet().stream().toList())
          .isEqualTo(java.util.stream.LongStream.range(0, read.size()).boxed().toList());
      assertThat(read).isEqualTo(List.copyOf(expected.values()));
    }
  }

  @Test
  void callers_that_race_with_close_are_stored_or_refused() throws Exception {
    for (int round = 0; round < 10; round++) {
      TreeMap<Long, String> expected = new TreeMap<>();
      CountDownLatch started = new CountDownLatch(8);
      AtomicLong refusals = new AtomicLong();
      long before = log.end(EVENTS);
      Log racing = log;
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int caller = 0; caller < 8; caller++) {
          String id = round + "/" + caller + "/";
          Future<?> _ =
              executor.submit(() -> {
                for (int i = 0; ; i++) {
                  Append append = racing.append(EVENTS, List.of(entry(id + i)), level(i));
                  if (append instanceof Append.Refused refused) {
                    assertThat(refused.cause()).isEqualTo(Append.Cause.CLOSED);
                    refusals.incrementAndGet();
                    return null;
                  }
                  long offset = stored(append);
                  synchronized (expected) {
                    expected.put(offset, id + i);
                  }
                  started.countDown();
                }
              });
        }
        started.await();
        racing.close();
      }
      log = open(BOUND);
      assertThat(refusals.get()).isEqualTo(8);
      List<String> read = new ArrayList<>();
      while (before + read.size() < log.end(EVENTS)) {
        log.read(EVENTS, before + read.size(), 1000, 1 << 20)
            .forEach(entry -> read.add(text(entry)));
      }
      assertThat(read).isEqualTo(List.copyOf(expected.values()));
    }
  }

  @Test
  void a_reader_that_is_interrupted_reads_and_others_read_too() throws Exception {
    append("a", "b");
    log.rotate(EVENTS);
    append("c");
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Integer> interrupted =
          executor.submit(() -> {
            Thread.currentThread().interrupt();
            return log.read(EVENTS, 0, 9, 99).size() + log.read(EVENTS, 1, 9, 99).size();
          });
      assertThat(interrupted.get()).isEqualTo(5);
    }
    assertThat(log.read(EVENTS, 0, 9, 99)).hasSize(3);
    assertThat(append("d")).isEqualTo(3);
  }

  @Test
  void random_steps_do_what_a_plain_list_does() throws Exception {
    long seed = System.nanoTime();
    System.err.println("seed " + seed);
    Random random = new Random(seed);
    ListLog list = new ListLog(new ListLog.Store(), BOUND);
    String[] streams = {EVENTS, "control", "events-1"};
    for (int step = 0; step < 2000; step++) {
      String stream = streams[random.nextInt(streams.length)];
      switch (random.nextInt(12)) {
        case 0, 1, 2, 3, 4 -> {
          List<NewEntry> entries = new ArrayList<>();
          for (int i = random.nextInt(1, 20); i > 0; i--) {
            byte[] payload = new byte[random.nextInt(random.nextInt(10) == 0 ? 5000 : 100)];
            random.nextBytes(payload);
            entries.add(new NewEntry(random.nextInt(1, 256), random.nextLong(), payload));
          }
          // Rarely a weaker one: a read then waits until the log syncs it.
          Durability durability =
              random.nextInt(20) == 0 ? level(random.nextInt(3)) : Durability.FSYNC;
          assertThat(stored(log.append(stream, entries, durability)))
              .as("seed %d", seed)
              .isEqualTo(stored(list.append(stream, entries, durability)));
        }
        case 5, 6, 7, 8, 9 -> {
          long end = list.end(stream);
          long start = list.start(stream);
          assertThat(log.end(stream)).isEqualTo(end);
          assertThat(log.start(stream)).isEqualTo(start);
          if (end > 0 && log.stableEnd(stream) < end) {
            assertThat(log.awaitStable(stream, end - 1, Duration.ofSeconds(10))).isTrue();
          }
          long from = start + random.nextLong(end - start + 1);
          int records = random.nextInt(1, 100);
          long bytes = random.nextLong(10_000);
          assertSame(
              log.read(stream, from, records, bytes),
              list.read(stream, from, records, bytes),
              seed);
        }
        case 10 -> {
          if (random.nextInt(4) == 0) {
            log.rotate(stream);
          } else if (random.nextInt(8) == 0) {
            SegmentInfo oldest =
                log.segments(stream).stream()
                    .filter(SegmentInfo::isSealed)
                    .findFirst()
                    .orElse(null);
            if (oldest != null) {
              log.deleteSegment(stream, oldest.firstOffset());
              list.drop(stream, oldest.endOffset());
            }
          }
        }
        default -> {
          if (random.nextInt(10) == 0) {
            reopen();
          } else if (random.nextInt(5) == 0) {
            for (String one : streams) {
              long end = log.end(one);
              assertThat(end == 0 || log.awaitStable(one, end - 1, Duration.ofSeconds(10)))
                  .isTrue();
            }
            log = kill(log, BOUND);
          }
        }
      }
    }
  }

  private static void assertSame(List<LogEntry> actual, List<LogEntry> expected, long seed) {
    assertThat(actual).as("seed %d", seed).hasSameSizeAs(expected);
    for (int i = 0; i < actual.size(); i++) {
      LogEntry one = actual.get(i);
      LogEntry other = expected.get(i);
      assertThat(one.offset()).as("seed %d", seed).isEqualTo(other.offset());
      assertThat(one.type()).as("seed %d", seed).isEqualTo(other.type());
      assertThat(one.time()).as("seed %d", seed).isEqualTo(other.time());
      assertThat(one.payload()).as("seed %d", seed).isEqualTo(other.payload());
    }
  }
}
