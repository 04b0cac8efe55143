package com.datanadhi.echopost.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.testkit.Formats;
import org.junit.jupiter.api.Test;

class ExpositionTest {
  private static final String NASTY = "a \"quoted\" back\\slash,\nand a line} end=";

  private enum Traffic {
    RED,
    GREEN
  }

  private static String written(boolean openMetrics) {
    Exposition out = new Exposition(openMetrics, "directory", NASTY);
    out.gauge("x_up", "A \"help\" with a back\\slash\nand a line end.", 1);
    out.gauge("x_age_seconds", "An age.", 0.25);
    out.gauge("x_unknown_seconds", "Not known.", Double.NaN);
    out.counter("x_taken_bytes_total", "Bytes.", Long.MAX_VALUE);
    out.counters("x_refused_total", "Refused.");
    out.sample(3, "reason", "a");
    out.sample(4, "reason", NASTY);
    out.counters("x_nothing_total", "A family of which there is nothing yet.");
    out.state("x_light", "A state.", Traffic.GREEN);
    Histogram histogram = Histogram.ofDurations(1, 2, 5);
    histogram.observe(150_000);
    histogram.observe(2_000_000_000);
    out.histogram("x_wait_seconds", "A wait.", histogram);
    return out.text();
  }

  @Test
  void prometheus_accepts_its_text_format() throws Exception {
    Formats.assertPrometheus(written(false));
  }

  @Test
  void a_strict_reader_accepts_openmetrics() throws Exception {
    assertThat(Formats.assertOpenMetrics(written(true)))
        .isEqualTo(
            """
            x_up gauge
            x_age_seconds gauge
            x_unknown_seconds gauge
            x_taken_bytes counter
            x_refused counter
            x_nothing counter
            x_light gauge
            x_wait_seconds histogram
            """);
  }

  @Test
  void characters_that_would_end_a_line_or_a_label_are_escaped() {
    assertThat(written(false))
        .contains(
            "# HELP x_up A \"help\" with a back\\\\slash\\nand a line end.\n# TYPE x_up gauge\n")
        .contains("x_up{directory=\"a \\\"quoted\\\" back\\\\slash,\\nand a line} end=\"} 1\n");
    assertThat(written(true)).contains("# HELP x_up A \\\"help\\\" with");
  }

  @Test
  void a_state_has_a_sample_for_each_constant() {
    assertThat(written(false)).contains("state=\"red\"} 0\n").contains("state=\"green\"} 1\n");
  }

  @Test
  void openmetrics_names_units_and_ends() {
    assertThat(written(true))
        .contains("# TYPE x_taken_bytes counter\n# UNIT x_taken_bytes bytes\nx_taken_bytes_total{")
        .endsWith("# EOF\n");
    assertThat(written(false))
        .contains("# TYPE x_taken_bytes_total counter\n")
        .doesNotContain("EOF");
  }

  @Test
  void numbers_are_written_without_exponents() {
    assertThat(written(false))
        .contains("} 0.25\n")
        .contains("} NaN\n")
        .contains("} 9223372036854775807\n")
        .contains("le=\"+Inf\"} 2\n")
        .contains("} 2.00015\n");
  }
}
