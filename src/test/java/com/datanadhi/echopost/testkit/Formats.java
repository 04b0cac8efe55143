package com.datanadhi.echopost.testkit;

import static org.assertj.core.api.Assertions.assertThat;

/// Metrics as text, put before who reads such texts for a living.
public final class Formats {
  private static final String READ_OPENMETRICS =
      """
      import sys
      from prometheus_client.openmetrics.parser import text_string_to_metric_families
      for family in text_string_to_metric_families(sys.stdin.read()):
          print(family.name, family.type)
      """;

  private Formats() {}

  /// `promtool` has nothing to complain of.
  public static void assertPrometheus(String text) throws Exception {
    assertThat(Tool.named("promtool").run(text, "check", "metrics")).isEqualTo(new Tool.Ran(0, ""));
  }

  /// Prometheus' strict parser of OpenMetrics in Python takes it.
  ///
  /// @return a line for each family: its name and its type
  public static String assertOpenMetrics(String text) throws Exception {
    Tool.Ran ran = Tool.pythonWith("prometheus_client").run(text, "-c", READ_OPENMETRICS);
    assertThat(ran.exit()).as(ran.out()).isZero();
    return ran.out();
  }
}
