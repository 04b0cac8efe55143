package com.datanadhi.echopost.operator.print;

/// Styles of text on a terminal: the codes of select graphic rendition (SGR) in ECMA-48.
public enum AnsiStyle {
  BOLD("1"),
  FAINT("2"),
  GREEN("32"),
  YELLOW("33"),
  RED("31");

  private final String code;

  AnsiStyle(String code) {
    this.code = code;
  }

  String apply(String text) {
    return "\u001b[" + code + "m" + text + "\u001b[0m";
  }
}
