package com.datanadhi.hub.objects;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Where a bucket is and how it is spoken to. The variables are those of the AWS command line, and:
///
/// | variable | meaning |
/// |---|---|
/// | `HUB_S3_ENDPOINT` | `http://` or `https://` address of an S3-compatible server; before `AWS_ENDPOINT_URL_S3` and `AWS_ENDPOINT_URL` |
/// | `HUB_S3_PATH_STYLE` | `true` for `endpoint/bucket/key`, `false` for `bucket.endpoint/key`; by default `true` exactly with an endpoint |
///
/// @param prefix of all keys, empty or with `/` at its end
/// @param endpoint null for AWS
/// @param environment for the variables of AWS
record S3Settings(
    String bucket,
    String prefix,
    @Nullable URI endpoint,
    boolean pathStyle,
    Timeouts timeouts,
    Map<String, String> environment) {
  private static final Pattern URL = Pattern.compile("s3://([^/]*)(?:/(.*?)/?)?");
  private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");

  private static final List<String> CHECKSUMS =
      List.of("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION");
  private static final List<String> ENDPOINTS =
      List.of("HUB_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");

  /// How long a request waits.
  ///
  /// @param connect for a connection
  /// @param silence for the next bytes
  /// @param attempt for an attempt as a whole, without the time for its content
  /// @param bytesPerSecond of content, for which an attempt has more time
  record Timeouts(Duration connect, Duration silence, Duration attempt, long bytesPerSecond) {
    static final Timeouts DEFAULT =
        new Timeouts(
            Duration.ofSeconds(5), Duration.ofSeconds(20), Duration.ofSeconds(30), 256 << 10);

    /// For an attempt as a whole with that much content.
    Duration attempt(long bytes) {
      return attempt.plusSeconds(bytes / bytesPerSecond);
    }
  }

  /// @param url `s3://bucket` or `s3://bucket/prefix`
  /// @throws IllegalArgumentException the URL or a variable has no meaning; the message says how to
  ///   write it
  static S3Settings of(String url, Map<String, String> environment) {
    Matcher parts = URL.matcher(url);
    if (!parts.matches() || !BUCKET.matcher(parts.group(1)).matches()) {
      throw new IllegalArgumentException(
          "'"
              + url
              + "' has no valid name of a bucket: s3://bucket or s3://bucket/prefix, with 3 to 63"
              + " lower-case letters, digits, '-' and '.'");
    }
    String prefix = parts.group(2) == null ? "" : parts.group(2);
    if (!prefix.isEmpty() && (!ObjectKeys.isKey(prefix) || prefix.length() > 200)) {
      throw new IllegalArgumentException(
          "'"
              + url
              + "' has no valid prefix: names of letters, digits, '.', '_', '-' and ':' with '/'"
              + " between them, not beginning with '.', up to 200 characters");
    }
    URI endpoint = endpoint(environment);
    String pathStyle = variable(environment, "HUB_S3_PATH_STYLE");
    if (pathStyle != null && !pathStyle.equals("true") && !pathStyle.equals("false")) {
      throw new IllegalArgumentException("HUB_S3_PATH_STYLE is true or false, not " + pathStyle);
    }
    for (String name : CHECKSUMS) {
      String value = variable(environment, name);
      if (value != null && !value.matches("(?i)when_(supported|required)")) {
        throw new IllegalArgumentException(
            name + " is when_supported or when_required, not " + value);
      }
    }
    return new S3Settings(
        parts.group(1),
        prefix.isEmpty() ? "" : prefix + "/",
        endpoint,
        pathStyle == null ? endpoint != null : pathStyle.equals("true"),
        Timeouts.DEFAULT,
        Map.copyOf(environment));
  }

  private static @Nullable URI endpoint(Map<String, String> environment) {
    for (String name : ENDPOINTS) {
      String text = variable(environment, name);
      if (text != null) {
        if (!text.matches("https?://[^/@?#\\s]+/?")) {
          // Not shown: it can have a password in it.
          throw new IllegalArgumentException(
              name + " is http://host:port or https://host:port, without user, path or query");
        }
        return URI.create(text);
      }
    }
    return null;
  }

  S3Settings withTimeouts(Timeouts others) {
    return new S3Settings(bucket, prefix, endpoint, pathStyle, others, environment);
  }

  /// A variable, or null if it is not set or empty.
  @Nullable String variable(String name) {
    return variable(environment, name);
  }

  /// Whether a variable limits checksums to those that a request requires.
  boolean onlyRequired(String name) {
    return "when_required".equalsIgnoreCase(variable(name));
  }

  private static @Nullable String variable(Map<String, String> environment, String name) {
    String value = environment.get(name);
    return value == null || value.isEmpty() ? null : value;
  }

  /// The address, for messages.
  String url() {
    return "s3://"
        + bucket
        + (prefix.isEmpty() ? "" : "/" + prefix.substring(0, prefix.length() - 1));
  }

  /// The variables can have credentials in them.
  @Override
  public String toString() {
    return url();
  }
}
