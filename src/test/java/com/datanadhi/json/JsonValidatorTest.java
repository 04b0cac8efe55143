package com.datanadhi.json;

import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonValidatorTest {

  private @Nullable String problem(String text) {
    return JsonValidator.problem(text.getBytes(UTF_8));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // values
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "\"\"",
        "0",
        "{\"a\":1}",
        "[1,\"a\",null,{},[]]",
        "{\"a\":{\"b\":[{\"c\":\"d\"}]}}",
        "{\"\":0}",
        "{\"a\":1,\"a\":2}",
        // white space
        " {} ",
        "\t\r\n[ 1 , 2 ]\n\r\t ",
        "{ \"a\" : 1 }",
        "1\n",
        " \"a\" ",
        // numbers
        "-0",
        "-1",
        "10",
        "1.5",
        "0.0",
        "-0.25",
        "1e5",
        "1E5",
        "1e+5",
        "1E-5",
        "0e0",
        "1.25e-10",
        "1e999999",
        "9007199254740993",
        "[-0,0.1,1e1]",
        // strings
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\uabCD\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "{\"\\ud800\":1}",
        "[\"\\ud800x\",\"\\ud800\\u0041\"]",
        "\"é ü 漢字 😀\"",
        "{\"ключ\":\"значение\"}",
        "\"\u007f\"",
        "\"\u2028\u2029\"",
        "\"\ufeff\"",
        "\"'\"",
        "\"// /* # */\"",
        "\"\u00a0\"",
      })
  void json_is_accepted(String text) {
    assertThat(problem(text)).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // numbers
        "01",
        "-01",
        "00",
        "1.",
        "-1.",
        ".5",
        "-.5",
        "+1",
        "+0",
        "-",
        "+",
        "--1",
        "1e",
        "1e+",
        "1.e1",
        "1ee1",
        "1.5.5",
        "0x10",
        "1_000",
        "1,5",
        "[01]",
        "[1.]",
        "[.5]",
        "[+1]",
        "[-]",
        "[1e]",
        "{\"a\":01}",
        "1a",
        "1-",
        "[1a]",
        "٣",
        "１",
        // words
        "NaN",
        "Infinity",
        "-Infinity",
        "+Infinity",
        "[NaN]",
        "{\"a\":-Infinity}",
        "nan",
        "inf",
        "undefined",
        "None",
        "True",
        "TRUE",
        "tru",
        "truex",
        "nul",
        "nulll",
        "[falsey]",
        "a",
        // strings
        "\"",
        "\"a",
        "'a'",
        "{'a':1}",
        "[\"a']",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\U0041\"",
        "\"\\a\"",
        "\"\\'\"",
        "\"\\0\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"\u0000\"",
        "\"abcd\u0000\"",
        "\"\u001f\"",
        "[\"a\u0001\"]",
        "{\"a\u0001\":1}",
        "{\"\\x\":1}",
        "{\"a\":\"\n\"}",
        // structure
        "{",
        "}",
        "[",
        "]",
        "[1",
        "[1,",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "[}",
        "{]",
        "[1}",
        "{\"a\":1]",
        "[,]",
        "[,1]",
        "[1,]",
        "[1,,2]",
        "{,}",
        "{\"a\":1,}",
        "{\"a\":1,,\"b\":2}",
        "{a:1}",
        "{1:1}",
        "{null:1}",
        "{\"a\"}",
        "{\"a\" 1}",
        "{\"a\":}",
        "{\"a\":1 \"b\":2}",
        "{:1}",
        "[1 2]",
        "[1:2]",
        "{\"a\":1;\"b\":2}",
        "{\"a\"=1}",
        "{\"a\":1:2}",
        "{[]:1}",
        // more than one text
        "{} {}",
        "{}{}",
        "1 2",
        "[] 1",
        "{},",
        "{}]",
        "{}}",
        "[]]",
        "null null",
        "\"a\"\"b\"",
        "\"a\" b",
        "1,2",
        "{}x",
        "{} \u0000",
        "12345\u0000",
        "{};",
        "{}\n{}\n",
        // comments and other white space
        "// a\n1",
        "/* a */1",
        "1//",
        "1 /* */",
        "# a\n1",
        "1#",
        "[1/**/]",
        "{/**/}",
        "\f1",
        "1\f",
        "\u000b1",
        "\u00a01",
        "\u20281",
        "\u001e{}",
        "{}\u001e",
        "\u0000{}",
        // nothing
        "",
        " ",
        "\n\t\r ",
        ",",
        ":",
        "\\",
        // marks
        "\ufeff{}",
        "\ufeff",
        "{}\ufeff",
      })
  void text_that_breaks_the_grammar_is_not_json(String text) {
    assertThat(problem(text)).isNotNull();
  }

  @ParameterizedTest
  @CsvSource({
    "lone continuation, 2280 22",
    "overlong slash in two bytes, 22C0AF22",
    "overlong slash in three bytes, 22E080AF22",
    "overlong NUL as modified UTF-8 writes it, 22C08022",
    "overlong in four bytes, 22F08080AF22",
    "CESU-8 surrogate pair, 22EDA0BDEDB88022",
    "lone high surrogate, 22EDA08022",
    "lone low surrogate, 22EDB08022",
    "above U+10FFFF, 22F490808022",
    "five bytes, 22F88080808022",
    "FF, 22FF22",
    "cut two-byte sequence, 22C322",
    "cut three-byte sequence, 22E28222",
    "cut four-byte sequence at the end, 22F09F98",
    "Latin-1, 22E922",
    "in a name, 7B22FF223A317D",
    "before the text, FF7B7D",
    "after the text, 7B7DFF",
    "in white space, 7B2080 7D",
  })
  void bytes_that_are_not_utf_8_are_not_json(String what, String hex) {
    assertThat(JsonValidator.problem(HexFormat.of().parseHex(hex.replace(" ", ""))))
        .as(what)
        .isEqualTo("it is not UTF-8");
  }

  @Test
  void utf_16_and_utf_32_are_not_json_with_and_without_a_byte_order_mark() {
    for (String text : new String[] {"{}", "1", "12", "[1]", "\"a\"", "{\"a\":1}", "null"}) {
      for (Charset charset :
          new Charset[] {
            UTF_16BE, UTF_16LE, Charset.forName("UTF-32BE"), Charset.forName("UTF-32LE")
          }) {
        assertThat(JsonValidator.problem(text.getBytes(charset)))
            .as(text + " " + charset)
            .isNotNull();
        assertThat(JsonValidator.problem(("\ufeff" + text).getBytes(charset)))
            .as("marked " + text + " " + charset)
            .isNotNull();
      }
    }
  }

  @Test
  void nesting_is_accepted_down_to_1000_levels() {
    assertThat(problem("[".repeat(1_000) + "]".repeat(1_000))).isNull();
    assertThat(problem("{\"a\":".repeat(1_000) + "1" + "}".repeat(1_000))).isNull();
    String tooDeep = "it is nested more than 1000 levels deep";
    assertThat(problem("[".repeat(1_001) + "]".repeat(1_001))).isEqualTo(tooDeep);
    assertThat(problem("{\"a\":".repeat(1_001) + "1" + "}".repeat(1_001))).isEqualTo(tooDeep);
    assertThat(problem("[{\"a\":".repeat(1_000_000))).isEqualTo(tooDeep);
  }

  @Test
  void a_long_text_is_accepted() {
    assertThat(problem("1".repeat(100_000))).isNull();
    assertThat(problem("-0." + "1".repeat(100_000) + "e-" + "9".repeat(100_000))).isNull();
    assertThat(problem("\"" + "é\\n".repeat(1_000_000) + "\"")).isNull();
    assertThat(problem("{\"" + "n".repeat(1_000_000) + "\":1}")).isNull();
    assertThat(problem("[" + "0,".repeat(1_000_000) + "0]")).isNull();
    assertThat(problem(" ".repeat(1_000_000) + "1" + "\n".repeat(1_000_000))).isNull();
  }

  @Test
  void every_truncation_of_a_text_is_not_json() {
    byte[] whole =
        "{\"a\":[1.5e-3,true,null,\"é😀\\n\\u00e9\"],\"b\":{\"c\":false}}".getBytes(UTF_8);
    assertThat(JsonValidator.problem(whole)).isNull();
    for (int length = 0; length < whole.length; length++) {
      assertThat(JsonValidator.problem(Arrays.copyOf(whole, length)))
          .as("%d bytes", length)
          .isNotNull();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | it is empty",
        "'  ' | it is empty",
        "{} {} | there is more after its end",
        "1 2 | there is more after its end",
        "1 x | there is more after its end",
        "[1 | it ends in the middle",
        "[1,] | it breaks the grammar near byte 3",
        "['é',tru] | it breaks the grammar near byte 1",
        "[\"é😀\",,] | it breaks the grammar near byte 10",
      })
  void the_message_names_the_problem(String text, String message) {
    assertThat(problem(text)).isEqualTo(message);
  }

  @Test
  void the_validator_agrees_with_the_grammar_of_rfc_8259_on_random_texts() {
    long seed = Long.getLong("echopost.seed", new Random().nextLong());
    System.out.println("JsonValidatorTest seed " + seed + " (-Dechopost.seed=" + seed + ")");
    Random random = new Random(seed);
    String[] parts = {
      "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\", "\\u00e9", "\\n", "0", "1", "-", "+", ".",
      "e", "E", "true", "null", "false", " ", "\n", "é", "x", "\u0001", "/", "1.5e3", "\"a\":",
      "[]", "{}",
    };
    int valid = 0;
    for (int round = 0; round < 200_000; round++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(8); n >= 0; n--) {
        text.append(parts[random.nextInt(parts.length)]);
      }
      boolean expected = Grammar.matches(text.toString());
      valid += expected ? 1 : 0;
      assertThat(problem(text.toString()) == null)
          .as("%s, seed %d", text, seed)
          .isEqualTo(expected);
    }
    assertThat(valid).isGreaterThan(1_000);
  }

  /// The grammar of RFC 8259 by repeated reduction: the innermost arrays and objects become a
  /// value, until only one value is left.
  private static final class Grammar {
    private static final Pattern STRING =
        Pattern.compile("\"(?:[^\"\\\\\\x00-\\x1f]|\\\\(?:[\"\\\\/bfnrt]|u[0-9a-fA-F]{4}))*+\"");
    private static final String WS = "[ \\t\\n\\r]*+";
    private static final Pattern SCALAR =
        Pattern.compile(
            "(?<![0-9a-zA-Z.+-])(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
                + "(?![0-9a-zA-Z.+-])");
    // S stands for a string, V for any other value; no text of this test holds these letters.
    private static final String VALUE = WS + "[SV]" + WS;
    private static final Pattern ARRAY =
        Pattern.compile("\\[(?:" + WS + "|" + VALUE + "(?:," + VALUE + ")*+)]");
    private static final Pattern OBJECT =
        Pattern.compile(
            "\\{(?:" + WS + "|" + WS + "S" + WS + ":" + VALUE + "(?:," + WS + "S" + WS + ":" + VALUE
                + ")*+)}");

    static boolean matches(String text) {
      String left = STRING.matcher(text).replaceAll("S");
      left = SCALAR.matcher(left).replaceAll("V");
      String before;
      do {
        before = left;
        left = OBJECT.matcher(ARRAY.matcher(left).replaceAll("V")).replaceAll("V");
      } while (!left.equals(before));
      return left.matches(VALUE);
    }
  }
}
