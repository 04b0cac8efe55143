package com.datanadhi.sdk.internal.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares with {@link JsonEncoder}, which encodes at once. */
class FlatPayloadTest {
  private static final int MAX_BYTES = 1 << 20;
  private static final String CHARACTERS = "abc \"\\\n\t\u0001äß€\u2028\ud83d\ude00\ud800";

  @Test
  void its_json_is_that_of_the_encoder() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      Map<String, Object> payload = new LinkedHashMap<>();
      for (int n = random.nextInt(10); n > 0; n--) {
        payload.put(text(random), value(random));
      }
      FlatPayload flat = FlatPayload.of(payload, MAX_BYTES).orElseThrow();
      String json = JsonEncoder.encode(payload);
      assertThat(flat.json()).as("seed %d", seed).isEqualTo(json);
      assertThat(flat.isAscii()).isEqualTo(isAscii(payload));
    }
  }

  private static Object value(Random random) {
    Object[] values = {
      text(random),
      random.nextInt(),
      random.nextLong(),
      random.nextBoolean(),
      Double.longBitsToDouble(random.nextLong()),
      Float.NaN,
      (short) 3,
      (byte) -1,
      Long.MIN_VALUE,
      null
    };
    return values[random.nextInt(values.length)];
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int n = random.nextInt(20); n > 0; n--) {
      text.append(CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
    }
    return text.toString();
  }

  private static boolean isAscii(Map<String, Object> payload) {
    return payload.toString().chars().allMatch(c -> c < 0x80);
  }

  @Test
  void it_does_not_change_with_the_map() {
    Map<String, Object> payload = new LinkedHashMap<>(Map.of("order", 1));
    FlatPayload flat = FlatPayload.of(payload, MAX_BYTES).orElseThrow();
    payload.put("order", 2);
    payload.put("user", "u");
    assertThat(flat.json()).isEqualTo("{\"order\":1}");
  }

  @Test
  void names_that_are_equal_are_both_kept() {
    Map<String, Object> payload = new IdentityHashMap<>();
    payload.put(new String("a"), 1);
    payload.put(new String("a"), 2);
    assertThat(FlatPayload.of(payload, MAX_BYTES).orElseThrow().json()).contains("\"a\":", "a_2");
  }

  static Stream<Map<?, ?>> others() {
    return Stream.of(
        Map.of("list", new ArrayList<>(List.of(1))),
        Map.of("map", Map.of()),
        Map.of("changes", new AtomicInteger()),
        Map.of("text", new StringBuilder("x")),
        Map.of("number", new BigDecimal("1.5")),
        Map.of(1, "a name that is no text"),
        new AbstractMap<String, Object>() {
          @Override
          public Set<Entry<String, Object>> entrySet() {
            throw new AssertionError("unreadable");
          }
        });
  }

  @ParameterizedTest
  @MethodSource("others")
  @SuppressWarnings("unchecked")
  void other_payloads_are_not_taken(Map<?, ?> payload) {
    assertThat(FlatPayload.of((Map<String, ?>) payload, MAX_BYTES)).isEmpty();
  }

  @Test
  void what_it_takes_always_fits() {
    for (String text : List.of("x", "€", "\u0001", "\"", "\ud83d\ude00")) {
      for (int length = 0; length < 2_000; length += 7) {
        FlatPayload.of(Map.of("name", text.repeat(length)), 1_024)
            .ifPresent(flat -> assertThat(Utf8.length(flat.json())).isLessThanOrEqualTo(1_024));
      }
    }
    assertThat(FlatPayload.of(Map.of("name", "x".repeat(100)), 1_024)).isPresent();
    assertThat(FlatPayload.of(Map.of("name", "x".repeat(1_000)), 1_024)).isEmpty();
  }
}
