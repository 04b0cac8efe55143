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

  private static Series series(double... rounds) {
    Series series = new Series();
    for (double value : rounds) {
      series.add(value);
    }
    return series;
  }

  private static Report report(Figure... figures) {
    return new Report(
        Instant.parse("2026-11-21T12:00:00Z"),
        "v1.0.0",
        new Machine(2, "Linux 6", "amd64", "a JDK", "ext4"),
        3,
        List.of(figures),
        List.of("a \"complaint\""));
  }

  private static Figure rate(Series ours, Series floor) {
    return new Figure(
        "rate", "a rate", "records/s", ours, List.of(new Figure.Floor("the floor", floor)));
  }

  @Test
  void a_report_is_read_as_it_was_written() throws IOException {
    Report report = report(rate(series(1, 2, 4.5), series(10)));
    Path file = Files.writeString(directory.resolve("results.json"), report.json());
    assertThat(Report.read(file).json()).isEqualTo(report.json());
  }

  @Test
  void a_ratio_is_that_of_the_rounds_where_figure_and_floor_were_measured_in_the_same() {
    Figure slowing = rate(series(90, 60, 30), series(100, 80, 50));
    assertThat(slowing.ratio(slowing.floors().getFirst())).isEqualTo(0.75);
    Figure sparse = rate(series(90, 60, 30), series(80));
    assertThat(sparse.ratio(sparse.floors().getFirst())).isEqualTo(0.75);
    Figure drifting = rate(series(30, 60, 100), series(60, 40, 50));
    assertThat(drifting.ratio(drifting.floors().getFirst())).isEqualTo(1.5);
  }

  @Test
  void medians_stand_side_by_side_and_floors_show_the_machine() {
    Report then = report(rate(series(100, 300, 200), series(400)));
    Report now = report(rate(series(250), series(1_000)));
    assertThat(new Comparison(then, now).table().lines().limit(3))
        .containsExactly(
            "figure       unit        then    now  now/then  to floor then  to floor now",
            "a rate       records/s  200.0  250.0      1.25",
            "  the floor  records/s  400.0  1,000      2.50           0.50          0.25");
  }

  @Test
  void what_only_one_of_the_runs_has_is_left_out() {
    Figure other = new Figure("other", "another", "ms", series(1), List.of());
    Figure shared = new Figure("shared", "shared", "ms", series(1), List.of());
    assertThat(new Comparison(report(other, shared), report(shared)).table())
        .contains("shared")
        .doesNotContain("another");
    assertThat(new Comparison(report(shared), report(other, shared)).table())
        .contains("shared")
        .doesNotContain("another");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[]", "{}", "text", "{\"date\":\"yesterday\",\"machine\":{}}"})
  void a_file_that_holds_no_results_is_refused_in_one_line(String text) throws IOException {
    Path file = Files.writeString(directory.resolve("results.json"), text);
    assertThatThrownBy(() -> Options.parse("--compare", file.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("cannot compare with " + file + ": not results of scripts/bench");
  }

  @Test
  void a_file_that_is_not_there_is_refused() {
    Path file = directory.resolve("none.json");
    assertThatThrownBy(() -> Options.parse("--compare", file.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("cannot compare with " + file + ": there is no such file to read");
  }

  @Test
  void a_peer_that_cannot_be_run_is_refused() {
    assertThatThrownBy(() -> Options.parse("--program", "/bin/sh", "--peer", directory.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(directory + " is no program");
  }
}
