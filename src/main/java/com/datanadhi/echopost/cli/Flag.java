package com.datanadhi.echopost.cli;

import org.jspecify.annotations.Nullable;

/// One flag, and all that anybody needs to know of it: the parser, the help texts, the man page and
/// the shells' completions.
///
/// @param name without its dash
/// @param value what a person reads in the place of its value, as in `-n N`; `DIR` and `FILE` are
///   completed as such, and `a|b` as one of these words. Null for a switch, which takes none
/// @param text what it says, without a full stop
public record Flag(String name, @Nullable String value, String text) {
  /// A flag with a value.
  public static Flag of(String name, String value, String text) {
    return new Flag(name, value, text);
  }

  /// A flag that is on or off.
  public static Flag toggle(String name, String text) {
    return new Flag(name, null, text);
  }

  /// How it is written, as `-n N`.
  public String form() {
    return value == null ? "-" + name : "-" + name + " " + value;
  }
}
