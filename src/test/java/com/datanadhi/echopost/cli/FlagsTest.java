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
          Flag.of("x", "X", "x"),
          Flag.of("y", "Y", "y"),
          Flag.toggle("on", "on"),
          CommandSpec.HELP);

  private static Flags.Parsed parse(String... args) throws UsageException {
    return Flags.parse(KNOWN, List.of(args));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-x v", "--x v", "-x=v", "--x=v", "-x other -x v", "-x=other --x v"})
  void every_form_of_a_value_is_read_and_the_last_one_wins(String line) throws UsageException {
    assertThat(parse(line.split(" "))).isEqualTo(new Flags.Parsed(Map.of("x", "v"), List.of()));
  }

  @Test
  void a_value_may_hold_equals_signs_be_empty_or_look_like_a_flag() throws UsageException {
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
  void a_switch_takes_the_truth_values_that_go_takes(String arg, boolean on) throws UsageException {
    assertThat(parse(arg).isOn("on")).isEqualTo(on);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-h", "--h", "-help", "--help", "-help=true"})
  void help_has_two_names(String arg) throws UsageException {
    assertThat(parse(arg).values()).isEqualTo(Map.of("h", "true"));
  }

  @Test
  void a_switch_leaves_the_next_argument_alone() throws UsageException {
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
        "-on=maybe | flag -on is a switch",
        "-on= | flag -on is a switch",
        "---x v | bad flag syntax: ---x",
        "-=v | bad flag syntax: -=v",
        "--=v | bad flag syntax: --=v",
      })
  void what_makes_no_sense_is_refused_by_name(String line, String message) {
    assertThatThrownBy(() -> parse(line.split(" ")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(message);
  }
}
