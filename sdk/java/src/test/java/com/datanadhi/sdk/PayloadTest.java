package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.sdk.testkit.ApplicationProcess;
import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import jakarta.json.Json;
import jakarta.json.JsonValue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Payloads that are unusual, and what the main server gets. */
class PayloadTest extends AbstractSdkTest {
  private DataNadhi client;

  @BeforeEach
  void openClient() {
    client = open(configuration().echoPostDisabled(true));
  }

  /** Submits the payload, and returns what the main server gets. */
  private JsonObject deliver(Map<String, ?> payload) throws Exception {
    int before = main.delivered();
    assertThat(client.submit(PIPELINES, payload)).isEqualTo(SubmitResult.ACCEPTED);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.delivered()).isEqualTo(before + 1);
    return main.deliveries().get(before).body().getAsJsonObject("log_data");
  }

  private String deliverValue(Object value) throws Exception {
    Map<String, Object> payload = new LinkedHashMap<>();
    payload.put("before", 1);
    payload.put("value", value);
    payload.put("after", 2);
    JsonObject delivered = deliver(payload);
    assertThat(delivered.keySet()).containsExactly("before", "value", "after");
    assertThat(delivered.get("after").getAsInt()).isEqualTo(2);
    return delivered.get("value").toString();
  }

  @Test
  void ordinary_values_become_their_json_counterparts() throws Exception {
    assertThat(deliverValue(Arrays.asList(1, 2.5, true, null, "ä€😀\u2028\"\\\n\u0001", 'c')))
        .isEqualTo("[1,2.5,true,null,\"ä€😀\\u2028\\\"\\\\\\n\\u0001\",\"c\"]");
    assertThat(deliverValue(new int[][] {{1}, {}})).isEqualTo("[[1],[]]");
    assertThat(deliverValue(Map.of("a", Map.of()))).isEqualTo("{\"a\":{}}");
    assertThat(deliverValue(java.nio.file.Path.of("a", "b"))).isEqualTo("\"a/b\"");
    assertThat(deliverValue(Double.NaN)).isEqualTo("\"NaN\"");
    java.util.concurrent.atomic.DoubleAdder adder = new java.util.concurrent.atomic.DoubleAdder();
    adder.add(1e300);
    assertThat(deliverValue(adder)).isEqualTo("1.0E300");
    adder.add(Double.NEGATIVE_INFINITY);
    assertThat(deliverValue(adder)).isEqualTo("\"-Infinity\"");
    assertThat(deliverValue("a\ud800b\udc00")).isEqualTo("\"a?b?\"");
    assertThat(client.counters().replacedValues()).isZero();
    assertThat(client.counters().truncated()).isZero();
  }

  @Test
  void a_value_that_contains_itself_is_replaced_where_it_recurs() throws Exception {
    List<Object> list = new ArrayList<>(List.of(1));
    Map<String, Object> map = new HashMap<>();
    map.put("list", list);
    list.add(map);
    assertThat(deliverValue(list))
        .isEqualTo("[1,{\"list\":\"(java.util.ArrayList contains itself)\"}]");
    assertThat(client.counters().replacedValues()).isEqualTo(1);

    List<Integer> twice = List.of(1);
    assertThat(deliverValue(List.of(twice, twice))).isEqualTo("[[1],[1]]");
    assertThat(client.counters().replacedValues()).isEqualTo(1);
  }

  @Test
  void a_value_that_is_nested_too_deeply_is_replaced() throws Exception {
    Object value = "bottom";
    for (int i = 0; i < 100_000; i++) {
      value = Collections.singletonList(value);
    }
    assertThat(deliverValue(value)).startsWith("[[[[").contains("[\"(nested too deeply)\"]");
    assertThat(client.counters().replacedValues()).isEqualTo(1);
  }

  @Test
  void endless_and_huge_payloads_do_not_exhaust_the_memory_of_the_caller() throws Exception {
    try (ApplicationProcess application =
        ApplicationProcess.startWithSmallHeap(
            SmallHeapApplication.class.getName(), "256m", directory.resolve("app"), main)) {
      for (int i = 0; i < 4; i++) {
        assertThat(application.line()).isEqualTo("true");
      }
      assertThat(application.exits()).isTrue();
    }
    assertThat(main.deliveries())
        .hasSize(4)
        .allSatisfy(delivery -> {
          JsonObject payload = delivery.body().getAsJsonObject("log_data");
          assertThat(payload.get("datanadhi_truncated").getAsBoolean()).isTrue();
          assertThat(payload.toString().getBytes(StandardCharsets.UTF_8))
              .hasSizeBetween(900_000, 1 << 20);
        });
  }

  static List<Object> trees() throws IOException {
    String json = "{\"a\":[1,2.50,\"x\\\"y\",null,{}],\"b\":true}";
    return List.of(
        new com.fasterxml.jackson.databind.ObjectMapper().readTree(json.replace("2.50", "2.5")),
        new tools.jackson.databind.json.JsonMapper().readTree(json.replace("2.50", "2.5")),
        com.google.gson.JsonParser.parseString(json),
        Json.createReader(new java.io.StringReader(json)).readObject());
  }

  @ParameterizedTest
  @MethodSource("trees")
  void a_tree_of_a_json_library_is_taken_as_json(Object tree) throws Exception {
    assertThat(deliverValue(tree).replace("2.50", "2.5"))
        .isEqualTo("{\"a\":[1,2.5,\"x\\\"y\",null,{}],\"b\":true}");
    assertThat(deliverValue(List.of(tree))).startsWith("[{\"a\":[1,").endsWith("\"b\":true}]");
  }

  @Test
  void a_scalar_of_a_json_library_is_taken_as_json() throws Exception {
    var jackson = com.fasterxml.jackson.databind.node.JsonNodeFactory.instance;
    assertThat(
            deliverValue(
                List.of(
                    jackson.textNode("a\nb"),
                    jackson.numberNode(1),
                    jackson.nullNode(),
                    jackson.missingNode())))
        .isEqualTo("[\"a\\nb\",1,null,\"\"]");
    assertThat(deliverValue(List.of(new JsonPrimitive("a"), JsonNull.INSTANCE)))
        .isEqualTo("[\"a\",null]");
    assertThat(deliverValue(List.of(Json.createValue("a"), Json.createValue(7), JsonValue.TRUE)))
        .isEqualTo("[\"a\",7,true]");
    assertThat(deliver(Json.createObjectBuilder().add("root", JsonValue.NULL).build()))
        .hasToString("{\"root\":null}");
  }

  @Test
  void a_tree_whose_text_is_not_json_becomes_that_text() throws Exception {
    JsonArray notJson = new JsonArray();
    notJson.add(Double.NaN);
    assertThat(deliverValue(notJson)).isEqualTo("\"[NaN]\"");
    JsonArray deep = new JsonArray();
    for (int i = 0; i < 900; i++) {
      JsonArray outer = new JsonArray();
      outer.add(deep);
      deep = outer;
    }
    assertThat(deliverValue(deep)).startsWith("\"[[");
  }

  @Test
  void a_tree_that_contains_itself_is_replaced() throws Exception {
    var jackson = new com.fasterxml.jackson.databind.ObjectMapper().createObjectNode();
    jackson.set("self", jackson);
    assertThat(deliverValue(jackson)).contains("ObjectNode could not be encoded: ");
    var jackson3 = new tools.jackson.databind.json.JsonMapper().createObjectNode();
    jackson3.set("self", jackson3);
    assertThat(deliverValue(jackson3)).contains("ObjectNode could not be encoded: ");
    JsonArray gson = new JsonArray();
    gson.add(gson);
    assertThat(deliverValue(gson)).contains("JsonArray could not be encoded: ");
    assertThat(client.counters().replacedValues()).isEqualTo(3);
  }

  @Test
  void a_tree_that_is_too_large_is_cut_as_a_string() throws Exception {
    JsonArray tree = new JsonArray();
    for (int i = 0; i < 1_000_000; i++) {
      tree.add(i);
    }
    JsonObject delivered = deliver(new LinkedHashMap<>(Map.of("tree", tree)));
    assertThat(delivered.get("tree").getAsString()).startsWith("[0,1,2,").endsWith("…(truncated)");
    assertThat(delivered.get("datanadhi_truncated").getAsBoolean()).isTrue();
  }

  @Test
  void a_name_that_is_too_large_does_not_take_the_place_of_the_members_after_it() throws Exception {
    Map<String, Object> payload = new LinkedHashMap<>();
    payload.put("x".repeat(2 << 20), 1);
    payload.put("level", "ERROR");
    JsonObject delivered = deliver(payload);
    assertThat(delivered.get("level").getAsString()).isEqualTo("ERROR");
    assertThat(delivered.get("datanadhi_truncated").getAsBoolean()).isTrue();
  }

  @Test
  void names_that_become_equal_get_a_suffix() throws Exception {
    Map<Object, Object> keys = new LinkedHashMap<>();
    keys.put(1, "a");
    keys.put("1", "b");
    keys.put(1L, "c");
    keys.put("1_2", "d");
    keys.put(null, "e");
    keys.put("null", "f");
    assertThat(deliverValue(keys))
        .isEqualTo(
            "{\"1\":\"a\",\"1_2\":\"b\",\"1_3\":\"c\",\"1_2_2\":\"d\",\"null\":\"e\",\"null_2\":\"f\"}");
  }

  /** An object whose toString throws. */
  private static final class Hostile {
    private final Supplier<String> text;

    Hostile(Supplier<String> text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text.get();
    }
  }

  private static String overflow() {
    return overflow() + "x";
  }

  static List<Throwable> failures() {
    return List.of(
        new IllegalStateException("secret"),
        new StackOverflowError(),
        new AssertionError(),
        new NoClassDefFoundError(),
        new IOException());
  }

  @ParameterizedTest
  @MethodSource("failures")
  void whatever_a_value_throws_replaces_that_value_alone(Throwable failure) throws Exception {
    Hostile hostile = new Hostile(() -> PayloadTest.<RuntimeException, String>sneak(failure));
    String text =
        "(" + Hostile.class.getName() + " could not be encoded: " + failure.getClass().getName();
    assertThat(deliverValue(hostile)).isEqualTo("\"" + text + ")\"");
    assertThat(deliverValue(List.of(1, hostile, 2))).isEqualTo("[1,\"" + text + ")\",2]");
    assertThat(deliverValue(Map.of(hostile, 7))).isEqualTo("{\"" + text + ")\":7}");

    Map.Entry<String, Object> entry =
        new AbstractMap.SimpleEntry<>("getter", "") {
          @Override
          public Object getValue() {
            return PayloadTest.<RuntimeException, String>sneak(failure);
          }
        };
    Map<String, Object> lazy =
        new AbstractMap<>() {
          @Override
          public Set<Entry<String, Object>> entrySet() {
            return Set.of(entry);
          }
        };
    assertThat(deliverValue(lazy))
        .startsWith("{\"getter\":\"(" + entry.getClass().getName() + " could not be encoded: ");
    assertThat(client.counters().replacedValues()).isEqualTo(4);
    assertThat(client.counters().submitted()).isEqualTo(4);
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable, T> T sneak(Throwable failure) throws E {
    throw (E) failure;
  }

  @Test
  void an_iterator_that_throws_ends_its_container_with_a_text() throws Exception {
    Iterable<Integer> broken =
        () ->
            new Iterator<>() {
              private int count;

              @Override
              public boolean hasNext() {
                return true;
              }

              @Override
              public Integer next() {
                if (count == 2) {
                  throw new NoSuchElementException();
                }
                return ++count;
              }
            };
    assertThat(deliverValue(broken))
        .startsWith("[1,2,\"(")
        .endsWith("could not be encoded: java.util.NoSuchElementException)\"]");

    Map<String, Object> root = new LinkedHashMap<>();
    root.put("message", "kept");
    root.put(
        "changer",
        new Hostile(() -> {
          root.put("x" + root.size(), 1);
          return "changed";
        }));
    root.put("never", "read");
    assertThat(deliver(root))
        .hasToString(
            "{\"message\":\"kept\",\"changer\":\"changed\",\"datanadhi_error\":"
                + "\"(java.util.LinkedHashMap could not be encoded:"
                + " java.util.ConcurrentModificationException)\"}");
    assertThat(client.counters().replacedValues()).isEqualTo(2);
  }

  @Test
  void a_stack_overflow_of_a_value_replaces_it() throws Exception {
    assertThat(deliverValue(new Hostile(PayloadTest::overflow)))
        .contains("could not be encoded: java.lang.StackOverflowError");
  }

  @Test
  void an_out_of_memory_error_of_a_value_reaches_the_caller() {
    Hostile hostile =
        new Hostile(() -> {
          throw new OutOfMemoryError("for the test");
        });
    assertThatThrownBy(() -> client.submit(PIPELINES, Map.of("value", hostile)))
        .isInstanceOf(OutOfMemoryError.class);
    assertThat(client.counters().submitted()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "ä", "€", "😀", "\"", "\u0001"})
  void a_payload_that_is_too_large_is_truncated_with_a_mark(String filling) throws Exception {
    Map<String, Object> payload = new LinkedHashMap<>();
    payload.put("message", filling.repeat(2 << 20));
    payload.put("level", "ERROR");
    JsonObject delivered = deliver(payload);
    assertThat(delivered.keySet()).containsExactly("message", "level", "datanadhi_truncated");
    assertThat(delivered.get("message").getAsString())
        .startsWith(filling.repeat(1000))
        .endsWith(filling + "…(truncated)");
    assertThat(delivered.get("level").getAsString()).isEqualTo("ERROR");
    assertThat(client.counters().truncated()).isEqualTo(1);
    assertThat(client.counters().replacedValues()).isZero();
  }

  @Test
  void a_payload_has_at_most_the_maximum_size_and_is_complete_below_it() throws Exception {
    DataNadhi small = open(configuration().echoPostDisabled(true).maxRecordBytes(1024));
    List<Object> values = new ArrayList<>();
    for (int n = 0; n < 200; n++) {
      values.add(List.of("item", n, Map.of("k", n)));
      Map<String, Object> payload = new LinkedHashMap<>();
      payload.put("seq", n);
      payload.put("values", values);
      payload.put("text", "ä".repeat(n));
      assertThat(small.submit(PIPELINES, payload)).isEqualTo(SubmitResult.ACCEPTED);
    }
    assertThat(small.flush(TIME_LIMIT)).isTrue();
    int truncated = 0;
    for (var delivery : main.deliveries()) {
      JsonObject record = delivery.body().getAsJsonObject("log_data");
      int bytes = record.toString().getBytes(StandardCharsets.UTF_8).length;
      assertThat(bytes).isLessThanOrEqualTo(1024);
      if (record.has("datanadhi_truncated")) {
        truncated++;
        assertThat(bytes).isGreaterThan(800);
      } else {
        assertThat(record.getAsJsonArray("values")).hasSize(delivery.seq() + 1);
      }
    }
    assertThat(truncated).isBetween(100, 199);
    assertThat(small.counters().truncated()).isEqualTo(truncated);
  }

  @Test
  void json_that_is_too_large_is_an_illegal_argument() throws Exception {
    String tooLarge = "\"" + "ä".repeat(1 << 19) + "\"";
    assertThatThrownBy(() -> client.submitJson(PIPELINES, tooLarge))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1048576 bytes");
    String largest = "{\"x\":\"" + "ä".repeat((1 << 19) - 4) + "\"}";
    assertThat(client.submitJson(PIPELINES, largest)).isEqualTo(SubmitResult.ACCEPTED);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.delivered()).isEqualTo(1);
  }
}
