package com.datanadhi.echopost.metrics;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.Locale;

/// Writes metrics as text, one family after the other, in Prometheus' text format 0.0.4 or in
/// OpenMetrics 1.0. For one thread.
///
/// Names follow Prometheus' conventions, on which the formats rely: the name of a counter ends in
/// `_total`, and before that comes the unit as `_seconds` or `_bytes`.
public final class Exposition {
  private static final String TOTAL = "_total";

  private final boolean openMetrics;
  private final String commonLabels;
  private final StringBuilder text = new StringBuilder(1 << 14);
  private String family = "";

  /// @param openMetrics whether to write OpenMetrics instead of Prometheus' format
  /// @param commonLabels labels of every sample, as name, value, name, value
  public Exposition(boolean openMetrics, String... commonLabels) {
    this.openMetrics = openMetrics;
    this.commonLabels = labels("", commonLabels);
  }

  /// For the agent of `directory`. The directory is a label of every sample, so that metrics of
  /// several agents can be collected together. The first metric is `echopost_up`.
  ///
  /// @param openMetrics whether to write OpenMetrics instead of Prometheus' format
  /// @param isUp whether the agent runs
  public static Exposition ofAgent(Path directory, boolean openMetrics, boolean isUp) {
    Exposition out =
        new Exposition(openMetrics, "directory", directory.toAbsolutePath().normalize().toString());
    out.gauge(
        "echopost_up", "Whether an agent runs; 0 in the metrics of an ended run.", isUp ? 1 : 0);
    return out;
  }

  /// Writes a counter without labels of its own.
  public void counter(String name, String help, long value) {
    counters(name, help);
    sample(value);
  }

  /// Writes a gauge without labels of its own.
  public void gauge(String name, String help, long value) {
    gauges(name, help);
    sample(value);
  }

  /// Writes a gauge without labels of its own, with a fractional value.
  public void gauge(String name, String help, double value) {
    gauges(name, help);
    line(name, commonLabels, number(value));
  }

  /// Starts a family of counters; calls of [#sample] follow.
  public void counters(String name, String help) {
    start(name, "counter", help);
  }

  /// Starts a family of gauges; calls of [#sample] follow.
  public void gauges(String name, String help) {
    start(name, "gauge", help);
  }

  /// Writes a sample of the family that was started last.
  ///
  /// @param labels its labels, as name, value, name, value
  public void sample(long value, String... labels) {
    line(family, labels(commonLabels, labels), Long.toString(value));
  }

  /// Writes a state as a gauge for each constant of its enum: 1 for the current one, 0 for the
  /// others.
  public void state(String name, String help, Enum<?> now) {
    gauges(name, help);
    for (Enum<?> state : now.getDeclaringClass().getEnumConstants()) {
      sample(state == now ? 1 : 0, "state", lowerCase(state));
    }
  }

  /// Writes a histogram.
  public void histogram(String name, String help, Histogram histogram) {
    start(name, "histogram", help);
    long[] cumulative = histogram.cumulative();
    int last = cumulative.length - 1;
    for (int i = 0; i <= last; i++) {
      String bound = i == last ? "+Inf" : Double.toString(histogram.bound(i));
      line(name + "_bucket", labels(commonLabels, "le", bound), Long.toString(cumulative[i]));
    }
    line(name + "_sum", commonLabels, number(histogram.sum()));
    line(name + "_count", commonLabels, Long.toString(cumulative[last]));
  }

  /// The value of a label for a constant.
  public static String lowerCase(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private void start(String name, String type, String help) {
    family = name;
    // In OpenMetrics the name of a counter's family lacks the suffix of its samples.
    String base =
        openMetrics && name.endsWith(TOTAL)
            ? name.substring(0, name.length() - TOTAL.length())
            : name;
    text.append("# HELP ").append(base).append(' ').append(escape(help, openMetrics)).append('\n');
    text.append("# TYPE ").append(base).append(' ').append(type).append('\n');
    String unit = base.endsWith("_seconds") ? "seconds" : base.endsWith("_bytes") ? "bytes" : "";
    if (openMetrics && !unit.isEmpty()) {
      text.append("# UNIT ").append(base).append(' ').append(unit).append('\n');
    }
  }

  private void line(String name, String labels, String value) {
    text.append(name);
    if (!labels.isEmpty()) {
      text.append('{').append(labels).append('}');
    }
    text.append(' ').append(value).append('\n');
  }

  private static String labels(String before, String... more) {
    StringBuilder all = new StringBuilder(before);
    for (int i = 0; i < more.length; i += 2) {
      all.append(all.isEmpty() ? "" : ",")
          .append(more[i])
          .append("=\"")
          .append(escape(more[i + 1], true))
          .append('"');
    }
    return all.toString();
  }

  private static String escape(String plain, boolean quotesToo) {
    String escaped = plain.replace("\\", "\\\\").replace("\n", "\\n");
    return quotesToo ? escaped.replace("\"", "\\\"") : escaped;
  }

  private static String number(double value) {
    if (Double.isInfinite(value)) {
      return value > 0 ? "+Inf" : "-Inf";
    }
    return Double.isNaN(value) ? "NaN" : BigDecimal.valueOf(value).toPlainString();
  }

  /// The text so far.
  public String text() {
    return openMetrics ? text + "# EOF\n" : text.toString();
  }
}
