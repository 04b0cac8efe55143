package com.datanadhi.echopost.bench;

import java.awt.Color;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleUnaryOperator;
import org.knowm.xchart.ChartEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.colors.ColorBlindFriendlySeriesColors;
import org.knowm.xchart.style.markers.SeriesMarkers;

/// A chart with one curve per subject: EchoPost, a peer or a floor.
final class Chart {
  private static final double[] QUANTILES = {0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999};

  private final String fileName;
  private final XYChart chart;
  private final Map<String, List<Point>> curves = new TreeMap<>();

  /// A point of a curve.
  record Point(double x, double y) {}

  private Chart(String name, String title, String x, String y) {
    this.fileName = name;
    this.chart =
        new XYChartBuilder()
            .width(900)
            .height(500)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    style().setLocale(Locale.ROOT);
    style().setChartBackgroundColor(Color.WHITE);
    style().setSeriesColors(new ColorBlindFriendlySeriesColors().getSeriesColors());
    style().setLegendPosition(Styler.LegendPosition.OutsideS);
  }

  private XYStyler style() {
    return chart.getStyler();
  }

  /// A chart of a quantity over time.
  static Chart overTime(String name, String title, String x, String y) {
    Chart chart = new Chart(name, title, x, y);
    chart.style().setXAxisMin(0.0);
    chart.style().setYAxisMin(0.0);
    chart.style().setYAxisDecimalPattern("#,##0");
    return chart;
  }

  /// A chart of latencies from the median to p99.9. The logarithmic x axis is `1 / (1 - quantile)`,
  /// so that the high percentiles get as much space as the low ones.
  static Chart ofLatencies(String name, String title) {
    Chart chart = new Chart(name, title, "percentile", "ms");
    chart.style().setXAxisLogarithmic(true);
    chart.style().setXAxisLogarithmicDecadeOnly(true);
    chart.style().setXAxisTickLabelsFormattingFunction(Chart::percentile);
    chart.style().setYAxisLogarithmic(true);
    chart.style().setYAxisLogarithmicDecadeOnly(false);
    chart.style().setYAxisTickLabelsFormattingFunction(Chart::millis);
    return chart;
  }

  private static String percentile(double oneIn) {
    return "p"
        + new BigDecimal(100 - 100 / oneIn)
            .round(new MathContext(4))
            .stripTrailingZeros()
            .toPlainString();
  }

  private static String millis(double value) {
    BigDecimal tick = new BigDecimal(value).round(new MathContext(1)).stripTrailingZeros();
    // The upper ticks of a decade are too close together to label.
    return tick.unscaledValue().intValue() > 5 ? "" : tick.toPlainString();
  }

  /// Sets the curve of a subject, and replaces that of the round before.
  void setCurve(String subject, List<Point> points) {
    curves.put(subject, points);
  }

  /// Sets the latencies of a subject, and replaces those of the round before.
  ///
  /// @param millis maps a quantile to a latency
  void setLatencies(String subject, DoubleUnaryOperator millis) {
    setCurve(
        subject,
        Arrays.stream(QUANTILES)
            .mapToObj(quantile -> new Point(1 / (1 - quantile), millis.applyAsDouble(quantile)))
            .toList());
  }

  /// Writes the chart to a directory, as PNG.
  ///
  /// @return the file
  Path save(Path directory) throws IOException {
    curves.forEach((subject, points) ->
        chart
            .addSeries(
                subject,
                points.stream().mapToDouble(Point::x).toArray(),
                points.stream().mapToDouble(Point::y).toArray())
            .setMarker(SeriesMarkers.NONE));
    Path file = directory.resolve(fileName + ".png");
    ChartEncoder.saveChart(chart, file.toString(), "png");
    return file;
  }
}
