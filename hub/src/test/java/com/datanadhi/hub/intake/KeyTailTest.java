package com.datanadhi.hub.intake;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KeyTailTest {
  @Test
  void random_steps_end_as_in_a_plain_map() {
    long seed = System.nanoTime();
    System.err.println("seed " + seed);
    Random random = new Random(seed);
    KeyTail tail = new KeyTail();
    Map<KeyId, Expected> map = new HashMap<>();
    List<KeyId> ids = new ArrayList<>();
    for (int step = 0; step < 200_000; step++) {
      // It grows and shrinks in turn, so that the index is rebuilt in both directions.
      boolean growing = step / 20_000 % 2 == 0;
      if (ids.isEmpty() || random.nextInt(10) < (growing ? 7 : 2)) {
        // Few low bits, so that many ids have the same home.
        KeyId id = new KeyId(random.nextLong(), random.nextLong() & ~0x3FL);
        Expected expected =
            new Expected(
                new Fingerprint(step, ~step, random.nextLong(), -step, random.nextLong()),
                random.nextLong(),
                1 + random.nextInt(1000),
                random.nextInt(10 << 20),
                List.of("fsync", "wal", "ram", "replicated").get(random.nextInt(4)));
        tail.add(
            id.high(),
            id.low(),
            expected.content,
            expected.place,
            expected.records,
            expected.bytes,
            expected.durability);
        map.put(id, expected);
        ids.add(id);
      } else {
        int victim = random.nextInt(ids.size());
        KeyId id = ids.set(victim, ids.getLast());
        ids.removeLast();
        tail.remove(tail.find(id.high(), id.low()));
        map.remove(id);
        assertThat(tail.find(id.high(), id.low())).isNegative();
      }
      if (step % 10_000 == 0) {
        assertSame(tail, map);
      }
    }
    assertSame(tail, map);
    ids.forEach(id -> tail.remove(tail.find(id.high(), id.low())));
    assertThat(tail.size()).isZero();
  }

  private static void assertSame(KeyTail tail, Map<KeyId, Expected> map) {
    assertThat(tail.size()).isEqualTo(map.size());
    map.forEach((id, expected) -> {
      int entry = tail.find(id.high(), id.low());
      assertThat(entry).isNotNegative();
      assertThat(
              new Expected(
                  tail.content(entry),
                  tail.place(entry),
                  tail.records(entry),
                  tail.bytes(entry),
                  tail.durability(entry)))
          .isEqualTo(expected);
    });
  }

  private record Expected(
      Fingerprint content, long place, int records, int bytes, String durability) {}
}
