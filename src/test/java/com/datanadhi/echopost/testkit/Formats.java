package com.datanadhi.echopost.testkit;

import static org.assertj.core.api.Assertions.assertThat;

/// Checks metrics in text formats with the parsers of Prometheus.
public final class Formats {
  private static final String READ_OPENMETRICS =
      """
      import sys
      from prometheus_client.openmetrics.parser import text_string_to_metric_families
      for family in text_string_to_metric_families(sys.stdin.read()):
          print(family.name, family.type)
      """;

  private Formats() {}

  /// Asserts that `promtool` accepts the text without a warning.
  public static void assertPrometheus(String text) throws Exception {
    assertThat(Tool.named("promtool").run(text, "check", "metrics"))
        .isEqualTo(new Tool.Result(0, ""));
  }

  /// Asserts that the strict OpenMetrics parser of Prometheus' Python client accepts the text.
  ///
  /// @return a line for each metric family: its name and its type
  public static String assertOpenMetrics(String text) throws Exception {
    Tool.Result result = Tool.pythonWith("prometheus_client").run(text, "-c", READ_OPENMETRICS);
    assertThat(result.exitStatus()).as(result.output()).isZero();
    return result.output();
  }
}
