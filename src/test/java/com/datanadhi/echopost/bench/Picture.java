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

/// One picture: a curve for everybody who was measured.
final class Picture {
  private static final double[] QUANTILES = {0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999};

  private final String name;
  private final XYChart chart;
  private final Map<String, List<Point>> curves = new TreeMap<>();

  /// A point of a curve.
  record Point(double x, double y) {}

  private Picture(String name, String title, String x, String y) {
    this.name = name;
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

  /// A quantity over time.
  static Picture overTime(String name, String title, String x, String y) {
    Picture picture = new Picture(name, title, x, y);
    picture.style().setXAxisMin(0.0);
    picture.style().setYAxisMin(0.0);
    picture.style().setYAxisDecimalPattern("#,##0");
    return picture;
  }

  /// Latencies from the median to p99.9, drawn over one record in how many waits longer, so that
  /// the rare ones have as much room as the many.
  static Picture ofLatencies(String name, String title) {
    Picture picture = new Picture(name, title, "percentile, from the median on", "ms");
    picture.style().setXAxisLogarithmic(true);
    picture.style().setXAxisLogarithmicDecadeOnly(true);
    picture.style().setXAxisTickLabelsFormattingFunction(Picture::percentile);
    picture.style().setYAxisLogarithmic(true);
    picture.style().setYAxisLogarithmicDecadeOnly(false);
    picture.style().setYAxisTickLabelsFormattingFunction(Picture::millis);
    return picture;
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
    // The upper ones of a decade stand too close to be read.
    return tick.unscaledValue().intValue() > 5 ? "" : tick.toPlainString();
  }

  /// Draws somebody's curve, in place of the one of the round before.
  void curve(String whose, List<Point> points) {
    curves.put(whose, points);
  }

  /// Draws somebody's latencies, in place of those of the round before.
  ///
  /// @param millis the latency at a quantile
  void latencies(String whose, DoubleUnaryOperator millis) {
    curve(
        whose,
        Arrays.stream(QUANTILES)
            .mapToObj(quantile -> new Point(1 / (1 - quantile), millis.applyAsDouble(quantile)))
            .toList());
  }

  /// Writes it into a directory, as PNG.
  ///
  /// @return its file
  Path save(Path directory) throws IOException {
    curves.forEach((whose, points) ->
        chart
            .addSeries(
                whose,
                points.stream().mapToDouble(Point::x).toArray(),
                points.stream().mapToDouble(Point::y).toArray())
            .setMarker(SeriesMarkers.NONE));
    Path file = directory.resolve(name + ".png");
    ChartEncoder.saveChart(chart, file.toString(), "png");
    return file;
  }
}
