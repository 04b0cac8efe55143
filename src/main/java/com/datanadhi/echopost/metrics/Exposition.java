package com.datanadhi.echopost.metrics;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.Locale;

/// Metrics as text, written one family after the other: Prometheus' text format 0.0.4, or
/// OpenMetrics 1.0. For one thread.
///
/// Names follow Prometheus' conventions, which the formats rely on: a counter's ends in `_total`,
/// and the unit, in `_seconds` or `_bytes`, comes before that.
public final class Exposition {
  private static final String TOTAL = "_total";

  private final boolean openMetrics;
  private final String commonLabels;
  private final StringBuilder text = new StringBuilder(1 << 14);
  private String family = "";

  /// @param openMetrics in that format instead of Prometheus'
  /// @param commonLabels of every sample: name, value, and so on
  public Exposition(boolean openMetrics, String... commonLabels) {
    this.openMetrics = openMetrics;
    this.commonLabels = labels("", commonLabels);
  }

  /// The metrics of the agent of `directory`, which is a label of every sample, so that those of
  /// several agents can stand in one place. Begins with `echopost_up`.
  ///
  /// @param openMetrics in that format instead of Prometheus'
  /// @param isUp whether the agent runs
  public static Exposition ofAgent(Path directory, boolean openMetrics, boolean isUp) {
    Exposition out =
        new Exposition(openMetrics, "directory", directory.toAbsolutePath().normalize().toString());
    out.gauge("echopost_up", "Whether an agent runs; 0 in what it leaves behind.", isUp ? 1 : 0);
    return out;
  }

  /// A counter without labels of its own.
  public void counter(String name, String help, long value) {
    counters(name, help);
    sample(value);
  }

  /// A gauge without labels of its own.
  public void gauge(String name, String help, long value) {
    gauges(name, help);
    sample(value);
  }

  /// A gauge without labels of its own, which need not be a whole number.
  public void gauge(String name, String help, double value) {
    gauges(name, help);
    line(name, commonLabels, number(value));
  }

  /// Begins a family of counters, whose samples come next.
  public void counters(String name, String help) {
    begin(name, "counter", help);
  }

  /// Begins a family of gauges, whose samples come next.
  public void gauges(String name, String help) {
    begin(name, "gauge", help);
  }

  /// One sample of the family that was begun last.
  ///
  /// @param labels name, value, and so on
  public void sample(long value, String... labels) {
    line(family, labels(commonLabels, labels), Long.toString(value));
  }

  /// The state that something is in: a gauge for each that there is, 1 for the one, 0 for the
  /// others.
  public void state(String name, String help, Enum<?> now) {
    gauges(name, help);
    for (Enum<?> state : now.getDeclaringClass().getEnumConstants()) {
      sample(state == now ? 1 : 0, "state", lowerCase(state));
    }
  }

  /// A histogram.
  public void histogram(String name, String help, Histogram histogram) {
    begin(name, "histogram", help);
    long[] cumulative = histogram.cumulative();
    int last = cumulative.length - 1;
    for (int i = 0; i <= last; i++) {
      String bound = i == last ? "+Inf" : Double.toString(histogram.bound(i));
      line(name + "_bucket", labels(commonLabels, "le", bound), Long.toString(cumulative[i]));
    }
    line(name + "_sum", commonLabels, number(histogram.sum()));
    line(name + "_count", commonLabels, Long.toString(cumulative[last]));
  }

  /// What a constant is called in a label.
  public static String lowerCase(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private void begin(String name, String type, String help) {
    family = name;
    // OpenMetrics names a family of counters without what its samples end in.
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

  /// All that was written.
  public String text() {
    return openMetrics ? text + "# EOF\n" : text.toString();
  }
}
