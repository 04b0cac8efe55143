package com.datanadhi.echopost.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ComparisonTest {
  @TempDir Path directory;

  private static RoundValues values(double... rounds) {
    RoundValues values = new RoundValues();
    for (double value : rounds) {
      values.add(value);
    }
    return values;
  }

  private static BenchResults results(Figure... figures) {
    return new BenchResults(
        Instant.parse("2026-11-21T12:00:00Z"),
        "v1.0.0",
        new Machine(2, "Linux 6", "amd64", "a JDK", "ext4"),
        3,
        List.of(figures),
        List.of("a \"warning\""));
  }

  private static Figure rate(RoundValues echoPost, RoundValues floor) {
    return new Figure(
        "rate", "a rate", "records/s", echoPost, List.of(new Figure.Floor("the floor", floor)));
  }

  @Test
  void results_are_read_as_they_were_written() throws IOException {
    BenchResults written = results(rate(values(1, 2, 4.5), values(10)));
    Path file = Files.writeString(directory.resolve("results.json"), written.json());
    assertThat(BenchResults.read(file).json()).isEqualTo(written.json());
  }

  @Test
  void the_ratio_is_the_median_of_the_ratios_per_round_if_both_have_the_same_rounds() {
    Figure slowing = rate(values(90, 60, 30), values(100, 80, 50));
    assertThat(slowing.ratio(slowing.floors().getFirst())).isEqualTo(0.75);
    Figure sparse = rate(values(90, 60, 30), values(80));
    assertThat(sparse.ratio(sparse.floors().getFirst())).isEqualTo(0.75);
    Figure drifting = rate(values(30, 60, 100), values(60, 40, 50));
    assertThat(drifting.ratio(drifting.floors().getFirst())).isEqualTo(1.5);
  }

  @Test
  void the_table_has_the_medians_of_both_runs_and_of_their_floors() {
    BenchResults earlier = results(rate(values(100, 300, 200), values(400)));
    BenchResults now = results(rate(values(250), values(1_000)));
    assertThat(new Comparison(earlier, now).table().lines().limit(3))
        .containsExactly(
            "figure       unit       earlier    now  now/earlier  ratio earlier  ratio now",
            "a rate       records/s    200.0  250.0         1.25",
            "  the floor  records/s    400.0  1,000         2.50           0.50       0.25");
  }

  @Test
  void figures_of_only_one_run_are_left_out() {
    Figure other = new Figure("other", "another", "ms", values(1), List.of());
    Figure shared = new Figure("shared", "shared", "ms", values(1), List.of());
    assertThat(new Comparison(results(other, shared), results(shared)).table())
        .contains("shared")
        .doesNotContain("another");
    assertThat(new Comparison(results(shared), results(other, shared)).table())
        .contains("shared")
        .doesNotContain("another");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[]", "{}", "text", "{\"date\":\"yesterday\",\"machine\":{}}"})
  void a_file_without_results_is_refused_with_one_line(String text) throws IOException {
    Path file = Files.writeString(directory.resolve("results.json"), text);
    assertThatThrownBy(() -> Options.parse("--compare", file.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "cannot compare with " + file + ": the file does not hold results of scripts/bench");
  }

  @Test
  void a_missing_file_is_refused() {
    Path file = directory.resolve("none.json");
    assertThatThrownBy(() -> Options.parse("--compare", file.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("cannot compare with " + file + ": the file does not exist or is not readable");
  }

  @Test
  void a_peer_that_is_not_executable_is_refused() {
    assertThatThrownBy(() -> Options.parse("--program", "/bin/sh", "--peer", directory.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(directory + " is not an executable file");
  }
}
