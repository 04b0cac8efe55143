package com.datanadhi.sdk.internal.config;

import com.datanadhi.sdk.ConfigurationException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;

/** What a setting may be. Each check names the setting as its reader wrote it. */
public final class SettingValidator {
  private static final Duration LONGEST_EXIT = Duration.ofMinutes(10);

  private SettingValidator() {}

  /** A key that can be an HTTP header's value (RFC 9110, 5.5). */
  public static String apiKey(String key) {
    if (key.isBlank()) {
      throw new ConfigurationException(
          "there is no API key: set DATANADHI_API_KEY in the environment, or apiKey in code");
    }
    // Its value is named nowhere.
    if (!key.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw new ConfigurationException(
          "DATANADHI_API_KEY has a blank, a line end or a letter beyond ASCII in it, and cannot be"
              + " sent in a header: take it over exactly as it was given to you");
    }
    return key;
  }

  /** An http or https URL, of which a slash at the end is taken away. */
  public static URI url(String name, String value) {
    String url = value.strip();
    while (url.endsWith("/")) {
      url = url.substring(0, url.length() - 1);
    }
    try {
      URI uri = new URI(url);
      boolean http = "http".equalsIgnoreCase(uri.getScheme());
      if ((http || "https".equalsIgnoreCase(uri.getScheme()))
          && uri.getHost() != null
          && uri.getPort() <= 65_535
          && uri.getQuery() == null
          && uri.getFragment() == null
          && uri.getUserInfo() == null) {
        return uri;
      }
    } catch (URISyntaxException notOne) {
      // Said below, with all the other things that are none.
    }
    throw new ConfigurationException(
        name + ": \"" + value + "\" is no URL like http://host:5000 or https://host/path");
  }

  /** A whole number in a range. */
  public static int within(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new ConfigurationException(
          "%s: %d is not from %d to %d".formatted(name, value, least, most));
    }
    return value;
  }

  /** How long the end of a process may take. */
  public static Duration exitTimeout(String name, Duration value) {
    if (value.isNegative() || value.compareTo(LONGEST_EXIT) > 0) {
      throw new ConfigurationException(name + ": " + value + " is not from 0 s to 10 min");
    }
    return value;
  }
}
