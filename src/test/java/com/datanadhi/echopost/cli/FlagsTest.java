package com.datanadhi.echopost.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FlagsTest {
  private static final List<Flag> KNOWN =
      List.of(
          Flag.withValue("x", "X", "x"),
          Flag.withValue("y", "Y", "y"),
          Flag.withoutValue("on", "on"),
          CommandSpec.HELP);

  private static Flags.Parsed parse(String... args) throws UsageException {
    return Flags.parse(KNOWN, List.of(args));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-x v", "--x v", "-x=v", "--x=v", "-x other -x v", "-x=other --x v"})
  void every_form_of_a_value_is_accepted_and_the_last_value_counts(String line)
      throws UsageException {
    assertThat(parse(line.split(" "))).isEqualTo(new Flags.Parsed(Map.of("x", "v"), List.of()));
  }

  @Test
  void a_value_may_contain_equals_signs_be_empty_or_look_like_a_flag() throws UsageException {
    assertThat(parse("-x=a=b=", "-y", "-on").values()).isEqualTo(Map.of("x", "a=b=", "y", "-on"));
    assertThat(parse("-x=", "-y", "").values()).isEqualTo(Map.of("x", "", "y", ""));
    assertThat(parse("-x", "--", "-y", "-").values()).isEqualTo(Map.of("x", "--", "y", "-"));
  }

  @ParameterizedTest
  @CsvSource({
    "-on, true",
    "--on, true",
    "-on=true, true",
    "-on=1, true",
    "-on=t, true",
    "-on=T, true",
    "-on=TRUE, true",
    "-on=True, true",
    "-on=false, false",
    "-on=0, false",
    "--on=f, false",
    "-on=F, false",
    "-on=FALSE, false",
    "-on=False, false"
  })
  void a_boolean_flag_takes_the_values_that_go_takes(String arg, boolean on) throws UsageException {
    assertThat(parse(arg).isOn("on")).isEqualTo(on);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-h", "--h", "-help", "--help", "-help=true"})
  void help_is_requested_with_h_or_help(String arg) throws UsageException {
    assertThat(parse(arg).values()).isEqualTo(Map.of("h", "true"));
  }

  @Test
  void a_boolean_flag_does_not_take_the_next_argument() throws UsageException {
    assertThat(parse("-on", "false"))
        .isEqualTo(new Flags.Parsed(Map.of("on", "true"), List.of("false")));
  }

  @Test
  void flags_end_at_two_dashes_at_a_single_dash_and_at_the_first_other_argument()
      throws UsageException {
    assertThat(parse("-on", "--", "-x", "v").rest()).containsExactly("-x", "v");
    assertThat(parse("-on", "-", "-x", "v").rest()).containsExactly("-", "-x", "v");
    assertThat(parse("-on", "word", "-x", "v").rest()).containsExactly("word", "-x", "v");
    assertThat(parse("", "-x", "v").rest()).containsExactly("", "-x", "v");
    assertThat(parse()).isEqualTo(new Flags.Parsed(Map.of(), List.of()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-z | unknown flag -z",
        "--nope=1 | unknown flag -nope",
        "-X v | unknown flag -X",
        "-x | flag -x needs a value",
        "-on --x | flag -x needs a value",
        "-on=maybe | flag -on is boolean",
        "-on= | flag -on is boolean",
        "---x v | invalid flag '---x'",
        "-=v | invalid flag '-=v'",
        "--=v | invalid flag '--=v'",
      })
  void invalid_flags_are_refused_and_the_message_names_them(String line, String message) {
    assertThatThrownBy(() -> parse(line.split(" ")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(message);
  }
}
