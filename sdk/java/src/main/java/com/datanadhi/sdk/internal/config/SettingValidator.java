package com.datanadhi.sdk.internal.config;

import com.datanadhi.sdk.ConfigurationException;
import com.datanadhi.sdk.internal.http.HostAddress;
import com.datanadhi.sdk.internal.http.Proxies;
import com.datanadhi.sdk.internal.http.TrustedCertificates;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Checks the values of settings. Each method returns the valid value or throws a {@link
 * ConfigurationException}. The message begins with the name of the setting and a colon, except for
 * the API key, which has one source only.
 */
public final class SettingValidator {
  private static final Duration MAX_EXIT_TIMEOUT = Duration.ofMinutes(10);
  private static final Duration MIN_DROPPED_AGE = Duration.ofMinutes(1);
  private static final Duration MAX_DROPPED_AGE = Duration.ofDays(3650);
  private static final Duration MAX_BATCH_DELAY = Duration.ofSeconds(1);

  private SettingValidator() {}

  /** An API key that can be the value of an HTTP header (RFC 9110, 5.5). */
  public static String apiKey(String key) {
    if (key.isBlank()) {
      throw new ConfigurationException(
          "there is no API key: set DATANADHI_API_KEY in the environment, or apiKey in code");
    }
    // The messages never contain the key.
    if (!key.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new ConfigurationException(
          "DATANADHI_API_KEY contains white space or a character that is not ASCII, and cannot be"
              + " sent in an HTTP header: copy the key exactly as you got it");
    }
    return key;
  }

  /** An http or https URL; slashes at its end are removed. */
  public static URI url(String name, String value) {
    String url = value.strip();
    while (url.endsWith("/")) {
      url = url.substring(0, url.length() - 1);
    }
    try {
      URI uri = new URI(url);
      boolean http = "http".equalsIgnoreCase(uri.getScheme());
      if ((http || "https".equalsIgnoreCase(uri.getScheme()))
          && HostAddress.of(uri).isPresent()
          && uri.getQuery() == null
          && uri.getFragment() == null
          && String.valueOf(uri.getRawAuthority()).indexOf('@') < 0) {
        return uri;
      }
    } catch (URISyntaxException notAUrl) {
      // Gets the same message as a URL of another kind.
    }
    throw new ConfigurationException(
        name
            + ": \""
            + value
            + "\" is not a valid URL: use the form http://host:5000 or https://host/path");
  }

  /** The URL of a proxy, {@code direct}, or an empty text for what the JVM or environment says. */
  public static String proxy(String name, String value) {
    if (!value.isBlank() && !Proxies.isValid(value.strip())) {
      // The value can contain a password.
      throw new ConfigurationException(
          name
              + ": not the URL of an HTTP proxy: use the form http://user:password@host:3128, with"
              + " other characters than letters and digits in user and password percent-encoded, or"
              + " direct for no proxy. Proxies that speak SOCKS or https are not supported");
    }
    return value.strip();
  }

  /** A text that is not empty, without white space around it. */
  public static String notBlank(String name, String value) {
    if (value.isBlank()) {
      throw new ConfigurationException(
          name + ": the value is empty: give it one, or remove the setting");
    }
    return value.strip();
  }

  /** A file of certificates in PEM format. */
  public static Path caFile(String name, String value) {
    try {
      Path file = Path.of(value).toAbsolutePath();
      TrustedCertificates.check(file);
      return file;
    } catch (NoSuchFileException missing) {
      throw new ConfigurationException(name + ": there is no file " + value);
    } catch (IOException | InvalidPathException unusable) {
      throw new ConfigurationException(
          "%s: the file %s cannot be used: it must have certificates in PEM format (%s)"
              .formatted(name, value, unusable.getMessage()));
    }
  }

  /** A whole number from {@code min} to {@code max}. */
  public static int intInRange(String name, int value, int min, int max) {
    if (value < min || value > max) {
      throw new ConfigurationException(
          "%s: %d is out of range: use a number from %d to %d".formatted(name, value, min, max));
    }
    return value;
  }

  /** A duration from 0 s to 10 min. */
  public static Duration exitTimeout(String name, Duration value) {
    return durationUpTo(MAX_EXIT_TIMEOUT, "10 min (600 s)", name, value);
  }

  /** A duration from 0 s to 1 s. */
  public static Duration batchDelay(String name, Duration value) {
    return durationUpTo(MAX_BATCH_DELAY, "1 s", name, value);
  }

  /** A duration from 1 min to 3,650 days. */
  public static Duration droppedMaxAge(String name, Duration value) {
    if (value.compareTo(MIN_DROPPED_AGE) < 0 || value.compareTo(MAX_DROPPED_AGE) > 0) {
      throw new ConfigurationException(
          name + ": " + value + " is out of range: use 1 min (60 s) to 3650 days (315360000 s)");
    }
    return value;
  }

  private static Duration durationUpTo(
      Duration max, String maxForPeople, String name, Duration value) {
    if (value.isNegative() || value.compareTo(max) > 0) {
      throw new ConfigurationException(
          name + ": " + value + " is out of range: use 0 s to " + maxForPeople);
    }
    return value;
  }
}
