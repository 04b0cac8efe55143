package com.datanadhi.echopost.cli;

import org.jspecify.annotations.Nullable;

/// One flag of the command line.
///
/// @param name without the leading dash
/// @param placeholder stands for the value in help texts, such as `N` in `-n N`. Completions offer
///   directories for `DIR`, files for `FILE`, and for `a|b` these words. Null for a boolean flag
/// @param description without a full stop
public record Flag(String name, @Nullable String placeholder, String description) {
  /// A flag with a value.
  public static Flag withValue(String name, String placeholder, String description) {
    return new Flag(name, placeholder, description);
  }

  /// A boolean flag.
  public static Flag withoutValue(String name, String description) {
    return new Flag(name, null, description);
  }

  /// The flag as it is typed, such as `-n N`.
  public String synopsis() {
    return placeholder == null ? "-" + name : "-" + name + " " + placeholder;
  }
}
