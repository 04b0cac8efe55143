package com.datanadhi.sdk.internal.config;

import com.datanadhi.sdk.ConfigurationException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The settings from all sources: a system property comes before the environment, that before the
 * configuration of an appender, and that before the file. Not thread-safe.
 */
final class Settings {
  /** Before the key of a setting in the name of its system property. */
  private static final String PROPERTY_PREFIX = "datanadhi.";

  private final UnaryOperator<@Nullable String> property;
  private final Map<String, String> environment;
  private final Map<String, String> ofAppender;
  private final ConfigurationFile file;
  private final Set<String> known = new HashSet<>();

  /**
   * Makes settings from these sources.
   *
   * @param property returns the value of a system property, or null
   */
  Settings(
      UnaryOperator<@Nullable String> property,
      Map<String, String> environment,
      Map<String, String> ofAppender,
      ConfigurationFile file) {
    this.property = property;
    this.environment = environment;
    this.ofAppender = ofAppender;
    this.file = file;
  }

  /** The value of a setting that is not read from the file; empty if no source has one. */
  String outsideFile(String key, String variable) {
    String fromProperty = property.apply(PROPERTY_PREFIX + key);
    String fromAppender = ofAppender.getOrDefault(key, "");
    return fromProperty == null ? environment.getOrDefault(variable, fromAppender) : fromProperty;
  }

  /**
   * Passes the value of a setting to {@code setter}. If no source has one, the setter is not
   * called.
   *
   * @param key the path of the setting in the file, with dots between the names
   * @param variable the environment variable
   * @throws ConfigurationException if the setter throws one; the message then names the source in
   *     place of the part before the first colon
   */
  void apply(String key, String variable, Consumer<Value> setter) {
    known.add(key);
    String fromProperty = property.apply(PROPERTY_PREFIX + key);
    String fromEnvironment = environment.get(variable);
    if (fromProperty != null) {
      set("system property: " + PROPERTY_PREFIX + key, fromProperty, setter);
    } else if (fromEnvironment != null) {
      set("environment: " + variable, fromEnvironment, setter);
    } else if (ofAppender.containsKey(key)) {
      set("appender: " + key, ofAppender.get(key), setter);
    } else {
      file.find(key).ifPresent(value -> set(file.source(key), value, setter));
    }
  }

  private static void set(String source, Object value, Consumer<Value> setter) {
    try {
      setter.accept(new Value(value));
    } catch (ConfigurationException invalid) {
      String message = String.valueOf(invalid.getMessage());
      throw new ConfigurationException(source + message.substring(message.indexOf(':')));
    }
  }

  /**
   * Checks that the file has no other settings than those that were applied.
   *
   * @throws ConfigurationException if it has
   */
  void requireNoOthers() {
    file.requireKnown(known);
  }

  /** A value from any source, which the methods convert. */
  record Value(Object raw) {
    /** The value as text. */
    String text() {
      return raw.toString();
    }

    /** True or false, in upper or lower case. */
    boolean flag() {
      return switch (raw.toString().strip().toLowerCase(Locale.ROOT)) {
        case "true" -> true;
        case "false" -> false;
        default -> throw new ConfigurationException(": \"" + raw + "\" is not true or false");
      };
    }

    /** A whole number. */
    int number() {
      try {
        return Integer.parseInt(raw.toString().strip());
      } catch (NumberFormatException notANumber) {
        throw new ConfigurationException(": \"" + raw + "\" is not a whole number");
      }
    }

    /** A number of seconds, with or without a fraction. */
    Duration seconds() {
      String text = raw.toString().strip();
      // Java also reads "5d" and "5f" as numbers.
      if (!text.matches("[+-]?[0-9]*[.]?[0-9]+([eE][+-]?[0-9]+)?|[+-]?[0-9]+[.]")) {
        throw new ConfigurationException(": \"" + raw + "\" is not a number of seconds");
      }
      return Duration.ofMillis(Math.round(Double.parseDouble(text) * 1000));
    }
  }
}
